//! Output records of groups, with few calls of the plugin.

use super::columns;
use super::error::{Error, in_window, printable};
use super::functions::{Fault, Functions};
use super::time::Windows;
use super::wire::{self, Entry};
use crate::guest::{Column, Finished};

/// A call's groups and bytes are bounded, as the plugin's memory is.
const GROUPS_MAX: usize = 10_000;
const BYTES_MAX: usize = 4 << 20;

/// A record for the output topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The group's key, by which the partition is chosen.
    pub key: Vec<u8>,
    /// `None` without windows.
    pub window_start: Option<i64>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The greatest timestamp of the group's records.
    pub timestamp: i64,
}

impl Output {
    /// The key as it is written.
    pub fn windowed_key(&self) -> Vec<u8> {
        wire::output_key(&self.key, self.window_start)
    }
}

/// Its key and window, for people.
impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key {}{}", printable(&self.key), in_window(self.window_start))
    }
}

/// Collects groups and finishes them chunk by chunk.
pub(super) struct Finisher<'a, F> {
    plugin: &'a str,
    windows: Option<Windows>,
    functions: &'a mut F,
    starts: Vec<i64>,
    ends: Vec<i64>,
    keys: Column,
    accumulators: Column,
    timestamps: Vec<i64>,
    outputs: Vec<Output>,
}

impl<'a, F: Functions> Finisher<'a, F> {
    pub(super) fn new(plugin: &'a str, windows: Option<Windows>, functions: &'a mut F) -> Finisher<'a, F> {
        let (keys, accumulators) = (columns::empty(), columns::empty());
        let (starts, ends, timestamps, outputs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Finisher { plugin, windows, functions, starts, ends, keys, accumulators, timestamps, outputs }
    }

    /// A group, by its store key.
    pub(super) fn push(&mut self, at: &[u8], entry: Entry<'_>) -> Result<(), Error> {
        let Some((start, key)) = wire::parse_group_key(at) else { return Ok(()) };
        if let Some(windows) = self.windows {
            self.starts.push(start);
            self.ends.push(windows.end(start));
        }
        columns::push(&mut self.keys, key);
        columns::push(&mut self.accumulators, entry.accumulator);
        self.timestamps.push(entry.greatest);
        let bytes = self.keys.data.len() + self.accumulators.data.len();
        if self.timestamps.len() >= GROUPS_MAX || bytes >= BYTES_MAX { self.flush() } else { Ok(()) }
    }

    pub(super) fn end(mut self) -> Result<Vec<Output>, Error> {
        self.flush()?;
        Ok(self.outputs)
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.timestamps.is_empty() {
            return Ok(());
        }
        let finished = self.functions.finish(&self.starts, &self.ends, &self.keys, &self.accumulators);
        let Finished { inputs, values } = finished.map_err(|fault| self.explain(fault))?;
        let keys: Vec<_> = columns::entries(&self.keys).collect();
        let accumulators: Vec<_> = columns::entries(&self.accumulators).collect();
        let outputs = inputs.iter().zip(values.lengths.iter().zip(columns::entries(&values)));
        for (&input, (&length, value)) in outputs {
            let at = input as usize;
            let value = if length == -2 { accumulators.get(at).copied().flatten() } else { value };
            let (Some(Some(key)), Some(&timestamp)) = (keys.get(at), self.timestamps.get(at)) else { continue };
            let window_start = self.starts.get(at).copied();
            let (key, value) = (key.to_vec(), value.map(<[u8]>::to_vec));
            self.outputs.push(Output { key, window_start, value, timestamp });
        }
        self.starts.clear();
        self.ends.clear();
        self.timestamps.clear();
        self.keys = columns::empty();
        self.accumulators = columns::empty();
        Ok(())
    }

    fn explain(&self, fault: Fault) -> Error {
        let plugin = self.plugin.to_owned();
        match fault {
            Fault::Instance(error) => Error::Instance { plugin, error },
            Fault::Group { index, failure } => {
                let key = columns::entries(&self.keys).nth(index).flatten().unwrap_or_default();
                let window = in_window(self.starts.get(index).copied());
                Error::Function { plugin, function: "finish", window, key: printable(key), failure: failure.into() }
            }
        }
    }
}
