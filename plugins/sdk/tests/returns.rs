//! What a transform may return, and what becomes of it.
#![allow(clippy::unwrap_used)]

use smt_plugin::bindings::types::Format;
use smt_plugin::plugin::{Transform, wiring};
use smt_plugin::testing::{Batch, Entry, sent};
use smt_plugin::{AvroRecord, JsonText, Keep, Outputs, Record, Reject, transform};

#[derive(AvroRecord, Debug, PartialEq, Clone, Copy)]
struct Word<'a> {
    text: &'a str,
}

fn words<'a>(sentence: Word<'a>) -> impl Iterator<Item = Word<'a>> {
    sentence.text.split(' ').map(|text| Word { text })
}

/// One record a word.
#[transform(topic = "t")]
fn split<'a>(sentence: Word<'a>) -> impl Iterator<Item = Word<'a>> {
    words(sentence)
}

#[transform(topic = "t")]
fn split_or_not(sentence: Word<'_>) -> Option<impl Iterator<Item = Word<'_>>> {
    (sentence.text != "none").then(|| words(sentence))
}

#[transform(topic = "t")]
fn split_or_reject(sentence: Word<'_>) -> Result<impl Iterator<Item = Result<Word<'_>, Reject>>, Reject> {
    if sentence.text == "none" {
        return Err(Reject::new("whole"));
    }
    Ok(words(sentence).map(|word| if word.text == "bad" { Err(Reject::new("part")) } else { Ok(word) }))
}

#[transform(topic = "t")]
fn long(word: Word<'_>) -> bool {
    word.text.len() > 3
}

#[transform(topic = "t")]
fn careful(word: Word<'_>) -> Result<bool, Reject> {
    if word.text.is_empty() { Err(Reject::new("empty")) } else { Ok(true) }
}

#[transform(topic = "t")]
fn shout(text: &str) -> String {
    text.to_uppercase()
}

#[transform(topic = "t")]
fn reverse(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

#[transform(topic = "t")]
fn wrapped(document: JsonText<'_>) -> Option<JsonText<'_>> {
    document.0.starts_with('{').then_some(document)
}

#[derive(Outputs)]
enum Sorted<'a> {
    Kept(Keep),
    #[output(topic = "keyed")]
    Keyed(Record<Word<'a>, &'a str>),
}

#[transform(topic = "t")]
fn sorter(word: Word<'_>) -> Sorted<'_> {
    if word.text.len() > 3 { Sorted::Kept(Keep) } else { Sorted::Keyed(Record::new(word).key(word.text)) }
}

/// For each record emitted, its input and its text; then each rejection's.
fn check<T: Transform<Settings = ()>>(inputs: &[&str], emitted: &[(u32, &str)], rejected: &[(u32, &str)]) {
    let batch = inputs.iter().fold(Batch::new(), |batch, &text| batch.add(Word { text }));
    let outcome = batch.run::<T>(&());
    let found = sent(&outcome);
    let found = found.iter().map(|sent| (sent.input, sent.value.decoded::<Word<'_>>().text)).collect::<Vec<_>>();
    assert_eq!(found, emitted);
    let reasons = outcome.rejections.iter().map(|r| (r.input, r.reason.as_str())).collect::<Vec<_>>();
    assert_eq!(reasons, rejected);
}

#[test]
fn an_iterator_emits_its_items_in_order() {
    check::<split>(&["a b", "", "c"], &[(0, "a"), (0, "b"), (1, ""), (2, "c")], &[]);
}

#[test]
fn an_iterator_may_be_absent_or_rejected() {
    check::<split_or_not>(&["a b", "none"], &[(0, "a"), (0, "b")], &[]);
    check::<split_or_reject>(&["a b", "none"], &[(0, "a"), (0, "b")], &[(1, "whole")]);
}

#[test]
fn an_item_rejected_takes_its_whole_input_back() {
    check::<split_or_reject>(&["x", "a bad c", "y"], &[(0, "x"), (2, "y")], &[(1, "part")]);
}

#[test]
fn true_passes_the_input_on_without_a_byte_copied() {
    let outcome = ["long", "no", "longer"].iter().fold(Batch::new(), |batch, &text| batch.add(Word { text }));
    let outcome = outcome.run::<long>(&());
    assert_eq!((outcome.emitted.inputs, outcome.emitted.values.lengths), (vec![0, 2], vec![-2, -2]));
    assert!(outcome.emitted.values.data.is_empty());
    let outputs = wiring::<long>().outputs;
    assert!(outputs[0].value.is_none() && outputs[0].key.is_none());
}

#[test]
fn a_filter_may_reject() {
    let outcome = Batch::new().add(Word { text: "" }).add(Word { text: "x" }).run::<careful>(&());
    assert_eq!((outcome.emitted.inputs, outcome.rejections[0].input), (vec![1], 0));
}

#[test]
fn text_bytes_and_json_come_and_go_without_avro() {
    let shouted = Batch::new().add("ação").add(&b"\xff"[..]).run::<shout>(&());
    assert_eq!(sent(&shouted)[0].value, Entry::New("AÇÃO".as_bytes()));
    assert_eq!((shouted.rejections.len(), shouted.rejections[0].input), (1, 1));
    let reversed = Batch::new().add(&b"abc"[..]).run::<reverse>(&());
    assert_eq!(sent(&reversed)[0].value, Entry::New(b"cba"));
    let documents = Batch::new().add(JsonText("[]")).add(JsonText("{}")).run::<wrapped>(&());
    assert_eq!((sent(&documents).len(), sent(&documents)[0].value), (1, Entry::New(b"{}")));
    for wiring in [wiring::<shout>(), wiring::<reverse>()] {
        assert!(matches!((&wiring.input, &wiring.outputs[0].value), (Format::Bytes, Some(Format::Bytes))));
    }
    let wiring = wiring::<wrapped>();
    assert!(matches!((&wiring.input, &wiring.outputs[0].value), (Format::Json, Some(Format::Json))));
}

#[test]
fn an_output_of_a_choice_may_keep_the_input_or_set_a_key() {
    let outputs = wiring::<sorter>().outputs;
    let [kept, keyed] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert!(kept.value.is_none() && kept.key.is_none());
    assert!(matches!(keyed.value, Some(Format::Avro(_))));
    assert!(matches!(keyed.key, Some(Format::Bytes)));
    let outcome = Batch::new().add(Word { text: "abc" }).add(Word { text: "abcd" }).run::<sorter>(&());
    assert_eq!((sent(&outcome)[0].key, sent(&outcome)[1].key), (Entry::New(b"abc"), Entry::Inherited));
    assert_eq!((outcome.emitted.outputs, outcome.emitted.values.lengths[1]), (Some(vec![1, 0]), -2));
}
