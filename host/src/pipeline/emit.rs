//! From a plugin's outcome to records in the transaction.
//!
//! The outcome has been checked by the guest module; here its values are framed, and its keys, partitions, timestamps
//! and headers follow the input record where the plugin gave none.

use std::ops::Range;

use rdkafka::error::KafkaResult;
use rdkafka::message::{BorrowedMessage, Message, OwnedHeaders};

use super::batch::Rows;
use super::cells::{Cell, Cells, HeaderCells};
use super::dead_letter::Cause;
use super::prepare::{Encoding, Target};
use crate::guest::Outcome;
use crate::kafka::transaction::{Record, Transaction};
use crate::kafka::{partition, size};
use crate::registry::wire;

/// A bad output: (row of the batch, what is wrong with it).
pub type Bad = (usize, Cause);

/// Headers are counted only where they could make a record too large: nearly no record has so many.
const HEADERS_BYTES_USUAL: usize = 64 << 10;

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

/// Checked keys and values of a group's outputs, in order; reused from group to group.
#[derive(Default)]
pub struct Framed {
    bytes: Vec<u8>,
    records: Vec<Kept>,
}

/// Of a bad output, both parts are `Bad`.
struct Kept {
    key: Part,
    value: Part,
}

/// Where an output's key or value stands.
enum Part {
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
        self.records.clear();
    }

    /// Checks and frames all keys and values, and sends none: those that do not hold their schema's bytes, or make
    /// a record that is too large, come back as bad.
    pub fn add(&mut self, emission: &Emission<'_>, bad: &mut Vec<Bad>) {
        let emitted = &emission.outcome.emitted;
        let mut values = Cells::new(&emitted.values);
        let mut keys = emitted.keys.as_ref().map(Cells::new);
        for i in 0..emitted.inputs.len() {
            let key = keys.as_mut().map_or(Cell::Inherit, |keys| keys.next(i));
            let kept = self.keep(emission, i, key, values.next(i)).unwrap_or_else(|cause| {
                bad.push((emission.row(i), cause));
                Kept { key: Part::Bad, value: Part::Bad }
            });
            self.records.push(kept);
        }
    }

    fn keep(&mut self, emission: &Emission<'_>, output: usize, key: Cell<'_>, value: Cell<'_>) -> Result<Kept, Cause> {
        let key = self.key(emission, output, key).map_err(Cause::off_schema)?;
        let value = self.value(emission, output, value).map_err(Cause::off_schema)?;
        fits(emission, output, &key, &value)?;
        Ok(Kept { key, value })
    }

    fn key(&mut self, emission: &Emission<'_>, output: usize, cell: Cell<'_>) -> Result<Part, String> {
        let target = emission.target(output);
        match cell {
            Cell::Null => Ok(Part::Null),
            Cell::Inherit => Ok(Part::Input),
            Cell::Bytes(bytes, range) => self.framed(&target.key, bytes, Part::Plugin(range)).map_err(|error| {
                format!("the plugin's key for topic {} is not of the schema that it declared: {error}", target.topic)
            }),
        }
    }

    fn value(&mut self, emission: &Emission<'_>, output: usize, cell: Cell<'_>) -> Result<Part, String> {
        let target = emission.target(output);
        let (bytes, as_it_is) = match cell {
            Cell::Null => return Ok(Part::Null),
            Cell::Inherit if !target.same_as_input => return Ok(Part::Input),
            Cell::Inherit => {
                let range = emission.rows.value(emission.row(output));
                (&emission.rows.batch.values.data[range.clone()], Part::Row(range))
            }
            Cell::Bytes(bytes, range) => (bytes, Part::Plugin(range)),
        };
        self.framed(&target.encoding, bytes, as_it_is).map_err(|error| {
            format!("the plugin's output for topic {} is not of the schema that it declared: {error}", target.topic)
        })
    }

    fn framed(&mut self, encoding: &Encoding, bytes: &[u8], as_it_is: Part) -> Result<Part, String> {
        let start = self.bytes.len();
        match encode(encoding, bytes, &mut self.bytes) {
            Ok(true) => Ok(Part::Framed(start..self.bytes.len())),
            Ok(false) => Ok(as_it_is),
            Err(error) => {
                self.bytes.truncate(start);
                Err(error)
            }
        }
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

/// Whether the record can be sent at all.
fn fits(emission: &Emission<'_>, output: usize, key: &Part, value: &Part) -> Result<(), Cause> {
    let (message, target) = (emission.message(output), emission.target(output));
    let length = |part: &Part, input: usize| match part {
        Part::Null | Part::Bad => 0,
        Part::Input => input,
        Part::Row(range) | Part::Plugin(range) | Part::Framed(range) => range.len(),
    };
    let mut bytes = size::of_record(length(key, message.key_len()), length(value, message.payload_len()));
    if bytes + HEADERS_BYTES_USUAL > target.record_bytes_max {
        bytes += headers(emission, output).as_ref().map_or(0, size::of_headers);
    }
    if bytes <= target.record_bytes_max { Ok(()) } else { Err(Cause::too_large(bytes, target)) }
}

/// Those of one output; rarely asked for.
fn headers(emission: &Emission<'_>, output: usize) -> Option<OwnedHeaders> {
    match &emission.outcome.emitted.headers {
        None => emission.message(output).headers().map(|headers| headers.detach()),
        Some(headers) => {
            let mut cells = HeaderCells::new(headers);
            (0..=output).map(|i| cells.merge(i, emission.message(i))).last().flatten()
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
    let mut headers = emitted.headers.as_ref().map(HeaderCells::new);
    let mut sent = 0;
    for i in 0..emitted.inputs.len() {
        let (message, target) = (emission.message(i), emission.target(i));
        let headers = match &mut headers {
            Some(cells) => cells.merge(i, message),
            None => message.headers().map(|headers| headers.detach()),
        };
        let Kept { key, value } = &framed.records[*next + i];
        let value = match value {
            Part::Bad => continue,
            Part::Null => None,
            Part::Input => message.payload(),
            Part::Row(range) => Some(&emission.rows.batch.values.data[range.clone()]),
            Part::Plugin(range) => Some(&emitted.values.data[range.clone()]),
            Part::Framed(range) => Some(&framed.bytes[range.clone()]),
        };
        let (key, partition) = match (key, &emitted.keys) {
            (Part::Plugin(range), Some(keys)) => with_key(&keys.data[range.clone()], target),
            (Part::Framed(range), _) => with_key(&framed.bytes[range.clone()], target),
            (Part::Null, _) => (None, Some(message.partition() % target.partitions)),
            _ => inherited(message, target),
        };
        let timestamp_ms = emitted.timestamps.as_ref().map_or_else(|| message.timestamp().to_millis(), |t| Some(t[i]));
        transaction.send(Record { topic: &target.topic, partition, key, value, timestamp_ms, headers })?;
        sent += 1;
    }
    *next += emitted.inputs.len();
    Ok(sent)
}

/// A new key chooses the partition.
fn with_key<'b>(key: &'b [u8], target: &Target) -> (Option<&'b [u8]>, Option<i32>) {
    (Some(key), Some(partition::of_key(key, target.partitions)))
}

/// Key and partition are the input's own, unless the topics differ in shape.
fn inherited<'b>(message: &'b BorrowedMessage<'_>, target: &Target) -> (Option<&'b [u8]>, Option<i32>) {
    match message.key() {
        key if target.partitions == target.input_partitions => (key, Some(message.partition())),
        Some(key) => with_key(key, target),
        None => (None, Some(message.partition() % target.partitions)),
    }
}
