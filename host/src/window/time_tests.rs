#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn windows(size: u64, advance: u64, grace: u64) -> Windows {
    let declared =
        Declared { size_ms: size, advance_ms: advance, grace_ms: Some(grace), retention_ms: None, idle_ms: None };
    Windows::new(declared).unwrap()
}

#[test]
fn what_is_not_declared_is_as_in_ksqldb() {
    let declared = Declared { size_ms: 30_000, advance_ms: 30_000, grace_ms: None, retention_ms: None, idle_ms: None };
    let windows = Windows::new(declared).unwrap();
    assert_eq!((windows.grace_ms, windows.retention_ms), (86_370_000, 86_400_000));
    assert_eq!(windows.idle_ms, Some(30_000));
    let days = Windows::new(Declared { size_ms: 2 * DAY_MS, advance_ms: DAY_MS, ..declared }).unwrap();
    assert_eq!((days.grace_ms, days.retention_ms), (0, 2 * DAY_MS as i64));
    let short = Windows::new(Declared { size_ms: 10, advance_ms: 10, grace_ms: Some(5), ..declared }).unwrap();
    assert_eq!(short.idle_ms, Some(15));
}

#[test]
fn a_window_that_cannot_be_is_refused() {
    let good = Declared { size_ms: 30, advance_ms: 10, grace_ms: Some(5), retention_ms: Some(35), idle_ms: None };
    assert!(Windows::new(good).is_ok());
    for (bad, says) in [
        (Declared { advance_ms: 0, ..good }, "divide the size"),
        (Declared { size_ms: 0, ..good }, "divide the size"),
        (Declared { advance_ms: 20, ..good }, "divide the size"),
        (Declared { advance_ms: 60, ..good }, "divide the size"),
        (Declared { retention_ms: Some(34), ..good }, "shorter than size and grace"),
        (Declared { grace_ms: Some(u64::MAX), ..good }, "grace of"),
        (Declared { idle_ms: Some(LENGTH_MAX + 1), ..good }, "idle timeout of"),
    ] {
        let said = Windows::new(bad).unwrap_err();
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn windows_are_aligned_to_the_epoch_on_both_sides_of_it() {
    let windows = windows(30_000, 30_000, 0);
    for (time, start) in [(0, 0), (29_999, 0), (30_000, 30_000), (-1, -30_000), (-30_000, -30_000), (-30_001, -60_000)]
    {
        assert_eq!(windows.pane(time), start, "{time}");
    }
}

#[test]
fn a_window_closes_when_stream_time_reaches_its_end_and_grace() {
    let windows = windows(30, 30, 5);
    for (stream_time, closed) in [(34, false), (35, true), (36, true)] {
        assert_eq!(windows.is_closed(0, stream_time), closed, "{stream_time}");
        assert_eq!(windows.first_open(0, stream_time).is_none(), closed, "{stream_time}");
    }
}

#[test]
fn a_pane_is_open_in_its_later_windows_longer() {
    let windows = windows(30, 10, 5);
    for (stream_time, first) in [(34, Some(0)), (35, Some(10)), (45, Some(20)), (54, Some(20)), (55, None)] {
        assert_eq!(windows.first_open(20, stream_time), first, "{stream_time}");
    }
}

proptest! {
    #[test]
    fn closed_and_expired_bounds_agree_with_the_rules(
        panes in 1u64..5, advance in 1u64..50, grace in 0u64..100, more in 0i64..100, time in -2000i64..2000, at in -60i64..60,
    ) {
        let windows = windows(panes * advance, advance, grace);
        let windows = Windows { retention_ms: windows.retention_ms + more, ..windows };
        let start = at * windows.advance_ms;
        prop_assert_eq!(windows.is_closed(start, time), start <= windows.closed_through(time));
        prop_assert_eq!(windows.expires_at(start) <= time, start <= windows.expired_through(time));
        let before = windows.tick(time - 1) == windows.tick(time);
        prop_assert_eq!(before, windows.closed_through(time - 1) == windows.closed_through(time));
    }

    #[test]
    fn no_time_overflows(time: i64, stream_time: i64) {
        let windows = windows(LENGTH_MAX, LENGTH_MAX / 4, LENGTH_MAX);
        let pane = windows.pane(clamp(time));
        windows.first_open(pane, clamp(stream_time));
        windows.expired_through(clamp(stream_time));
        prop_assert!(windows.closes_at(pane) > pane);
    }
}
