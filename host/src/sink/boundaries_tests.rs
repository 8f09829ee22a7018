#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::connect::Kind;

fn rules(flush_size: u64) -> Rules {
    Rules {
        flush_size,
        interval_ms: None,
        on_place_change: true,
        schedule: None,
        open_files_max: None,
        compatibility: Compatibility::None,
    }
}

fn version(number: i32) -> Arc<Schema> {
    Arc::new(Schema { version: Some(number), ..Schema::new(Kind::Int64) })
}

/// One record of a test: place, schema version, time.
#[derive(Debug, Clone, Copy)]
struct Record {
    place: &'static str,
    version: i32,
    time_ms: i64,
}

const RECORD: Record = Record { place: "p", version: 1, time_ms: 0 };

/// Runs records from offset 0 on, one a millisecond of the clock; gives what closed, and then what is open, as
/// `place:first-last`.
fn run(rules: &Rules, records: &[Record]) -> (Vec<Vec<String>>, Vec<String>) {
    let mut boundaries = Boundaries::new(rules, 0);
    let mut closed = Vec::new();
    let text = |file: &File| format!("{}:{}-{}", file.place, file.first, file.last);
    let texts = |files: &[File]| files.iter().map(text).collect::<Vec<_>>();
    for (offset, record) in records.iter().enumerate() {
        let schema = version(record.version);
        let (offset, now_ms) = (offset as i64, offset as i64);
        let arrival = Arrival { place: record.place, schema: Some(&schema), time_ms: Some(record.time_ms), now_ms };
        let full = loop {
            match boundaries.admit(&arrival) {
                Verdict::CloseFirst => closed.push(texts(&boundaries.close())),
                Verdict::Begin => break boundaries.begun(&arrival, offset).1,
                Verdict::Write(number) => break boundaries.written(number, offset),
            }
        };
        if full {
            closed.push(texts(&boundaries.close()));
        }
    }
    (closed, texts(boundaries.files()))
}

fn check(rules: &Rules, records: &[Record], closed: &[&[&str]], open: &[&str]) {
    let (found, left) = run(rules, records);
    assert_eq!(
        (found, left.iter().map(String::as_str).collect::<Vec<_>>()),
        (closed.iter().map(|files| files.iter().map(|file| (*file).to_owned()).collect()).collect(), open.to_vec())
    );
}

#[test]
fn b2_1_flush_size_counts_over_all_places_and_closes_them_all() {
    let at = |place| Record { place, ..RECORD };
    check(&rules(2), &[RECORD; 5], &[&["p:0-1"], &["p:2-3"]], &["p:4-4"]);
    check(&rules(1), &[RECORD; 2], &[&["p:0-0"], &["p:1-1"]], &[]);
    check(&rules(3), &[at("a"), at("b"), at("a"), at("b")], &[&["a:0-2", "b:1-1"]], &["b:3-3"]);
}

#[test]
fn b2_2_an_interval_of_record_time_or_another_place_closes_before_the_record_is_written() {
    let timed = Rules { interval_ms: Some(100), ..rules(10) };
    let at = |time_ms, place| Record { time_ms, place, ..RECORD };
    check(&timed, &[at(0, "p"), at(99, "p"), at(100, "p")], &[&["p:0-1"]], &["p:2-2"]);
    // The interval counts from the first record, however late others are.
    check(&timed, &[at(50, "p"), at(0, "p"), at(149, "p"), at(150, "p")], &[&["p:0-2"]], &["p:3-3"]);
    check(&timed, &[at(0, "a"), at(1, "b"), at(2, "a")], &[&["a:0-0"], &["b:1-1"]], &["a:2-2"]);
    let kept = Rules { on_place_change: false, ..timed };
    check(&kept, &[at(0, "a"), at(1, "b"), at(2, "a")], &[], &["a:0-2", "b:1-1"]);
    // Without an interval places live side by side.
    check(&rules(10), &[at(0, "a"), at(1, "b"), at(2, "a")], &[], &["a:0-2", "b:1-1"]);
}

#[test]
fn b2_3_a_schedule_closes_by_the_clock_with_and_without_records() {
    let clock = Rules { schedule: Some((1000, TimeZone::UTC)), ..rules(10) };
    let mut boundaries = Boundaries::new(&clock, 500);
    let schema = version(1);
    let arrival = |now_ms| Arrival { place: "p", schema: Some(&schema), time_ms: None, now_ms };
    assert!(!boundaries.tick(5000), "nothing is open");
    assert_eq!(boundaries.admit(&arrival(999)), Verdict::Begin);
    boundaries.begun(&arrival(999), 0);
    assert!(!boundaries.tick(999));
    assert!(boundaries.tick(1000));
    assert_eq!(boundaries.close().len(), 1);
    boundaries.begun(&arrival(1001), 1);
    assert_eq!(boundaries.admit(&arrival(1999)), Verdict::Write(0));
    assert_eq!(boundaries.admit(&arrival(2000)), Verdict::CloseFirst);
}

#[test]
fn b2_3_the_schedule_counts_from_the_zones_midnight() {
    const HOUR: i64 = 3_600_000;
    let zone = |name: &str| TimeZone::get(name).unwrap();
    assert_eq!(next(HOUR / 2, HOUR, &TimeZone::UTC), HOUR);
    assert_eq!(next(HOUR, HOUR, &TimeZone::UTC), 2 * HOUR);
    // 1970-01-01 00:00 UTC is 05:30 in Kolkata: the next whole hour there is half an hour away.
    assert_eq!(next(0, HOUR, &zone("Asia/Kolkata")), HOUR / 2);
    // Never beyond the day: five-hour steps end at midnight.
    assert_eq!(next(23 * HOUR, 5 * HOUR, &TimeZone::UTC), 24 * HOUR);
}

#[test]
fn b2_4_nothing_but_the_rules_closes_a_tail() {
    let mut boundaries = Boundaries::new(&rules(10), 0);
    let arrival = Arrival { place: "p", schema: None, time_ms: None, now_ms: 0 };
    boundaries.begun(&arrival, 0);
    assert!(!boundaries.tick(i64::MAX));
}

#[test]
fn b2_5_a_schema_change_closes_everything_before_the_record_is_written() {
    let of = |version, place| Record { version, place, ..RECORD };
    check(&rules(10), &[of(1, "a"), of(1, "b"), of(2, "a")], &[&["a:0-0", "b:1-1"]], &["a:2-2"]);
    // Another place has no file yet, so nothing to compare with.
    check(&rules(10), &[of(1, "a"), of(2, "b")], &[], &["a:0-0", "b:1-1"]);
    let forward = Rules { compatibility: Compatibility::Forward, ..rules(10) };
    check(&forward, &[of(2, "a"), of(3, "a"), of(1, "a")], &[&["a:0-1"]], &["a:2-2"]);
}

#[test]
fn b2_5_one_file_more_than_allowed_closes_all_others_first() {
    let most = Rules { open_files_max: Some(2), ..rules(10) };
    let at = |place| Record { place, ..RECORD };
    check(&most, &[at("a"), at("b"), at("a"), at("c")], &[&["a:0-2", "b:1-1"]], &["c:3-3"]);
}

#[test]
fn a_faulty_record_leaves_no_trace() {
    let mut boundaries = Boundaries::new(&rules(1), 0);
    let schema = version(1);
    let arrival = Arrival { place: "p", schema: Some(&schema), time_ms: None, now_ms: 0 };
    assert_eq!(boundaries.admit(&arrival), Verdict::Begin);
    // It was not written, so nothing was told.
    assert!(boundaries.files().is_empty());
    assert_eq!(boundaries.admit(&arrival), Verdict::Begin);
}

proptest! {
    /// B5: from any committed offset on, the same records make the same files.
    #[test]
    fn b5_a_replay_from_a_boundary_makes_the_same_files(
        picks in prop::collection::vec((0usize..3, 1i32..4, 0i64..300), 1..60),
        flush_size in 1u64..8,
        timed in any::<bool>(),
        mode in 0usize..3,
    ) {
        let places = ["a", "b", "c"];
        let records: Vec<Record> = picks
            .iter()
            .map(|(place, version, time_ms)| Record { place: places[*place], version: *version, time_ms: *time_ms })
            .collect();
        let compatibility = [Compatibility::None, Compatibility::Backward, Compatibility::Forward][mode];
        let rules = Rules { interval_ms: timed.then_some(100), compatibility, ..rules(flush_size) };
        let (closed, _) = run(&rules, &records);
        let end = |files: &[String]| -> usize {
            files.iter().map(|file| file.rsplit('-').next().unwrap().parse::<usize>().unwrap()).max().unwrap() + 1
        };
        for (number, flush) in closed.iter().enumerate() {
            let from = end(flush);
            let (again, _) = run(&rules, &records[from..]);
            let shift = |file: &String| {
                let (place, span) = file.split_once(':').unwrap();
                let (first, last) = span.split_once('-').unwrap();
                let moved = |offset: &str| offset.parse::<usize>().unwrap() + from;
                format!("{place}:{}-{}", moved(first), moved(last))
            };
            let again: Vec<Vec<String>> = again.iter().map(|files| files.iter().map(shift).collect()).collect();
            prop_assert_eq!(&closed[number + 1..], &again[..]);
        }
    }
}
