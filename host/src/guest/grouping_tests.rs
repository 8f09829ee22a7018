//! What a grouping may be, each limit just inside and just outside.

use super::*;
use crate::guest::{Output, Wants};

fn grouping(size_ms: u64, advance_ms: u64) -> Grouping {
    let window = Window { size_ms, advance_ms, grace_ms: None, retention_ms: None, idle_ms: None };
    Grouping {
        key: Format::Bytes,
        window: Some(window),
        emit: Emit::Changes,
        time_field: None,
        partitioned: false,
        accumulator_version: 0,
    }
}

fn with(change: impl FnOnce(&mut Window)) -> Grouping {
    let mut changed = grouping(30, 10);
    change(changed.window.as_mut().unwrap());
    changed
}

fn wiring() -> Wiring {
    let output = Output { name: "out".into(), topic: "t".into(), value: Some(Format::Json), key: None };
    Wiring { input: Format::Bytes, key: None, wants: Wants::empty(), outputs: vec![output] }
}

fn allowed(grouping: &Grouping) {
    assert_eq!(check(grouping, &wiring()), Ok(()));
}

fn refused(grouping: &Grouping, text: &str) {
    let error = check(grouping, &wiring()).unwrap_err();
    assert!(error.contains(text), "{error}");
}

#[test]
fn the_advance_divides_the_size() {
    allowed(&grouping(30, 30));
    allowed(&grouping(30, 10));
    refused(&grouping(30, 20), "advance-ms = 20, which does not divide size-ms = 30");
    refused(&grouping(30, 60), "advance-ms = 60");
    refused(&grouping(0, 1), "size-ms = 0, at least 1");
    refused(&grouping(1, 0), "advance-ms = 0, at least 1");
}

#[test]
fn a_window_has_a_bounded_number_of_panes() {
    allowed(&grouping(10_000, 1));
    refused(&grouping(10_001, 1), "10001 panes (size-ms / advance-ms), at most 10000");
}

#[test]
fn what_is_kept_lasts_as_long_as_records_are_taken() {
    allowed(&with(|w| w.retention_ms = Some(30)));
    refused(&with(|w| w.retention_ms = Some(29)), "retention-ms = 29, at least size-ms + grace-ms = 30");
    allowed(&with(|w| (w.grace_ms, w.retention_ms) = (Some(5), Some(35))));
    refused(&with(|w| (w.grace_ms, w.retention_ms) = (Some(5), Some(34))), "grace-ms = 35");
}

#[test]
fn times_fit_the_clock() {
    let max = u64::try_from(i64::MAX).unwrap();
    allowed(&with(|w| w.grace_ms = Some(max - 30)));
    refused(&with(|w| w.grace_ms = Some(max - 29)), "beyond");
    refused(&with(|w| w.grace_ms = Some(u64::MAX)), "beyond");
    allowed(&with(|w| w.retention_ms = Some(max)));
    refused(&with(|w| w.retention_ms = Some(max + 1)), "at most");
    allowed(&with(|w| w.idle_ms = Some(1)));
    refused(&with(|w| w.idle_ms = Some(0)), "idle-ms = 0");
}

#[test]
fn groups_without_a_window_never_become_final() {
    let mut forever = grouping(1, 1);
    forever.window = None;
    allowed(&forever);
    forever.emit = Emit::Final;
    refused(&forever, "only changes is allowed");
    let mut windowed = grouping(1, 1);
    windowed.emit = Emit::Final;
    allowed(&windowed);
}

#[test]
fn keys_and_the_time_field_have_a_usable_format() {
    let mut keyed = grouping(1, 1);
    keyed.key = Format::AvroAsJson("\"int\"".into());
    refused(&keyed, "avro-as-json, allowed are avro, json and bytes");
    let mut timed = grouping(1, 1);
    timed.time_field = Some("at".into());
    refused(&timed, "time-field = \"at\", but its input is bytes");
    assert_eq!(check(&timed, &Wiring { input: Format::Json, ..wiring() }), Ok(()));
    timed.time_field = Some(String::new());
    refused(&timed, "empty time-field");
}

#[test]
fn there_is_one_output_with_a_value_and_the_groups_key() {
    let of = |change: &dyn Fn(&mut Wiring)| {
        let mut changed = wiring();
        change(&mut changed);
        check(&grouping(1, 1), &changed)
    };
    assert_eq!(of(&|w| w.outputs[0].key = Some(Format::Bytes)), Ok(()));
    let second = wiring().outputs.remove(0);
    assert!(of(&|w| w.outputs.push(second.clone())).unwrap_err().contains("declares 2 outputs"));
    assert!(of(&|w| w.outputs[0].value = None).unwrap_err().contains("no value format"));
    assert!(of(&|w| w.outputs[0].key = Some(Format::Json)).unwrap_err().contains("only the grouping's"));
}
