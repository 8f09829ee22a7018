//! Collects what a batch emits, in columns. What no record sets has no column.

use crate::bindings::transformer::Emitted;
use crate::bindings::types::{Batch, Headers};
use crate::column::Strings;
use crate::emit::{Reject, Single};
use crate::payload::Payload;

/// The columns behind `values` begin where the first record sets something, and end where the last one does.
#[derive(Debug, Default)]
pub struct Emitter {
    input: u32,
    output: u8,
    inputs: Vec<u32>,
    values: Strings,
    outputs: Vec<u8>,
    keys: Strings,
    timestamps: Vec<Option<i64>>,
    header_counts: Vec<u32>,
    header_names: Strings,
    header_values: Strings,
}

impl Emitter {
    /// With room for a record from each input, as large as that.
    pub(crate) fn for_batch(batch: &Batch) -> Self {
        let (records, bytes) = (batch.timestamps.len(), batch.values.data.len());
        Self { inputs: Vec::with_capacity(records), values: Strings::with_capacity(records, bytes), ..Self::default() }
    }

    /// One record to the output of this number.
    #[inline]
    pub fn to(&mut self, output: u8, record: impl Single) -> Result<(), Reject> {
        self.output = output;
        let emitted = record.emit(self);
        self.output = 0;
        emitted
    }

    #[inline]
    pub(crate) fn value(&mut self, value: &impl Payload) -> Result<(), Reject> {
        self.begin();
        value.write(&mut self.values)
    }

    pub(crate) fn tombstone(&mut self) {
        self.begin();
        self.values.push_null();
    }

    #[inline]
    fn begin(&mut self) {
        if self.output != 0 {
            self.outputs.resize(self.inputs.len(), 0);
            self.outputs.push(self.output);
        }
        self.inputs.push(self.input);
    }

    /// The number of the record begun last, whose key, timestamp and headers are being set.
    fn last(&self) -> usize {
        self.inputs.len() - 1
    }

    pub(crate) fn key(&mut self, key: &impl Payload) -> Result<(), Reject> {
        self.keys.pad(self.last());
        key.write(&mut self.keys)
    }

    pub(crate) fn no_key(&mut self) {
        self.keys.pad(self.last());
        self.keys.push_null();
    }

    pub(crate) fn timestamp(&mut self, milliseconds: i64) -> Result<(), Reject> {
        if milliseconds < 0 {
            return Err(Reject(format!("timestamp {milliseconds} is before the epoch")));
        }
        self.timestamps.resize(self.last(), None);
        self.timestamps.push(Some(milliseconds));
        Ok(())
    }

    /// `None` removes the input's header of that name.
    pub(crate) fn headers<'h>(&mut self, headers: impl ExactSizeIterator<Item = (&'h str, Option<&'h [u8]>)>) {
        if headers.len() == 0 {
            return;
        }
        self.header_counts.resize(self.last(), 0);
        self.header_counts.push(headers.len() as u32);
        for (name, value) in headers {
            self.header_names.push(name.as_bytes());
            match value {
                Some(value) => self.header_values.push(value),
                None => self.header_values.push_same(),
            }
        }
    }

    /// Runs one record; a rejected one leaves nothing behind.
    #[inline]
    pub(crate) fn record<E>(&mut self, input: u32, run: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let before = self.inputs.len();
        self.input = input;
        let done = run(self);
        if done.is_err() {
            self.truncate(before);
        }
        done
    }

    #[cold]
    fn truncate(&mut self, count: usize) {
        self.inputs.truncate(count);
        self.values.truncate(count);
        self.outputs.truncate(count);
        self.keys.truncate(count);
        self.timestamps.truncate(count);
        self.header_counts.truncate(count);
        let headers = self.header_counts.iter().sum::<u32>() as usize;
        self.header_names.truncate(headers);
        self.header_values.truncate(headers);
    }

    /// `timestamps` are the batch's, for the records that inherit theirs while others do not.
    pub(crate) fn finish(mut self, timestamps: &[i64]) -> Emitted {
        let records = self.inputs.len();
        let stamped = (!self.timestamps.is_empty()).then(|| {
            self.timestamps.resize(records, None);
            let inherited = self.inputs.iter().map(|&input| timestamps[input as usize]);
            self.timestamps.iter().zip(inherited).map(|(own, inherited)| own.unwrap_or(inherited)).collect()
        });
        let keys = (!self.keys.is_empty()).then(|| {
            self.keys.pad(records);
            self.keys.finish()
        });
        let outputs = (!self.outputs.is_empty()).then(|| {
            self.outputs.resize(records, 0);
            self.outputs
        });
        let headers = (!self.header_counts.is_empty()).then(|| {
            self.header_counts.resize(records, 0);
            let (names, values) = (self.header_names.finish(), self.header_values.finish());
            Headers { counts: self.header_counts, names, values }
        });
        Emitted { inputs: self.inputs, outputs, values: self.values.finish(), keys, timestamps: stamped, headers }
    }
}
