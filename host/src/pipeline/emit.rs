//! From a plugin's outcome to records in the transaction.
//!
//! The outcome has been checked by the guest module; here its values are framed, and its keys, partitions, timestamps
//! and headers follow the input record where the plugin gave none.

use std::ops::Range;

use rdkafka::error::KafkaResult;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};

use super::batch::Rows;
use super::prepare::{Encoding, Target};
use crate::guest::{Column, Outcome};
use crate::kafka::partition;
use crate::kafka::transaction::{Record, Transaction};
use crate::registry::wire;

/// A bad output: (row of the batch, reason).
pub type Bad = (usize, String);

/// One plugin's outcome for the rows of a batch from `first` on.
pub struct Emission<'a> {
    pub outcome: &'a Outcome,
    pub first: usize,
    pub rows: &'a Rows,
    pub messages: &'a [BorrowedMessage<'a>],
    pub targets: &'a [Target],
}

impl Emission<'_> {
    fn row(&self, output: usize) -> usize {
        self.first + self.outcome.emitted.inputs[output] as usize
    }

    fn message(&self, output: usize) -> &BorrowedMessage<'_> {
        &self.messages[self.rows.messages[self.row(output)] as usize]
    }

    fn target(&self, output: usize) -> &Target {
        &self.targets[self.outcome.emitted.outputs.as_ref().map_or(0, |outputs| outputs[output] as usize)]
    }
}

/// Checked values of a group's outputs, in order; reused from group to group.
#[derive(Default)]
pub struct Framed {
    bytes: Vec<u8>,
    values: Vec<Value>,
}

/// Where an output's value stands.
enum Value {
    Null,
    /// As the input record has it.
    Input,
    /// As it was handed to the plugin.
    Row(Range<usize>),
    /// As the plugin gave it.
    Plugin(Range<usize>),
    /// Checked, behind the registry's frame.
    Framed(Range<usize>),
    Bad,
}

impl Framed {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.values.clear();
    }

    /// Checks and frames all values, and sends none: those that do not hold their schema's bytes come back as bad.
    pub fn add(&mut self, emission: &Emission<'_>, bad: &mut Vec<Bad>) {
        let mut values = Cells::new(&emission.outcome.emitted.values);
        for i in 0..emission.outcome.emitted.inputs.len() {
            let value = self.value(emission, i, values.next(i)).unwrap_or_else(|reason| {
                bad.push((emission.row(i), reason));
                Value::Bad
            });
            self.values.push(value);
        }
    }

    fn value(&mut self, emission: &Emission<'_>, output: usize, cell: Cell<'_>) -> Result<Value, String> {
        let target = emission.target(output);
        let (bytes, as_it_is) = match cell {
            Cell::Null => return Ok(Value::Null),
            Cell::Inherit if !target.same_as_input => return Ok(Value::Input),
            Cell::Inherit => {
                let range = emission.rows.value(emission.row(output));
                (&emission.rows.batch.values.data[range.clone()], Value::Row(range))
            }
            Cell::Bytes(bytes, range) => (bytes, Value::Plugin(range)),
        };
        let start = self.bytes.len();
        let framed = encode(&target.encoding, bytes, &mut self.bytes).map_err(|error| {
            self.bytes.truncate(start);
            format!("the plugin's output for topic {} is not of the schema that it declared: {error}", target.topic)
        })?;
        Ok(if framed { Value::Framed(start..self.bytes.len()) } else { as_it_is })
    }
}

/// Checks and frames what a plugin gave. False: it stands as it is, and nothing was added.
pub fn encode(encoding: &Encoding, bytes: &[u8], out: &mut Vec<u8>) -> Result<bool, String> {
    match encoding {
        Encoding::Input | Encoding::Raw => return Ok(false),
        Encoding::Avro { id, check } => {
            wire::frame(*id, out);
            check.run(bytes, out).map_err(|error| error.to_string())?;
        }
        Encoding::AvroFromJson { id, encode } => {
            wire::frame(*id, out);
            encode.run(bytes, out).map_err(|error| error.to_string())?;
        }
    }
    Ok(true)
}

/// A walk over a column.
struct Cells<'a> {
    column: &'a Column,
    at: usize,
}

/// One entry of a column.
enum Cell<'a> {
    Null,
    /// -2: the input's own.
    Inherit,
    Bytes(&'a [u8], Range<usize>),
}

impl<'a> Cells<'a> {
    fn new(column: &'a Column) -> Cells<'a> {
        Cells { column, at: 0 }
    }

    fn next(&mut self, index: usize) -> Cell<'a> {
        match self.column.lengths[index] {
            -2 => Cell::Inherit,
            len if len < 0 => Cell::Null,
            len => {
                let start = self.at;
                self.at += len as usize;
                Cell::Bytes(&self.column.data[start..self.at], start..self.at)
            }
        }
    }
}

/// Sends the outputs of one outcome, whose values are the next of `framed`. Returns how many were sent.
pub fn send(
    emission: &Emission<'_>,
    framed: &Framed,
    next: &mut usize,
    transaction: &mut Transaction,
) -> KafkaResult<usize> {
    let emitted = &emission.outcome.emitted;
    let mut keys = emitted.keys.as_ref().map(Cells::new);
    let mut headers = emitted.headers.as_ref().map(HeaderCells::new);
    let mut sent = 0;
    for i in 0..emitted.inputs.len() {
        let (message, target) = (emission.message(i), emission.target(i));
        let key = keys.as_mut().map_or(Cell::Inherit, |keys| keys.next(i));
        let headers = match &mut headers {
            Some(cells) => cells.merge(i, message),
            None => message.headers().map(|headers| headers.detach()),
        };
        let value = match &framed.values[*next + i] {
            Value::Bad => continue,
            Value::Null => None,
            Value::Input => message.payload(),
            Value::Row(range) => Some(&emission.rows.batch.values.data[range.clone()]),
            Value::Plugin(range) => Some(&emitted.values.data[range.clone()]),
            Value::Framed(range) => Some(&framed.bytes[range.clone()]),
        };
        let (key, partition) = placed(&key, message, target);
        let timestamp_ms = emitted.timestamps.as_ref().map_or_else(|| message.timestamp().to_millis(), |t| Some(t[i]));
        transaction.send(Record { topic: &target.topic, partition, key, value, timestamp_ms, headers })?;
        sent += 1;
    }
    *next += emitted.inputs.len();
    Ok(sent)
}

/// The key, and the partition: the input's own unless the key is new or the topics differ in shape.
fn placed<'b>(key: &Cell<'b>, message: &'b BorrowedMessage<'_>, target: &Target) -> (Option<&'b [u8]>, Option<i32>) {
    match key {
        Cell::Bytes(key, _) => (Some(*key), Some(partition::of_key(key, target.partitions))),
        Cell::Null => (None, Some(message.partition() % target.partitions)),
        Cell::Inherit if target.partitions == target.input_partitions => (message.key(), Some(message.partition())),
        Cell::Inherit => match message.key() {
            Some(key) => (Some(key), Some(partition::of_key(key, target.partitions))),
            None => (None, Some(message.partition() % target.partitions)),
        },
    }
}

/// Headers that a plugin sets: they replace the input's of the same name; -2 removes the name.
struct HeaderCells<'a> {
    headers: &'a crate::guest::Headers,
    names: Cells<'a>,
    values: Cells<'a>,
    at: usize,
}

impl<'a> HeaderCells<'a> {
    fn new(headers: &'a crate::guest::Headers) -> HeaderCells<'a> {
        HeaderCells { headers, names: Cells::new(&headers.names), values: Cells::new(&headers.values), at: 0 }
    }

    fn merge(&mut self, index: usize, message: &BorrowedMessage<'_>) -> Option<OwnedHeaders> {
        let mut set: Vec<(&[u8], Cell<'a>)> = Vec::new();
        for _ in 0..self.headers.counts[index] {
            if let Cell::Bytes(name, _) = self.names.next(self.at) {
                set.push((name, self.values.next(self.at)));
            }
            self.at += 1;
        }
        let mut merged = OwnedHeaders::new();
        for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
            if !set.iter().any(|(name, _)| *name == header.key.as_bytes()) {
                merged = merged.insert(header);
            }
        }
        for (name, value) in set {
            let key = std::str::from_utf8(name).unwrap_or("?");
            match value {
                Cell::Inherit => {}
                Cell::Null => merged = merged.insert(Header { key, value: None::<&[u8]> }),
                Cell::Bytes(value, _) => merged = merged.insert(Header { key, value: Some(value) }),
            }
        }
        Some(merged)
    }
}
