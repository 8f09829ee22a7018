//! What the checks refuse of an aggregator.

use super::*;
use crate::guest::Rejection;
use crate::guest::check::tests::column_of;

fn limits() -> Limits {
    Limits { accumulator_bytes_max: 4, output_bytes_max: 12, output_records_per_input_max: 2, ..Limits::default() }
}

fn folded(keys: &[i32], accumulators: &[i32], groups: &[i32], rejected: &[u32]) -> Result<(), String> {
    let rejections = rejected.iter().map(|&input| Rejection { input, reason: String::new() }).collect();
    let (keys, accumulators) = (column_of(keys), column_of(accumulators));
    let answer = Partials { keys, accumulators, groups: groups.to_vec(), rejections };
    partials(&answer, 3, &limits()).map_err(|f| f.to_string())
}

fn refused(checked: Result<(), String>, text: &str) {
    let error = checked.unwrap_err();
    assert!(error.contains(text), "{error}");
}

#[test]
fn good_partials_pass() {
    assert_eq!(folded(&[1, 0], &[4, 0], &[1, 0, 1], &[]), Ok(()));
    assert_eq!(folded(&[], &[], &[-1, -1, -1], &[2, 0]), Ok(()));
}

#[test]
fn every_record_is_in_a_group_that_is_there_and_every_group_holds_one() {
    refused(folded(&[1], &[1], &[0, 0], &[]), "groups has 2 entries for 3 records");
    refused(folded(&[1], &[1], &[0, 0, 1], &[]), "group 1, but there are 1 keys");
    refused(folded(&[1], &[1], &[0, 0, -2], &[]), "group -2");
    refused(folded(&[1, 1], &[1, 1], &[0, 0, 0], &[]), "no record is in group 1");
}

#[test]
fn keys_and_accumulators_are_never_null_and_as_many() {
    refused(folded(&[-1], &[1], &[0, 0, 0], &[]), "length -1 in keys");
    refused(folded(&[1], &[-1], &[0, 0, 0], &[]), "length -1 in accumulators");
    refused(folded(&[1], &[-2], &[0, 0, 0], &[]), "length -2 in accumulators");
    refused(folded(&[1], &[1, 1], &[0, 0, 0], &[]), "accumulators has 2 entries, 1 are needed");
}

#[test]
fn a_rejected_record_is_in_no_group_and_rejected_once() {
    assert_eq!(folded(&[1], &[1], &[0, -1, 0], &[1]), Ok(()));
    refused(folded(&[1], &[1], &[0, -1, 0], &[0]), "rejects input 0, which it folded into group 0");
    refused(folded(&[1], &[1], &[0, -1, 0], &[1, 1]), "rejects input 1 twice");
    refused(folded(&[1], &[1], &[0, -1, 0], &[3]), "rejects input 3");
}

#[test]
fn an_accumulator_has_a_limit() {
    assert_eq!(folded(&[0], &[4], &[0, 0, 0], &[]), Ok(()));
    refused(folded(&[0], &[5], &[0, 0, 0], &[]), "too large: an accumulator of 5 bytes, at most 4");
    refused(folded(&[9], &[4], &[0, 0, 0], &[]), "too large: 13 bytes");
}

#[test]
fn merging_gives_one_accumulator_a_pair() {
    let check = |lengths: &[i32]| merged(&column_of(lengths), 2, &limits()).map_err(|f| f.to_string());
    assert_eq!(check(&[4, 0]), Ok(()));
    refused(check(&[4]), "merged accumulators has 1 entries, 2 are needed");
    refused(check(&[4, -1]), "length -1");
    refused(check(&[5, 0]), "an accumulator of 5 bytes");
    let lying = Column { data: vec![], lengths: vec![1, 0] };
    assert!(merged(&lying, 2, &limits()).is_err());
}

#[test]
fn finished_records_name_their_groups_in_order() {
    let check = |inputs: &[u32], lengths: &[i32]| {
        let answer = Finished { inputs: inputs.to_vec(), values: column_of(lengths) };
        finished(&answer, 2, &limits()).map_err(|f| f.to_string())
    };
    assert_eq!(check(&[0, 0, 1], &[-1, -2, 3]), Ok(()));
    assert_eq!(check(&[], &[]), Ok(()));
    refused(check(&[2], &[1]), "input 2");
    refused(check(&[1, 0], &[1, 1]), "decrease");
    refused(check(&[0, 0, 0], &[0, 0, 0]), "more than 2 records from one");
    refused(check(&[0], &[-3]), "length -3");
    refused(check(&[0], &[]), "values has 0 entries");
    refused(check(&[0], &[13]), "too large: 13 bytes");
}
