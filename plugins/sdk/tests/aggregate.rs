//! An aggregate by word, with windows that are a setting, and one for ever.
#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use smt_plugin::accumulators::{Count, Max};
use smt_plugin::aggregate::testing::{Folded, fold, fold_with, grouping};
use smt_plugin::aggregate::{partial, wiring};
use smt_plugin::bindings::types::{Batch, Column, Format};
use smt_plugin::{
    Accumulator, Aggregate, AvroRecord, Emit, Group, Grouping, Millis, Reject, Settings, Window, aggregate,
};
use std::collections::BTreeMap;

#[derive(AvroRecord, Debug, Clone)]
struct Word {
    text: Option<String>,
    at: i64,
}

#[derive(AvroRecord, Debug, PartialEq)]
struct Row {
    word: String,
    count: i64,
    latest: Option<i64>,
    window_end: Option<i64>,
}

#[derive(Settings)]
struct Sizes {
    /// How long a window is.
    #[setting(default = "1m")]
    size: Millis,
    /// How late a record may come.
    #[setting(default = "0s")]
    grace: Millis,
}

#[derive(Default, Accumulator)]
struct Words {
    count: Count,
    latest: Max<i64>,
}

/// Counts words.
///
/// And remembers when each was last said.
#[aggregate(topic = "words", hopping = "10m", advance = "1m", time = "at", emit = "final", idle = "5s", version = 3)]
impl Aggregate for Words {
    type Input<'a> = Word;
    type Key<'a> = &'a str;
    type Output = Vec<Row>;
    type Settings = Sizes;

    fn grouping(sizes: &Sizes, declared: Grouping) -> Result<Grouping, String> {
        let window = Window { grace_ms: Some(sizes.grace.0), ..Window::hopping(Millis(600_000), sizes.size) };
        Ok(Grouping { window: Some(window), ..declared })
    }
    fn check(word: &Word) -> Result<(), Reject> {
        if word.at < 0 { Err(Reject::new("before the epoch")) } else { Ok(()) }
    }
    fn key(word: &Word) -> Option<&str> {
        word.text.as_deref()
    }
    fn add(&mut self, word: &Word) {
        self.count.increment();
        self.latest.add(word.at);
    }
    fn finish(&self, group: &Group<&str>) -> Vec<Row> {
        let (latest, window_end) = (self.latest.get().copied(), group.window.as_ref().map(|window| window.end));
        let row = |word: &str| Row { word: word.to_owned(), count: self.count.get(), latest, window_end };
        // A word that was said once makes no row, a frequent one two.
        match self.count.get() {
            1 => vec![],
            2..4 => vec![row(group.key)],
            _ => vec![row(group.key), row("often")],
        }
    }
}

fn word(text: &str, at: i64) -> Word {
    Word { text: Some(text.to_owned()), at }
}

#[test]
fn rows_are_one_several_or_none_a_group_in_the_order_of_the_groups() {
    let first = ["b", "a", "a", "c"].map(|text| word(text, 1));
    let second = ["c", "c", "c"].map(|text| word(text, 7));
    let folded = fold::<Words>(&[&first, &second]);
    assert_eq!(folded.keys(), [b"b", b"a", b"c"]);
    let row =
        |word: &str, count, latest| Row { word: word.to_owned(), count, latest: Some(latest), window_end: Some(9) };
    assert_eq!(folded.rows(Some(3..9)), [(1, row("a", 2, 1)), (2, row("c", 4, 7)), (2, row("often", 4, 7))]);
}

#[test]
fn groups_are_numbered_as_first_seen_and_the_keyless_and_rejected_are_in_none() {
    let inputs = [word("a", 0), Word { text: None, at: 0 }, word("", 0), word("x", -1), word("a", 0)];
    let encoded = inputs.each_ref().map(encoded);
    let mut data = encoded.concat();
    data.push(0xff); // No word.
    let mut lengths = encoded.each_ref().map(|record| record.len() as i32).to_vec();
    lengths.extend([1, -1]);
    let values = Column { data, lengths };
    let sizes = Sizes { size: Millis(60_000), grace: Millis(0) };
    let folded =
        partial::<Words>(&sizes, &Batch { values, timestamps: vec![0; 7], keys: None, headers: None, positions: None });
    assert_eq!(folded.groups, [0, -1, 1, -1, 0, -1, -1]);
    assert_eq!((folded.keys.data.as_slice(), folded.keys.lengths.as_slice()), (b"a".as_slice(), [1, 0].as_slice()));
    let rejections = folded.rejections.iter().map(|r| (r.input, r.reason.as_str())).collect::<Vec<_>>();
    assert_eq!(rejections, [(3, "before the epoch"), (5, "the record ends too early")]);
}

fn encoded(input: &Word) -> Vec<u8> {
    let mut bytes = Vec::new();
    smt_plugin::Encode::encode(input, &mut bytes);
    bytes
}

type Groups = BTreeMap<Vec<u8>, Vec<u8>>;

fn groups(folded: &Folded<Words>) -> Groups {
    folded.keys().iter().cloned().zip(folded.accumulators().iter().cloned()).collect()
}

proptest! {
    #[test]
    fn a_batch_split_anywhere_adds_up_to_the_whole(words in vec(("[ab]{0,2}", 0i64..9), 0..40), sizes in vec(0usize..9, 0..9)) {
        let words = words.iter().map(|(text, at)| word(text, *at)).collect::<Vec<_>>();
        let (mut rest, mut batches) = (words.as_slice(), Vec::new());
        for size in sizes {
            let (batch, after) = rest.split_at(size.min(rest.len()));
            batches.push(batch);
            rest = after;
        }
        batches.push(rest);
        prop_assert_eq!(groups(&fold(&batches)), groups(&fold(&[words.as_slice()])));
    }
}

#[test]
fn settings_may_decide_about_the_window_and_the_attribute_about_the_rest() {
    let found = grouping::<Words>(&[("size", "5m"), ("grace", "1s")]).unwrap();
    let window = found.window.unwrap();
    assert_eq!((window.size_ms, window.advance_ms, window.grace_ms), (600_000, 300_000, Some(1_000)));
    assert_eq!((found.emit, found.time_field.as_deref()), (Emit::Final, Some("at")));
    assert_eq!((found.accumulator_version, found.partitioned), (3, false));
    assert!(matches!(found.key, Format::Bytes));
}

#[test]
fn a_window_that_makes_no_sense_is_an_error_that_names_it() {
    let refused = |size| grouping::<Words>(&[("size", size), ("grace", "0s")]).unwrap_err();
    assert_eq!(refused("7m"), "a window's advance divides its size: 600000 ms by 420000 ms");
    assert_eq!(refused("0s"), "a window's size and advance are longer than nothing: 600000 ms by 0 ms");
    assert_eq!(refused("soon"), "size: expected a whole number and ms, s, m, h or d, as in \"30s\": \"soon\"");
}

#[test]
fn durations_are_a_whole_number_and_a_unit() {
    let read = |text: &str| text.parse::<Millis>().ok().map(|millis| millis.0);
    let known = [("0ms", 0), ("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("1h", 3_600_000), ("7d", 604_800_000)];
    known.into_iter().for_each(|(text, millis)| assert_eq!(read(text), Some(millis), "{text}"));
    let longest = format!("{}ms", u64::MAX);
    assert_eq!(read(&longest), Some(u64::MAX));
    for text in ["", "30", "s", "-1s", "1.5s", "1 s", "1S", "1w", "18446744073709551616ms", "18446744073709551615s"] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[derive(AvroRecord, Debug, PartialEq, Clone, Copy)]
struct Place {
    x: i32,
    y: i64,
}

#[derive(Default, Accumulator)]
struct Visits {
    count: Count,
}

/// Counts visits for ever.
#[aggregate(topic = "visits", partitioned)]
impl Aggregate for Visits {
    type Input<'a> = Place;
    type Key<'a> = smt_plugin::Avro<Place>;
    type Output = Option<Place>;

    fn key(place: &Place) -> Option<smt_plugin::Avro<Place>> {
        Some(smt_plugin::Avro(*place))
    }
    fn add(&mut self, _: &Place) {
        self.count.increment();
    }
    fn finish(&self, group: &Group<smt_plugin::Avro<Place>>) -> Option<Place> {
        assert_eq!(group.window, None);
        Some(Place { y: self.count.get(), ..group.key.0 })
    }
}

/// What the operator of `Taps` decides.
#[derive(Settings)]
struct Taste {
    /// Values above are rejected.
    #[setting(default = "9")]
    at_most: i64,
    /// So many to a group.
    #[setting(default = "10")]
    width: i32,
    /// What each counts for.
    #[setting(default = "1")]
    weight: i64,
}

#[derive(Default, Accumulator)]
struct Taps {
    weighed: smt_plugin::accumulators::Sum<i64>,
}

/// Every function asks its settings.
#[aggregate(topic = "taps")]
impl Aggregate for Taps {
    type Input<'a> = Place;
    type Key<'a> = i32;
    type Output = Place;
    type Settings = Taste;

    fn check(place: &Place, taste: &Taste) -> Result<(), Reject> {
        if place.y > taste.at_most { Err(Reject::new("too high")) } else { Ok(()) }
    }
    fn key(place: &Place, taste: &Taste) -> Option<i32> {
        Some(place.x / taste.width)
    }
    fn add(&mut self, _: &Place, taste: &Taste) {
        self.weighed.add(taste.weight);
    }
    fn finish(&self, group: &Group<i32>, taste: &Taste) -> Place {
        Place { x: group.key * taste.width, y: self.weighed.get() }
    }
}

#[test]
fn settings_reach_every_function() {
    let places = [(1, 1), (12, 9), (13, 5), (14, 10)].map(|(x, y)| Place { x, y });
    let rows = |settings: &[(&str, &str)]| {
        let folded: Folded<Taps> = fold_with(settings, &[&places]);
        let rejected = folded.rejections.iter().map(|rejection| rejection.input).collect::<Vec<_>>();
        (folded.rows(None).into_iter().map(|(_, Place { x, y })| (x, y)).collect::<Vec<_>>(), rejected)
    };
    assert_eq!(rows(&[]), (vec![(0, 1), (10, 2)], vec![3]));
    assert_eq!(rows(&[("at-most", "5")]), (vec![(0, 1), (10, 1)], vec![1, 3]));
    assert_eq!(rows(&[("width", "100"), ("weight", "7")]), (vec![(0, 21)], vec![3]));
}

#[test]
fn without_a_window_it_groups_for_ever_here_by_a_record() {
    let found = grouping::<Visits>(&[]).unwrap();
    assert!(found.window.is_none());
    assert_eq!((found.emit, found.partitioned, found.accumulator_version), (Emit::Changes, true, 1));
    assert!(matches!(&found.key, Format::Avro(schema) if *schema == smt_plugin::schema_of::<Place>()));
    let folded = fold::<Visits>(&[&[Place { x: 1, y: -1 }, Place { x: 1, y: -1 }]]);
    assert_eq!(folded.keys(), [[2, 1]]);
    assert_eq!(folded.rows(None), [(0, Place { x: 1, y: 2 })]);
}

#[test]
fn the_output_has_the_topic_and_the_rows_schema() {
    let outputs = wiring::<Words>().unwrap().outputs;
    let [output] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert_eq!(output.topic, "words");
    assert!(matches!(&output.value, Some(Format::Avro(schema)) if *schema == smt_plugin::schema_of::<Row>()));
}

#[test]
#[should_panic(expected = "raise `version`")]
fn an_accumulator_of_another_build_stops_the_plugin_rather_than_being_counted() {
    let one = |bytes: &[u8]| Column { data: bytes.to_vec(), lengths: vec![bytes.len() as i32] };
    smt_plugin::aggregate::merge::<Visits>(&one(&[2]), &one(&[2, 2]));
}
