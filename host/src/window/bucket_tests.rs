#![allow(clippy::unwrap_used)]

use super::super::time::Declared;
use super::*;
use proptest::prelude::*;

fn windows(size: u64, advance: u64, grace: u64) -> Windows {
    let declared =
        Declared { size_ms: size, advance_ms: advance, grace_ms: Some(grace), retention_ms: None, idle_ms: None };
    Windows::new(declared).unwrap()
}

fn bucket(start: i64, first_open: i64, rows: &[usize]) -> Bucket {
    Bucket { pane: Some(Pane { start, first_open }), rows: rows.to_vec() }
}

#[test]
fn records_of_one_pane_share_a_bucket_whatever_their_order() {
    let mut stream_time = None;
    let split = split(&windows(30, 30, 100), &[5, 31, 0, 29, 59, -1], &mut stream_time);
    let expected = [bucket(0, 0, &[0, 2, 3]), bucket(30, 30, &[1, 4]), bucket(-30, -30, &[5])];
    assert_eq!((split.buckets.as_slice(), split.late.len(), stream_time), (&expected[..], 0, Some(59)));
}

#[test]
fn a_record_is_late_once_stream_time_reaches_end_and_grace_and_its_own_time_counts_first() {
    for (other, late) in [(34, None), (35, Some(0)), (36, Some(1))] {
        let mut stream_time = None;
        let split = split(&windows(30, 30, 5), &[other, 29], &mut stream_time);
        let expected: Vec<_> = late.map(|lateness_ms| LateRecord { row: 1, lateness_ms }).into_iter().collect();
        assert_eq!(split.late, expected, "{other}");
    }
}

#[test]
fn a_pane_splits_when_its_earlier_windows_close_within_the_batch() {
    let mut stream_time = None;
    let split = split(&windows(20, 10, 5), &[12, 24, 12, 25, 12, 34, 12, 35, 12], &mut stream_time);
    let expected = [bucket(10, 0, &[0, 2]), bucket(20, 10, &[1, 3]), bucket(10, 10, &[4, 6]), bucket(30, 20, &[5, 7])];
    assert_eq!(split.buckets, expected);
    assert_eq!(split.late, [LateRecord { row: 8, lateness_ms: 0 }]);
}

proptest! {
    #[test]
    fn buckets_are_as_the_rule_says_record_by_record(
        times in prop::collection::vec(-200i64..200, 0..80), panes in 1u64..4, advance in 1u64..20, grace in 0u64..50,
    ) {
        let windows = windows(panes * advance, advance, grace);
        let split = split(&windows, &times, &mut None);
        let mut stream_time = i64::MIN;
        for (row, &time) in times.iter().enumerate() {
            stream_time = stream_time.max(time);
            let open = (0..panes as i64).rev().map(|back| windows.pane(time) - back * windows.advance_ms)
                .find(|start| start + windows.size_ms + windows.grace_ms > stream_time);
            let found: Vec<_> = split.buckets.iter().filter(|b| b.rows.contains(&row)).map(|b| b.pane.unwrap()).collect();
            let late = split.late.iter().any(|late| late.row == row);
            match open {
                Some(first_open) => prop_assert_eq!((found, late), (vec![Pane { start: windows.pane(time), first_open }], false)),
                None => prop_assert_eq!((found, late), (vec![], true)),
            }
        }
    }
}
