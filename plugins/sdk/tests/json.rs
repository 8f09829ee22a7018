//! JSON as types of serde's, with the feature `json`.

use smt_plugin::testing::{Batch, Entry, sent};
use smt_plugin::{Json, JsonText, Record, bindings::types::Format, plugin::wiring, transform};
use std::collections::BTreeMap;

/// Adds the numbers up.
#[transform(topic = "sums")]
fn sum<'a>(Json(numbers): Json<Vec<i64>>) -> Record<Json<BTreeMap<&'a str, i64>>, String> {
    let total: i64 = numbers.iter().sum();
    Record::new(Json(BTreeMap::from([("total", total)]))).key(total.to_string())
}

#[test]
fn a_document_is_read_and_written_by_serde() {
    let outcome = Batch::new().add(JsonText("[1, 2]")).add(JsonText(r#"["x"]"#)).add(Json([3])).run::<sum>(&());
    let sent = sent(&outcome);
    assert_eq!((sent[0].value, sent[0].key), (Entry::New(br#"{"total":3}"#), Entry::New(b"3")));
    assert_eq!(sent.iter().map(|sent| sent.input).collect::<Vec<_>>(), [0, 2]);
    let reasons = outcome.rejections.iter().map(|r| (r.input, r.reason.as_str())).collect::<Vec<_>>();
    assert_eq!(reasons, [(1, r#"invalid type: string "x", expected i64 at line 1 column 4"#)]);
}

#[test]
fn json_is_what_the_wiring_says() {
    let wiring = wiring::<sum>();
    assert!(matches!((&wiring.input, &wiring.outputs[0].value), (Format::Json, Some(Format::Json))));
    assert!(matches!(wiring.outputs[0].key, Some(Format::Bytes)));
}
