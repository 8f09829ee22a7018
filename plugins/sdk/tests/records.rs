//! Keys, timestamps, headers and tombstones, on the way in and on the way out.
#![allow(clippy::unwrap_used)]

use smt_plugin::bindings::types::{Format, Wants};
use smt_plugin::plugin::{Transform, wiring};
use smt_plugin::testing::{Batch, Entry, sent};
use smt_plugin::{AvroRecord, Context, Position, Record, transform};

#[derive(AvroRecord, Debug, PartialEq, Clone, Copy)]
struct Word<'a> {
    text: &'a str,
}

#[derive(AvroRecord, Debug, PartialEq, Clone, Copy)]
struct Id {
    n: i64,
}

/// Does to a record what its text says.
#[transform(topic = "t")]
fn obey(word: Word<'_>) -> Record<Word<'_>, &'_ str> {
    let plain = Record::from(word);
    match word.text {
        "key" => plain.key("new"),
        "no key" => plain.no_key(),
        "timestamp" => plain.timestamp(7),
        "too early" => plain.timestamp(-1).header("lost", "x"),
        "headers" => plain.header("a", "1").header(word.text.to_owned(), [0xff]).remove_header("gone"),
        "tombstone" => Record::tombstone().key("dead"),
        _ => plain,
    }
}

#[transform(topic = "t")]
fn with_avro_key(word: Word<'_>) -> Option<Record<Word<'_>, Id>> {
    Some(Record::new(word).key(Id { n: word.text.len() as i64 }))
}

/// Says what it was told of a record.
#[transform(topic = "t", key, headers, position)]
fn told(word: Option<Word<'_>>, context: &Context<'_>) -> String {
    let headers = context.headers.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>();
    let last = context.headers.get("a");
    let text = word.map(|word| word.text);
    let Position { topic, partition, offset } = context.position.unwrap();
    format!("{text:?} {:?} {headers:?} {last:?} {topic}/{partition}/{offset} {}", context.key, context.timestamp)
}

/// Asks for nothing.
#[transform(topic = "t")]
fn modest(_word: Word<'_>, context: &Context<'_>) -> String {
    format!("{context:?}")
}

fn obeyed(commands: &[&'static str], check: impl FnOnce(&smt_plugin::bindings::transformer::Outcome)) {
    let add = |batch: Batch, &text: &&'static str| batch.add(Record::new(Word { text }).timestamp(100));
    check(&commands.iter().fold(Batch::new(), add).run::<obey>(&()));
}

#[test]
fn what_no_record_sets_has_no_column() {
    obeyed(&["", ""], |outcome| {
        let emitted = &outcome.emitted;
        assert_eq!(emitted.inputs, [0, 1]);
        assert!(emitted.keys.is_none() && emitted.headers.is_none());
        assert!(emitted.timestamps.is_none() && emitted.outputs.is_none());
    });
}

#[test]
fn what_one_record_sets_the_others_inherit() {
    obeyed(&["", "key", "", "no key", "timestamp", "headers", ""], |outcome| {
        let emitted = &outcome.emitted;
        assert_eq!(emitted.keys.as_ref().unwrap().lengths, [-2, 3, -2, -1, -2, -2, -2]);
        assert_eq!(emitted.timestamps, Some(vec![100, 100, 100, 100, 7, 100, 100]));
        assert_eq!(emitted.headers.as_ref().unwrap().counts, [0, 0, 0, 0, 0, 3, 0]);
        let sent = sent(outcome);
        assert_eq!(
            sent[5].headers,
            [("a", Entry::New(b"1")), ("headers", Entry::New(&[0xff])), ("gone", Entry::Inherited)]
        );
        assert!(sent[6].headers.is_empty());
    });
}

#[test]
fn a_tombstone_is_a_null_value() {
    obeyed(&["a", "tombstone"], |outcome| {
        let last = &sent(outcome)[1];
        assert_eq!((last.value, last.key), (Entry::Null, Entry::New(b"dead")));
    });
}

#[test]
fn a_rejected_record_takes_its_key_and_headers_back() {
    obeyed(&["headers", "too early", "timestamp", "headers"], |outcome| {
        assert_eq!(outcome.rejections[0].reason, "timestamp -1 is before the epoch");
        assert_eq!(outcome.emitted.inputs, [0, 2, 3]);
        assert_eq!(outcome.emitted.timestamps, Some(vec![100, 7, 100]));
        let sent = sent(outcome);
        assert_eq!(sent.iter().map(|sent| sent.headers.len()).collect::<Vec<_>>(), [3, 0, 3]);
        assert_eq!(sent[2].headers[0], ("a", Entry::New(b"1")));
    });
}

#[test]
fn a_key_may_be_avro_of_its_own_schema() {
    let outputs = wiring::<with_avro_key>().outputs;
    assert!(matches!(&outputs[0].key, Some(Format::Avro(schema)) if schema.contains(r#""name":"Id""#)));
    let outcome = Batch::new().add(Word { text: "abc" }).run::<with_avro_key>(&());
    assert_eq!(sent(&outcome)[0].key.decoded::<Id>(), Id { n: 3 });
}

#[test]
fn a_context_has_what_was_asked_for() {
    let batch = Batch::new()
        .at("words", 2, 40)
        .add(Record::new(Word { text: "x" }).key("k").header("a", "1").header("a", "2"))
        .add(Record::<Word<'_>>::tombstone().key("dead").timestamp(9))
        .add(Record::new(Word { text: "y" }).header("b", "3"));
    let outcome = batch.run::<told>(&());
    let said = sent(&outcome).into_iter().map(|sent| match sent.value {
        Entry::New(bytes) => std::str::from_utf8(bytes).unwrap().to_owned(),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            r#"Some("x") Some([107]) ["a=Some([49])", "a=Some([50])"] Some([50]) words/2/40 0"#,
            r#"None Some([100, 101, 97, 100]) [] None words/2/41 9"#,
            r#"Some("y") None ["b=Some([51])"] None words/2/42 0"#,
        ]
    );
}

#[test]
fn the_wiring_asks_for_what_the_attribute_and_the_types_ask_for() {
    let all = wiring::<told>();
    assert_eq!(all.wants, Wants::HEADERS | Wants::POSITIONS | Wants::TOMBSTONES);
    assert!(matches!(all.key, Some(Format::Bytes)));
    let none = wiring::<modest>();
    assert_eq!(none.wants, Wants::empty());
    assert!(none.key.is_none());
    assert!(!obey::KEYS);
}

#[test]
fn what_was_not_asked_for_is_not_handed_over() {
    let outcome = Batch::new().add(Record::new(Word { text: "x" }).key("k").header("a", "1")).run::<modest>(&());
    let Entry::New(said) = sent(&outcome)[0].value else { panic!("nothing sent") };
    let said = std::str::from_utf8(said).unwrap();
    assert!(said.contains("key: None") && said.contains("position: None") && !said.contains("97"), "{said}");
}

#[test]
#[should_panic(expected = "the host passes tombstones over")]
fn a_tombstone_for_a_plugin_that_takes_none_is_a_mistake_of_the_test() {
    drop(Batch::new().add(Record::<Word<'_>>::tombstone()).run::<obey>(&()));
}
