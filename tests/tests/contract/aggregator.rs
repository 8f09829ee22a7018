//! The world `aggregate`, by a plugin that appends texts and fails where a text asks for it.

use std::time::Duration;

use smt_host::guest::{Aggregator, Blame, Configured, Emit, Failure, Limits, LoadError, Plugin, Window, World};
use smt_tests::plugin;

use crate::{ENGINE, batch, column, load, texts};

fn configure(settings: &[(&str, &str)]) -> Result<Configured, LoadError> {
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    load(&plugin("concat")).unwrap().configure(&settings)
}

fn start() -> Aggregator {
    configure(&[]).unwrap().start_aggregate().unwrap()
}

fn limited(limits: Limits) -> Aggregator {
    let plugin = Plugin::load(&ENGINE, &plugin("concat"), limits).unwrap();
    plugin.configure(&[]).unwrap().start_aggregate().unwrap()
}

fn merge(left: &[&str], right: &[&str]) -> Result<Vec<String>, Blame> {
    start().merge(&column(left), &column(right)).unwrap().map(|merged| texts(&merged))
}

#[test]
fn the_grouping_is_asked_with_the_settings() {
    let configured = configure(&[("size-ms", "60"), ("advance-ms", "20")]).unwrap();
    let World::Aggregate(grouping) = configured.world() else { panic!("{:?}", configured.world()) };
    let window = Window { size_ms: 60, advance_ms: 20, grace_ms: Some(5), retention_ms: None, idle_ms: None };
    assert_eq!((grouping.window, grouping.emit, grouping.accumulator_version), (Some(window), Emit::Changes, 3));
    assert_eq!(configured.plugin().contract(), "1.0.0");
}

#[test]
fn a_grouping_that_cannot_be_is_a_start_error_that_names_plugin_and_value() {
    for (settings, wanted) in [
        ([("size-ms", "30"), ("advance-ms", "20")], "advance-ms = 20, which does not divide size-ms = 30"),
        ([("size-ms", "30"), ("outputs", "2")], "declares 2 outputs, an aggregator has exactly 1"),
    ] {
        let error = configure(&settings).err().unwrap().what;
        assert!(error.contains("concat.wasm") && error.contains(wanted), "{error}");
    }
}

#[test]
fn each_world_is_started_as_what_it_is() {
    let transformer = load(&plugin("jovens")).unwrap().configure(&[]).unwrap();
    assert_eq!(transformer.world(), &World::Transform);
    assert!(transformer.start_aggregate().err().unwrap().what.contains("world transform"));
    assert!(configure(&[]).unwrap().start().err().unwrap().what.contains("world aggregate"));
}

#[test]
fn a_batch_is_folded_into_groups() {
    let folded = start().partial(&batch(&["a:1", "b:2", "", "wrong", "a:3"])).unwrap();
    let [piece] = folded.pieces.as_slice() else { panic!("{folded:?}") };
    let partials = &piece.partials;
    assert_eq!(
        (texts(&partials.keys), texts(&partials.accumulators)),
        (vec!["a".into(), "b".into()], vec!["13".into(), "2".into()])
    );
    assert_eq!(partials.groups, [0, 1, -1, -1, 0]);
    assert_eq!((partials.rejections[0].input, partials.rejections[0].reason.as_str()), (3, "no colon in wrong"));
    assert!(folded.guilty.is_empty());
}

#[test]
fn exactly_the_records_that_trap_are_guilty_and_the_rest_is_folded() {
    let records = ["a:1", "a:P", "b:2", "a:3", "b:P"];
    let folded = start().partial(&batch(&records)).unwrap();
    assert_eq!(folded.guilty.iter().map(|g| g.input).collect::<Vec<_>>(), [1, 4]);
    assert!(folded.guilty[0].failure.to_string().contains("cannot take a:P"), "{}", folded.guilty[0].failure);
    let seen: usize = folded.pieces.iter().map(|piece| piece.partials.groups.len()).sum();
    assert_eq!(seen, 3);
}

#[test]
fn merging_appends_the_younger_to_the_older() {
    assert_eq!(merge(&["x", "", "old"], &["y", "z", "new"]), Ok(vec!["xy".into(), "z".into(), "oldnew".into()]));
    assert_eq!(merge(&[], &[]), Ok(vec![]));
}

#[test]
fn the_first_pair_that_cannot_be_merged_is_blamed() {
    let blame = merge(&["a", "b", "M", "M"], &["", "", "", ""]).unwrap_err();
    assert_eq!(blame.index, 2);
    assert!(blame.failure.to_string().contains("cannot take M (wasm"), "{}", blame.failure);
    let blame = merge(&["a", "b", "c", "N"], &["", "", "", ""]).unwrap_err();
    assert_eq!(blame.index, 3);
    assert!(matches!(&blame.failure, Failure::Contract { reason } if reason.contains("length -1")), "{blame:?}");
}

#[test]
fn an_endless_merge_is_blamed_within_its_time() {
    let mut aggregator = limited(Limits { cpu_per_record: Duration::from_millis(10), ..Limits::default() });
    let merged = aggregator.merge(&column(&["a", "E", "c"]), &column(&["", "", ""])).unwrap();
    let blame = merged.unwrap_err();
    assert_eq!((blame.index, matches!(blame.failure, Failure::Time { .. })), (1, true));
    let merged = aggregator.merge(&column(&["a"]), &column(&["b"])).unwrap();
    assert_eq!(texts(&merged.unwrap()), ["ab"], "the next call has a new instance");
}

#[test]
fn pairs_that_fail_only_together_are_merged_in_parts() {
    let left = ["a", "A", "c", "d", "e"];
    assert_eq!(
        merge(&left, &["1", "2", "3", "4", "5"]),
        Ok(vec!["a1".into(), "A2".into(), "c3".into(), "d4".into(), "e5".into()])
    );
}

#[test]
fn an_accumulator_that_outgrows_its_limit_is_blamed() {
    let mut aggregator = limited(Limits { accumulator_bytes_max: 4, ..Limits::default() });
    let mut grow = |right: &str| aggregator.merge(&column(&["a", "ab"]), &column(&["a", right])).unwrap();
    assert!(grow("cd").is_ok());
    let blame = grow("cde").unwrap_err();
    assert_eq!(blame.index, 1);
    assert!(blame.failure.to_string().contains("accumulator of 5 bytes, at most 4"), "{}", blame.failure);
}

#[test]
fn groups_are_finished_with_and_without_windows() {
    let mut aggregator = start();
    let (keys, accumulators) = (column(&["k", "l"]), column(&["1", "2"]));
    let windowed = aggregator.finish(&[0, 10], &[30, 40], &keys, &accumulators).unwrap().unwrap();
    assert_eq!((windowed.inputs, texts(&windowed.values)), (vec![0, 1], vec!["0-30 k=1".into(), "10-40 l=2".into()]));
    let forever = aggregator.finish(&[], &[], &keys, &accumulators).unwrap().unwrap();
    assert_eq!(texts(&forever.values), ["k=1", "l=2"]);
}

#[test]
fn the_first_group_that_cannot_be_finished_is_blamed() {
    for (fault, wanted) in [("F", "cannot take F"), ("O", "for input 1")] {
        let mut aggregator = start();
        let accumulators = column(&["1", "2", fault, fault]);
        let finished = aggregator.finish(&[0; 4], &[30; 4], &column(&["a", "b", "c", "d"]), &accumulators).unwrap();
        let blame = finished.unwrap_err();
        assert_eq!(blame.index, 2);
        assert!(blame.failure.to_string().contains(wanted), "{}", blame.failure);
    }
}

#[test]
fn once_asked_to_stop_nothing_new_is_folded_but_what_was_is_merged_and_finished() {
    let stop = smt_host::shutdown::Shutdown::new();
    let mut aggregator = start().giving_up(&stop, usize::MAX);
    stop.request();
    assert!(aggregator.partial(&batch(&["a"])).unwrap_err().what.contains("stopping"));
    assert_eq!(texts(&aggregator.merge(&column(&["a"]), &column(&["b"])).unwrap().unwrap()), ["ab"]);
    assert!(aggregator.finish(&[0], &[30], &column(&["k"]), &column(&["a"])).unwrap().is_ok());
}
