//! The faults that can be seen natively.
#![allow(clippy::unwrap_used)]

use crate::fault::Fault;
use crate::plugin::{finish, grouping, merge, partial};
use crate::shape::{column, strings};
use smt_plugin::bindings::types::Batch;

fn batch(records: &[&str]) -> Batch {
    let values = column(records.iter().map(|record| record.as_bytes().to_vec()));
    Batch { values, timestamps: vec![0; records.len()], keys: None, headers: None, positions: None }
}

fn marked() -> Batch {
    batch(&["a", "b FAULT", "a x"])
}

#[test]
fn without_a_fault_values_are_counted_by_their_first_word() {
    let folded = partial(Fault::None, &marked());
    assert_eq!(folded.groups, [0, 1, 0]);
    let twice = merge(Fault::None, &folded.accumulators, &folded.accumulators);
    let rows = finish(Fault::None, &twice);
    assert_eq!(rows.inputs, [0, 1]);
    assert_eq!(strings(&rows.values).collect::<Vec<_>>(), [b"4", b"2"]);
}

#[test]
fn each_lie_is_told_of_batches_with_a_marked_record_alone() {
    let lies = [Fault::LieGroup, Fault::LieCount, Fault::LieKeys, Fault::LieLengths, Fault::NullKey, Fault::Reject];
    for lie in lies {
        let seen = |batch: &Batch| format!("{:?}", partial(lie, batch));
        let honest = |batch: &Batch| format!("{:?}", partial(Fault::None, batch));
        assert_ne!(seen(&marked()), honest(&marked()), "{lie:?}");
        assert_eq!(seen(&batch(&["a", "b"])), honest(&batch(&["a", "b"])), "{lie:?}");
    }
}

#[test]
fn merged_accumulators_go_on_growing() {
    let one = partial(Fault::Grow, &batch(&["a FAULT"])).accumulators;
    let three = merge(Fault::Grow, &merge(Fault::Grow, &one, &one), &one);
    assert!(three.data.len() > 3 << 20, "{}", three.data.len());
}

#[test]
fn merge_and_finish_lie_about_how_many_there_are() {
    let pairs = partial(Fault::None, &marked()).accumulators;
    assert_eq!(merge(Fault::MergeFewer, &pairs, &pairs).lengths.len(), 1);
    assert_eq!(merge(Fault::MergeMore, &pairs, &pairs).lengths.len(), 3);
    assert!(!finish(Fault::FinishDecreasing, &pairs).inputs.is_sorted());
    assert!(finish(Fault::FinishIndex, &pairs).inputs.iter().all(|&input| input > 1));
}

#[test]
fn an_empty_accumulator_has_counted_nothing() {
    let empty = partial(Fault::Empty, &marked()).accumulators;
    assert_eq!(empty.lengths, [0, 0]);
    assert_eq!(finish(Fault::Empty, &merge(Fault::Empty, &empty, &empty)).values.data, b"00");
}

#[test]
fn windows_are_lied_about() {
    let window = |fault| grouping(fault).window.map(|window| (window.size_ms, window.advance_ms));
    assert_eq!(window(Fault::UnevenWindow), Some((10_000, 3_000)));
    assert_eq!(window(Fault::EmptyWindow), Some((0, 0)));
    assert_eq!(window(Fault::FinalForever), None);
}

#[test]
fn every_fault_has_a_name_that_names_it() {
    assert!(Fault::names().iter().all(|name| Fault::parse(name).is_some()));
    assert_eq!(Fault::parse("other"), None);
}
