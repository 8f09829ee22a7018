//! The buffers in which one plugin is handed one group; reused from group to group.
//!
//! Holds what the plugin's wiring asks for and nothing else. Never decides what becomes of a record.

use rdkafka::message::{BorrowedMessage, Headers as _, Message};

use crate::guest::{Batch, Column, Headers, Positions, Wants, Wiring};

pub struct Rows {
    pub batch: Batch,
    /// The message of each row, by index into what was polled.
    pub messages: Vec<u32>,
    /// Where each row's value starts.
    pub starts: Vec<usize>,
}

impl Rows {
    pub fn new(wiring: &Wiring) -> Rows {
        let column = || Column { data: Vec::new(), lengths: Vec::new() };
        let headers = || Headers { counts: Vec::new(), names: column(), values: column() };
        let positions = || Positions { topic: String::new(), partition: 0, offsets: Vec::new() };
        let batch = Batch {
            values: column(),
            timestamps: Vec::new(),
            keys: wiring.key.as_ref().map(|_| column()),
            headers: wiring.wants.contains(Wants::HEADERS).then(headers),
            positions: wiring.wants.contains(Wants::POSITIONS).then(positions),
        };
        Rows { batch, messages: Vec::new(), starts: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The value of a row as it is handed over; a tombstone's is empty.
    pub fn value(&self, row: usize) -> std::ops::Range<usize> {
        self.starts[row]..self.starts[row] + self.batch.values.lengths[row].max(0) as usize
    }

    /// Completes a row whose key and value are the last of their columns; the value stands from `start` on.
    pub fn push(&mut self, index: u32, message: &BorrowedMessage<'_>, start: usize) {
        self.starts.push(start);
        self.messages.push(index);
        self.batch.timestamps.push(message.timestamp().to_millis().unwrap_or(0));
        if let Some(headers) = &mut self.batch.headers {
            let borrowed = message.headers();
            headers.counts.push(borrowed.map_or(0, |h| h.count() as u32));
            for header in borrowed.into_iter().flat_map(|h| h.iter()) {
                push(&mut headers.names, Some(header.key.as_bytes()));
                push(&mut headers.values, header.value);
            }
        }
        if let Some(positions) = &mut self.batch.positions {
            if positions.offsets.is_empty() {
                message.topic().clone_into(&mut positions.topic);
                positions.partition = message.partition();
            }
            positions.offsets.push(message.offset());
        }
    }

    /// Takes the last row back, and gives its message.
    pub fn pop(&mut self) -> Option<u32> {
        let message = self.messages.pop()?;
        if let Some(start) = self.starts.pop() {
            self.batch.values.data.truncate(start);
        }
        self.batch.values.lengths.pop();
        self.batch.timestamps.pop();
        self.pop_key();
        if let Some(headers) = &mut self.batch.headers {
            for _ in 0..headers.counts.pop().unwrap_or(0) {
                pop(&mut headers.names);
                pop(&mut headers.values);
            }
        }
        if let Some(positions) = &mut self.batch.positions {
            positions.offsets.pop();
        }
        Some(message)
    }

    /// Takes the last key back.
    pub fn pop_key(&mut self) {
        self.batch.keys.as_mut().map(pop);
    }

    pub fn clear(&mut self) {
        let empty = |column: &mut Column| {
            column.data.clear();
            column.lengths.clear();
        };
        self.messages.clear();
        self.starts.clear();
        empty(&mut self.batch.values);
        self.batch.timestamps.clear();
        self.batch.keys.as_mut().map(empty);
        if let Some(headers) = &mut self.batch.headers {
            headers.counts.clear();
            empty(&mut headers.names);
            empty(&mut headers.values);
        }
        if let Some(positions) = &mut self.batch.positions {
            positions.offsets.clear();
        }
    }
}

fn pop(column: &mut Column) {
    let length = column.lengths.pop().unwrap_or(0);
    column.data.truncate(column.data.len().saturating_sub(usize::try_from(length).unwrap_or(0)));
}

fn push(column: &mut Column, bytes: Option<&[u8]>) {
    match bytes {
        None => column.lengths.push(-1),
        Some(bytes) => {
            column.data.extend_from_slice(bytes);
            column.lengths.push(bytes.len() as i32);
        }
    }
}
