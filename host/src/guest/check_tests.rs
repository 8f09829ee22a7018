//! What the checks refuse.

use super::*;
use crate::guest::{Format, Output, Rejection, Wants};

pub(in crate::guest) fn column_of(lengths: &[i32]) -> Column {
    let total: i32 = lengths.iter().filter(|&&l| l > 0).sum();
    Column { data: vec![b'x'; usize::try_from(total).unwrap()], lengths: lengths.to_vec() }
}

fn emit(inputs: &[u32], lengths: &[i32]) -> Outcome {
    let emitted = Emitted {
        inputs: inputs.to_vec(),
        outputs: None,
        values: column_of(lengths),
        keys: None,
        timestamps: None,
        headers: None,
    };
    Outcome { emitted, rejections: vec![] }
}

fn wiring(value: Option<Format>) -> Wiring {
    let output = Output { name: "out".into(), topic: "out".into(), value, key: None };
    Wiring { input: Format::Json, key: None, wants: Wants::empty(), outputs: vec![output] }
}

fn check(returned: &Outcome, value: Option<Format>) -> Result<(), String> {
    let batch =
        Batch { values: column_of(&[1, 1, 1]), timestamps: vec![0; 3], keys: None, headers: None, positions: None };
    let limits = Limits { output_records_per_input_max: 2, output_bytes_max: 10, ..Limits::default() };
    outcome(returned, &batch, &wiring(value), &limits).map_err(|f| f.to_string())
}

fn refused(returned: &Outcome, text: &str) {
    let error = check(returned, Some(Format::Bytes)).unwrap_err();
    assert!(error.contains(text), "{error}");
}

#[test]
fn a_good_outcome_passes() {
    assert_eq!(check(&emit(&[0, 0, 2], &[3, -1, 0]), Some(Format::Bytes)), Ok(()));
    assert_eq!(check(&emit(&[], &[]), Some(Format::Bytes)), Ok(()));
}

#[test]
fn inputs_are_in_range_and_never_decrease() {
    refused(&emit(&[3], &[1]), "emits for input 3");
    refused(&emit(&[1, 0], &[1, 1]), "decrease");
}

#[test]
fn lengths_match_the_data_and_the_records() {
    refused(&emit(&[0, 1], &[1]), "values has 1 entries");
    refused(&emit(&[0], &[-3]), "length -3");
    let mut short = emit(&[0], &[5]);
    short.emitted.values.data.pop();
    refused(&short, "add up to 5");
}

#[test]
fn outputs_and_rejections_are_known() {
    let mut unknown = emit(&[0], &[1]);
    unknown.emitted.outputs = Some(vec![1]);
    refused(&unknown, "output 1");
    let mut rejection = emit(&[], &[]);
    rejection.rejections.push(Rejection { input: 3, reason: "no".into() });
    refused(&rejection, "rejects input 3");
    rejection.rejections[0].input = 2;
    assert_eq!(check(&rejection, Some(Format::Bytes)), Ok(()));
    rejection.rejections.push(Rejection { input: 2, reason: "again".into() });
    refused(&rejection, "rejects input 2 twice");
}

#[test]
fn what_is_rejected_is_not_emitted() {
    let mut both = emit(&[0, 2], &[1, 1]);
    both.rejections.push(Rejection { input: 1, reason: "no".into() });
    assert_eq!(check(&both, Some(Format::Bytes)), Ok(()));
    both.rejections[0].input = 2;
    refused(&both, "emits for input 2, which it rejects");
}

#[test]
fn too_much_output_is_not_a_broken_contract() {
    refused(&emit(&[0, 0, 0], &[1, 1, 1]), "more than 2 records from one");
    refused(&emit(&[0], &[11]), "too large: 11 bytes");
}

#[test]
fn the_inputs_own_value_needs_an_output_of_its_format() {
    refused(&emit(&[0], &[-2]), "-2 is no value");
    assert_eq!(check(&emit(&[0], &[-2]), Some(Format::Json)), Ok(()));
    assert_eq!(check(&emit(&[0], &[-2]), None), Ok(()));
    assert!(check(&emit(&[0], &[1]), None).is_err());
}

#[test]
fn header_names_are_utf8_and_counted() {
    let mut bad = emit(&[0], &[1]);
    let names = Column { data: vec![0xff], lengths: vec![1] };
    bad.emitted.headers = Some(Headers { counts: vec![1], names, values: column_of(&[-2]) });
    refused(&bad, "not UTF-8");
    bad.emitted.headers = Some(Headers { counts: vec![2], names: column_of(&[1]), values: column_of(&[1]) });
    refused(&bad, "headers.names has 1 entries");
}
