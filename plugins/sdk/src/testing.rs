//! Runs a transform natively, through the same code as in the sandbox. What the plugin does not ask for is withheld, as
//! the host would.
//!
//! ```
//! use smt_plugin::{AvroRecord, Context, Record, testing, transform};
//!
//! #[derive(AvroRecord, Debug, PartialEq)]
//! struct Name<'a> {
//!     text: &'a str,
//! }
//!
//! /// Puts the key first.
//! #[transform(topic = "names", key)]
//! fn keyed<'a>(name: Name<'a>, context: &Context<'a>) -> Option<Record<Name<'a>, &'a str>> {
//!     let text = std::str::from_utf8(context.key?).ok()?;
//!     Some(Record::new(Name { text }).key(name.text))
//! }
//!
//! let batch = testing::Batch::new()
//!     .add(Record::new(Name { text: "Ana" }).key("1").timestamp(5).header("trace", "x"))
//!     .add(Name { text: "Rui" }); // without a key
//! let outcome = batch.run::<keyed>(&());
//! let sent = testing::sent(&outcome);
//! assert_eq!((sent.len(), sent[0].input), (1, 0));
//! assert_eq!(sent[0].value.decoded::<Name<'_>>(), Name { text: "1" });
//! assert_eq!(sent[0].key, testing::Entry::New(b"Ana"));
//! ```

use crate::bindings::transformer::Outcome;
use crate::bindings::types::{self, Column, Positions, SettingValue, Wants};
use crate::codec::{Decode, Encode, decode_record};
use crate::column::View;
use crate::emit::Single;
use crate::emitter::Emitter;
use crate::plugin::{self, Transform};
use crate::record::Record;
use crate::settings::Settings;

/// Input records with keys, headers, timestamps and positions.
#[derive(Debug, Default)]
pub struct Batch {
    records: Emitter,
    count: u32,
    topic: String,
    partition: i32,
    first_offset: i64,
}

impl Batch {
    pub fn new() -> Self {
        Self { topic: "input".to_owned(), ..Self::default() }
    }

    /// A record: a value alone, or a [`Record`]. What that does not set is absent, the timestamp 0. Bytes that are no
    /// record of the plugin's are given as `&[u8]`.
    #[must_use]
    pub fn add(mut self, record: impl Single) -> Self {
        self.records.record(self.count, |out| record.emit(out)).expect("an input can be written");
        self.count += 1;
        self
    }

    /// Where the first record stands; the others follow it without a gap.
    #[must_use]
    pub fn at(self, topic: &str, partition: i32, first_offset: i64) -> Self {
        Self { topic: topic.to_owned(), partition, first_offset, ..self }
    }

    /// # Panics
    /// The batch has a tombstone and the plugin takes none: the host would pass it over.
    pub fn run<T: Transform>(self, settings: &T::Settings) -> Outcome {
        plugin::transform::<T>(settings, &self.build::<T>())
    }

    fn build<T: Transform>(self) -> types::Batch {
        let (count, wants) = (self.count as usize, T::wants());
        let wants = |what| wants & what == what;
        let all = self.records.finish(&vec![0; count]);
        let tombstones = all.values.lengths.iter().any(|&length| length < 0);
        assert!(
            wants(Wants::TOMBSTONES) || !tombstones,
            "the host passes tombstones over: this plugin's parameter is no Option"
        );
        let offsets = (self.first_offset..).take(count).collect();
        let positions = Positions { topic: self.topic, partition: self.partition, offsets };
        let no_headers = || {
            let nothing = || Column { data: Vec::new(), lengths: Vec::new() };
            types::Headers { counts: vec![0; count], names: nothing(), values: nothing() }
        };
        types::Batch {
            values: all.values,
            timestamps: all.timestamps.unwrap_or_else(|| vec![0; count]),
            keys: T::KEYS.then(|| all.keys.map_or_else(|| nulls(count), without_inherited)),
            headers: wants(Wants::HEADERS).then(|| all.headers.unwrap_or_else(no_headers)),
            positions: wants(Wants::POSITIONS).then_some(positions),
        }
    }
}

fn nulls(count: usize) -> Column {
    Column { data: Vec::new(), lengths: vec![-1; count] }
}

/// An input has nothing to inherit from.
fn without_inherited(mut column: Column) -> Column {
    column.lengths.iter_mut().for_each(|length| *length = (*length).max(-1));
    column
}

/// A record that was emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent<'a> {
    /// The number of its input in the batch.
    pub input: u32,
    /// The number of its output: of its variant, with `Outputs`.
    pub output: u8,
    pub value: Entry<'a>,
    pub key: Entry<'a>,
    /// `None` if no record of the batch has one of its own.
    pub timestamp: Option<i64>,
    /// Those that were set, and `Inherited`, which has no meaning for a header's value, for those that were removed.
    pub headers: Vec<(&'a str, Entry<'a>)>,
}

/// A value or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// The input's own.
    Inherited,
    /// A tombstone, or no key.
    Null,
    New(&'a [u8]),
}

impl<'a> Entry<'a> {
    /// # Panics
    /// It is no record of this type.
    pub fn decoded<T: Decode<'a>>(self) -> T {
        match self {
            Self::New(bytes) => decode_record(bytes).expect("an emitted value has the type asked for"),
            other => panic!("there are no bytes: {other:?}"),
        }
    }
}

/// What was emitted, in order.
pub fn sent(outcome: &Outcome) -> Vec<Sent<'_>> {
    let emitted = &outcome.emitted;
    let values = entries(&emitted.values);
    let mut keys = emitted.keys.iter().flat_map(entries);
    let mut headers = emitted.headers.iter().flat_map(|headers| {
        let names = View::of(&headers.names).map(|name| std::str::from_utf8(name.unwrap_or_default()));
        names.map(|name| name.expect("a header's name is text")).zip(entries(&headers.values))
    });
    let record = |(i, (&input, value)): (usize, (&u32, _))| Sent {
        input,
        output: emitted.outputs.as_ref().map_or(0, |outputs| outputs[i]),
        value,
        key: keys.next().unwrap_or(Entry::Inherited),
        timestamp: emitted.timestamps.as_ref().map(|timestamps| timestamps[i]),
        headers: headers.by_ref().take(emitted.headers.as_ref().map_or(0, |h| h.counts[i] as usize)).collect(),
    };
    emitted.inputs.iter().zip(values).enumerate().map(record).collect()
}

fn entries(column: &Column) -> impl Iterator<Item = Entry<'_>> {
    View::of(column).zip(&column.lengths).map(|(string, &length)| match (string, length) {
        (Some(bytes), _) => Entry::New(bytes),
        (None, -1) => Entry::Null,
        (None, _) => Entry::Inherited,
    })
}

/// Encodes the inputs as one batch, all with this timestamp, and transforms it.
pub fn run<T: Transform>(settings: &T::Settings, timestamp: i64, inputs: &[impl Encode]) -> Outcome {
    let encoded = inputs.iter().map(|input| {
        let mut bytes = Vec::new();
        input.encode(&mut bytes);
        bytes
    });
    run_bytes::<T>(settings, timestamp, &encoded.collect::<Vec<_>>())
}

/// The same for records already encoded, be they valid or not.
pub fn run_bytes<T: Transform>(settings: &T::Settings, timestamp: i64, inputs: &[Vec<u8>]) -> Outcome {
    let add = |batch: Batch, input: &Vec<u8>| batch.add(Record::new(input.as_slice()).timestamp(timestamp));
    inputs.iter().fold(Batch::new(), add).run::<T>(settings)
}

/// Settings from texts, as the host hands them over.
pub fn settings<S: Settings>(texts: &[(&str, &str)]) -> Result<S, String> {
    let value = |(name, value): &(&str, &str)| SettingValue { name: (*name).to_owned(), value: (*value).to_owned() };
    S::parse(&texts.iter().map(value).collect::<Vec<_>>())
}

/// The emitted values decoded, in order.
pub fn emitted<'a, T: Decode<'a>>(outcome: &'a Outcome) -> Vec<T> {
    entries(&outcome.emitted.values).map(Entry::decoded).collect()
}
