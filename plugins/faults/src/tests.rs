//! The faults that can be seen natively.

use crate::fault::{Fault, transform};
use smt_plugin::bindings::types::{Batch, Column};

fn batch() -> Batch {
    let values = Column { data: b"goodFAULTgood".to_vec(), lengths: vec![4, 5, 4] };
    Batch { values, timestamps: vec![0; 3], keys: None, headers: None, positions: None }
}

#[test]
fn without_a_fault_all_records_pass_unchanged() {
    let outcome = transform(Fault::None, &batch());
    assert_eq!((outcome.emitted.inputs, outcome.emitted.values.lengths), (vec![0, 1, 2], vec![-2; 3]));
}

#[test]
fn only_the_marked_record_is_rejected_with_a_megabyte() {
    let outcome = transform(Fault::Reject, &batch());
    assert_eq!(outcome.emitted.inputs, [0, 2]);
    assert_eq!((outcome.rejections[0].input, outcome.rejections[0].reason.len()), (1, 1 << 20));
}

#[test]
fn a_bad_output_number_is_given_to_the_marked_record_alone() {
    assert_eq!(transform(Fault::BadOutputNumber, &batch()).emitted.outputs, Some(vec![0, 200, 0]));
}

#[test]
fn every_fault_has_a_name_that_names_it() {
    assert!(Fault::names().iter().all(|name| Fault::parse(name).is_some()));
    assert_eq!(Fault::parse("other"), None);
}
