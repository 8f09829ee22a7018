//! From a plugin's outcome to records in the transaction.
//!
//! The outcome has been checked by the guest module; here its values are framed, and its keys, partitions, timestamps
//! and headers follow the input record where the plugin gave none.

use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};

use crate::guest::{Batch, Column, Outcome};
use crate::kafka::partition;
use crate::kafka::transaction::{Failed, Record, Transaction};
use crate::registry::wire;

use super::prepare::{Encoding, Target};

/// A bad output: (row of the batch, reason).
pub type Bad = (usize, String);

/// One plugin's outcome for rows `first..` of a batch.
pub struct Emission<'a> {
    pub outcome: &'a Outcome,
    pub first: usize,
    pub batch: &'a Batch,
    pub starts: &'a [usize],
    /// The message of each row of the batch.
    pub rows: &'a [u32],
    pub messages: &'a [BorrowedMessage<'a>],
    pub targets: &'a [Target],
}

/// A walk over a column.
struct Cells<'a> {
    column: &'a Column,
    at: usize,
}

/// One entry of a column.
#[derive(Clone, Copy)]
enum Cell<'a> {
    Null,
    /// -2: the input's own.
    Inherit,
    Bytes(&'a [u8]),
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
                Cell::Bytes(&self.column.data[start..self.at])
            }
        }
    }
}

/// Where each row of `column` starts.
pub fn starts(column: &Column, starts: &mut Vec<usize>) {
    starts.clear();
    let mut at = 0;
    for len in &column.lengths {
        starts.push(at);
        at += (*len).max(0) as usize;
    }
}

/// Sends all; outputs that do not hold their schema's bytes come back as bad. Returns how many were sent.
pub fn send(
    emission: &Emission<'_>,
    transaction: &mut Transaction,
    frame: &mut Vec<u8>,
    bad: &mut Vec<Bad>,
) -> Result<usize, Failed> {
    let emitted = &emission.outcome.emitted;
    let mut values = Cells::new(&emitted.values);
    let mut keys = emitted.keys.as_ref().map(Cells::new);
    let mut headers = emitted.headers.as_ref().map(HeaderCells::new);
    let mut sent = 0;
    for (i, input) in emitted.inputs.iter().enumerate() {
        let row = emission.first + *input as usize;
        let message = &emission.messages[emission.rows[row] as usize];
        let target = &emission.targets[emitted.outputs.as_ref().map_or(0, |outputs| outputs[i] as usize)];
        let value = values.next(i);
        let key = keys.as_mut().map_or(Cell::Inherit, |keys| keys.next(i));
        let new_headers = match &mut headers {
            Some(cells) => cells.merge(i, message),
            None => message.headers().map(|headers| headers.detach()),
        };
        let value = match value_bytes(emission, target, row, message, value, frame) {
            Ok(value) => value,
            Err(reason) => {
                bad.push((row, reason));
                continue;
            }
        };
        let (key, partition) = placed(key, message, target);
        let timestamp_ms = emitted.timestamps.as_ref().map_or_else(|| message.timestamp().to_millis(), |t| Some(t[i]));
        transaction.send(Record { topic: &target.topic, partition, key, value, timestamp_ms, headers: new_headers })?;
        sent += 1;
    }
    Ok(sent)
}

fn value_bytes<'b>(
    emission: &'b Emission<'_>,
    target: &Target,
    row: usize,
    message: &'b BorrowedMessage<'_>,
    value: Cell<'b>,
    frame: &'b mut Vec<u8>,
) -> Result<Option<&'b [u8]>, String> {
    let value = match value {
        Cell::Null => return Ok(None),
        Cell::Inherit if !target.same_as_input => return Ok(message.payload()),
        Cell::Inherit => {
            let start = emission.starts[row];
            &emission.batch.values.data[start..start + emission.batch.values.lengths[row].max(0) as usize]
        }
        Cell::Bytes(bytes) => bytes,
    };
    frame.clear();
    match &target.encoding {
        Encoding::Input | Encoding::Raw => return Ok(Some(value)),
        Encoding::Avro { id, check } => {
            wire::frame(*id, frame);
            check.run(value, frame).map_err(|error| not_the_schema(target, &error.to_string()))?;
        }
        Encoding::AvroFromJson { id, encode } => {
            wire::frame(*id, frame);
            encode.run(value, frame).map_err(|error| not_the_schema(target, &error.to_string()))?;
        }
    }
    Ok(Some(frame))
}

fn not_the_schema(target: &Target, error: &str) -> String {
    format!("the plugin's output for topic {} is not of the schema that it declared: {error}", target.topic)
}

/// The key, and the partition: the input's own unless the key is new or the topics differ in shape.
fn placed<'b>(key: Cell<'b>, message: &'b BorrowedMessage<'_>, target: &Target) -> (Option<&'b [u8]>, Option<i32>) {
    match key {
        Cell::Bytes(key) => (Some(key), Some(partition::of_key(key, target.partitions))),
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
            if let Cell::Bytes(name) = self.names.next(self.at) {
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
                Cell::Bytes(value) => merged = merged.insert(Header { key, value: Some(value) }),
            }
        }
        Some(merged)
    }
}
