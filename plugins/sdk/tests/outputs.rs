//! A transform that routes to several outputs.

use smt_plugin::plugin::wiring;
use smt_plugin::{AvroRecord, Outputs, testing, transform};

#[derive(AvroRecord, Debug, PartialEq)]
struct Word<'a> {
    text: &'a str,
}

#[derive(Outputs)]
enum Sorted<'a> {
    Short(Word<'a>),
    #[output(topic = "long-words")]
    Long(Word<'a>),
}

/// Sorts words by length and drops empty ones.
#[transform(topic = "words")]
fn sorter(word: Word<'_>) -> Option<Sorted<'_>> {
    match word.text.len() {
        0 => None,
        1..5 => Some(Sorted::Short(word)),
        _ => Some(Sorted::Long(word)),
    }
}

#[test]
fn each_variant_is_an_output_with_its_own_or_the_common_topic() {
    let outputs = wiring::<sorter>().outputs;
    let names = outputs.iter().map(|output| (output.name.as_str(), output.topic.as_str())).collect::<Vec<_>>();
    assert_eq!(names, [("short", "words"), ("long", "long-words")]);
}

#[test]
fn records_go_to_the_output_of_their_variant() {
    let outcome = testing::run::<sorter>(&(), 0, &["longer", "", "abc"].map(|text| Word { text }));
    assert_eq!(outcome.emitted.outputs, Some(vec![1, 0]));
    assert_eq!(outcome.emitted.inputs, [0, 2]);
}
