//! Windows at their limits: what a source sends, and when an owner closes, emits, forgets and refuses.

use smt_host::guest::{Batch, Column};
use smt_host::window::wire::{self, Entry, Pane, Partial};
use smt_host::window::{
    Checkpoint, Declared, Emit, Error, Limits, Output, Owner, Prepared, Source, SourceLimits, SourcePartition, Store,
    Windows,
};
use smt_tests::simulation::Ids;

const LIMITS: Limits = Limits { keys_max: 2, accumulator_bytes_max: 8, overlay_bytes_max: 1 << 20 };
const AT: Checkpoint = Checkpoint { input_offset: 0, changelog_offset: 0 };

/// 30 ms, grace 5 ms, retention 40 ms, idle after 50 ms.
fn windows() -> Windows {
    let declared =
        Declared { size_ms: 30, advance_ms: 30, grace_ms: Some(5), retention_ms: Some(40), idle_ms: Some(50) };
    Windows::new(declared).expect("windows")
}

fn input(partition: i32) -> SourcePartition {
    SourcePartition::new("input", partition)
}

fn source() -> Source {
    let limits = SourceLimits { held_groups_max: 2, held_bytes_max: 1 << 20, accumulator_bytes_max: 8 };
    let mut source = Source::new("counter", Some(windows()), limits);
    source.assign(input(0), None, 0);
    source
}

/// Records of key "k" at these times.
fn batch(times: &[i64]) -> Batch {
    let values: Vec<Vec<u8>> =
        times.iter().map(|time| [&[0], (*time as u32).to_be_bytes().as_slice(), b"k"].concat()).collect();
    Batch {
        values: Column { data: values.concat(), lengths: vec![6; times.len()] },
        timestamps: times.to_vec(),
        keys: None,
        headers: None,
        positions: None,
    }
}

fn owner(emit: Emit) -> Owner {
    Owner::open("counter", Some(windows()), emit, LIMITS, [input(0), input(1)], Store::memory()).expect("an owner")
}

fn partial(start: i64, accumulator: &[u8], greatest: i64) -> Vec<u8> {
    let mut value = Vec::new();
    let entry = Entry { count: 1, greatest, accumulator };
    wire::encode_partial(&Partial { pane: Some(Pane { start, first_open: start }), entry }, &mut value);
    value
}

fn marker(partition: i32, time: i64) -> Vec<u8> {
    wire::encode_marker(&[(input(partition), time)])
}

fn add(owner: &mut Owner, key: &str, start: i64, accumulator: &[u8]) -> Result<u64, Error> {
    let value = partial(start, accumulator, start);
    Ok(owner.apply(&mut Ids, [(Some(key.as_bytes()), value.as_slice())], 0)?.late.count)
}

fn hear(owner: &mut Owner, partition: i32, time: i64) {
    owner.apply(&mut Ids, [(None, marker(partition, time).as_slice())], 0).expect("a marker applies");
}

fn commit(owner: &mut Owner) -> (Vec<Output>, usize) {
    let Prepared { outputs, changelog, .. } = prepare(owner);
    let prepared = prepare(owner);
    assert_eq!((&prepared.outputs, &prepared.changelog), (&outputs, &changelog), "preparing twice changes nothing");
    owner.committed(prepared, AT).expect("the store takes it");
    (outputs, changelog.iter().filter(|(key, value)| value.is_none() && key[0] == 1).count())
}

fn prepare(owner: &mut Owner) -> Prepared {
    owner.prepare_commit(&mut Ids).expect("windows finish")
}

#[test]
fn a_window_is_final_when_every_source_has_reached_its_end_and_grace() {
    let mut owner = owner(Emit::Final);
    add(&mut owner, "k", 0, b"0001").expect("it fits");
    for (partition, time, finals) in [(0, 35, 0), (1, 34, 0), (1, 35, 1), (1, 90, 0)] {
        hear(&mut owner, partition, time);
        assert_eq!(commit(&mut owner).0.len(), finals, "{partition} at {time}");
    }
}

#[test]
fn what_comes_for_a_closed_window_is_counted_and_changes_nothing() {
    let mut owner = owner(Emit::Changes);
    (0..2).for_each(|partition| hear(&mut owner, partition, 35));
    assert_eq!(add(&mut owner, "k", 0, b"0001").expect("it is passed over"), 1);
    assert_eq!(commit(&mut owner).0, []);
    assert_eq!(add(&mut owner, "k", 30, b"0002").expect("it fits"), 0);
    assert_eq!(commit(&mut owner).0.len(), 1);
}

#[test]
fn what_was_final_stays_final_when_the_source_topic_grows() {
    let mut before = owner(Emit::Final);
    add(&mut before, "k", 0, b"0001").expect("it fits");
    (0..2).for_each(|partition| hear(&mut before, partition, 35));
    assert_eq!(commit(&mut before).0.len(), 1);
    let sources = (0..3).map(input);
    let mut owner = Owner::open("counter", Some(windows()), Emit::Final, LIMITS, sources, before.into_store())
        .expect("an owner with a third source");
    hear(&mut owner, 2, 20);
    assert_eq!(add(&mut owner, "k", 0, b"0002").expect("it is passed over"), 1);
    assert_eq!(commit(&mut owner).0, []);
    hear(&mut owner, 2, 35);
    assert_eq!(commit(&mut owner).0, []);
}

#[test]
fn changes_come_once_a_commit_with_the_last_value_and_the_greatest_timestamp() {
    let mut owner = owner(Emit::Changes);
    for (accumulator, greatest) in [(b"0001", 7), (b"0002", 3)] {
        let value = partial(0, accumulator, greatest);
        owner.apply(&mut Ids, [(Some(&b"k"[..]), value.as_slice())], 0).expect("it applies");
    }
    let (outputs, _) = commit(&mut owner);
    let value = Some(b"00010002".to_vec());
    assert_eq!(outputs, [Output { key: b"k".to_vec(), window_start: Some(0), value, timestamp: 7 }]);
    assert_eq!(outputs[0].windowed_key(), b"k\0\0\0\0\0\0\0\0");
    assert_eq!(commit(&mut owner).0, []);
}

#[test]
fn state_is_removed_when_retention_is_over() {
    let mut owner = owner(Emit::Changes);
    add(&mut owner, "k", 0, b"0001").expect("it fits");
    hear(&mut owner, 0, 40);
    hear(&mut owner, 1, 39);
    assert_eq!(commit(&mut owner).1, 0);
    hear(&mut owner, 1, 40);
    assert_eq!(commit(&mut owner).1, 1);
    // There is room again for two.
    add(&mut owner, "k", 30, b"0001").expect("it fits");
    add(&mut owner, "l", 30, b"0001").expect("it fits");
}

#[test]
fn an_aborted_transaction_leaves_nothing() {
    let mut owner = owner(Emit::Final);
    add(&mut owner, "k", 0, b"0001").expect("it fits");
    (0..2).for_each(|partition| hear(&mut owner, partition, 35));
    assert_eq!(prepare(&mut owner).outputs.len(), 1);
    owner.abort();
    assert!(!owner.pending());
    add(&mut owner, "k", 0, b"0002").expect("its window is open again");
    (0..2).for_each(|partition| hear(&mut owner, partition, 35));
    assert_eq!(commit(&mut owner).0[0].value.as_deref(), Some(&b"0002"[..]));
}

#[test]
fn one_key_too_many_and_one_byte_too_many_are_named() {
    let mut owner = owner(Emit::Changes);
    add(&mut owner, "a", 0, b"12345678").expect("8 bytes are allowed");
    commit(&mut owner);
    add(&mut owner, "b", 0, b"1234").expect("2 keys are allowed");
    add(&mut owner, "b", 0, b"5678").expect("8 bytes are allowed");
    let said = add(&mut owner, "ç", 0, b"1").expect_err("3 keys are not").to_string();
    assert_eq!(
        said,
        "plugin counter: key \"ç\" in the window that starts at 1970-01-01T00:00:00Z (0) would be group 3 of its \
         partition, above the limit of 2"
    );
    owner.abort();
    let said = add(&mut owner, "a", 0, b"9").expect_err("9 bytes are not").to_string();
    assert_eq!(
        said,
        "plugin counter: the accumulator of key \"a\" in the window that starts at 1970-01-01T00:00:00Z (0) takes 9 \
         bytes, above the limit of 8"
    );
}

#[test]
fn a_record_of_other_windows_is_refused() {
    for (start, first_open) in [(10, 0), (0, 10), (0, -30), (30, 60)] {
        let mut value = Vec::new();
        let entry = Entry { count: 1, greatest: 0, accumulator: b"" };
        wire::encode_partial(&Partial { pane: Some(Pane { start, first_open }), entry }, &mut value);
        let applied = owner(Emit::Changes).apply(&mut Ids, [(Some(&b"k"[..]), value.as_slice())], 0);
        assert!(matches!(applied, Err(Error::Corrupt { .. })), "{start} {first_open}");
    }
}

#[test]
fn it_is_known_who_holds_a_window_open() {
    let mut owner = owner(Emit::Changes);
    add(&mut owner, "k", 0, b"0001").expect("it fits");
    owner.apply(&mut Ids, [(None, marker(1, 15).as_slice())], 1234).expect("a marker applies");
    commit(&mut owner);
    let open = owner.why_open();
    let [window] = open.as_slice() else { panic!("{open:?}") };
    assert_eq!((window.start, window.end, window.closes_at), (Some(0), Some(30), Some(35)));
    assert_eq!((window.keys, window.count), (1, 1));
    let held: Vec<_> = window.held_back.iter().map(|h| (h.source.partition, h.missing_ms, h.since_ms)).collect();
    assert_eq!(held, [(0, None, None), (1, Some(20), Some(1234))]);
    (0..2).for_each(|partition| hear(&mut owner, partition, 35));
    commit(&mut owner);
    assert_eq!(owner.why_open(), []);
}

#[test]
fn stream_time_is_sent_only_when_it_closes_a_window() {
    let mut source = source();
    for (time, sent) in [(34, true), (34, false), (35, true), (64, false), (65, true), (95, true)] {
        source.fold(&mut Ids, &input(0), &batch(&[time]), 0).expect("it folds");
        let taken = source.take();
        assert_eq!(taken.marker, sent.then(|| marker(0, time)), "{time}");
        source.committed();
    }
}

#[test]
fn a_source_that_aborts_folds_the_same_again() {
    let mut source = source();
    source.fold(&mut Ids, &input(0), &batch(&[1]), 0).expect("it folds");
    source.take();
    source.committed();
    let mut once = || {
        let folding = source.fold(&mut Ids, &input(0), &batch(&[36, 5, 37]), 0).expect("it folds");
        assert_eq!(folding.late.iter().map(|late| (late.row, late.lateness_ms)).collect::<Vec<_>>(), [(1, 1)]);
        let taken = source.take();
        source.abort();
        taken
    };
    let first = once();
    assert_eq!((first.partials.len(), first.progress[0].1.late.count), (1, 1));
    assert_eq!(first, once());
}

#[test]
fn an_idle_partition_goes_on_with_the_wall_clock() {
    let mut source = source();
    source.fold(&mut Ids, &input(0), &batch(&[10]), 1000).expect("it folds");
    for (at_end, now, expected) in
        [(true, 1049, 10), (false, 1050, 10), (true, 1050, 60), (true, 1070, 80), (true, 9, 80)]
    {
        source.idle(&input(0), at_end, now);
        let stream_time = source.progress().next().expect("a partition").1.stream_time;
        assert_eq!(stream_time, Some(expected), "at {now}");
    }
    // The clock went on while nobody was there.
    let (_, progress) = source.progress().next().expect("a partition");
    source.assign(input(0), Some(progress), 2000);
    source.idle(&input(0), true, 2050);
    assert_eq!(source.progress().next().expect("a partition").1.stream_time, Some(10 + 1050));
}

#[test]
fn a_partition_that_never_had_a_record_has_the_wall_clocks_time_once_idle() {
    let mut source = source();
    source.idle(&input(0), true, 49);
    assert!(!source.pending());
    source.idle(&input(0), true, 50);
    assert_eq!(source.take().marker, Some(marker(0, 50)));
}

#[test]
fn a_source_asks_for_a_commit_before_it_holds_too_much() {
    let mut source = source();
    source.fold(&mut Ids, &input(0), &batch(&[1]), 0).expect("it folds");
    assert!(source.pending() && !source.full());
    source.fold(&mut Ids, &input(0), &batch(&[31]), 0).expect("it folds");
    assert!(source.full());
    let said = source.fold(&mut Ids, &input(0), &batch(&[32, 33]), 0).expect_err("12 bytes are too many").to_string();
    assert!(
        said.contains("the accumulator of key \"k\" in the window that starts at") && said.contains("takes 12"),
        "{said}"
    );
}
