//! What a transform's return value turns into.

use crate::bindings::{transformer::Emitted, types};
use crate::codec::Encode;

/// The record cannot be handled: a dead letter with this reason; its neighbours go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject(pub String);

impl Reject {
    pub fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// A name and a default topic for one output.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub topic: &'static str,
}

/// A value a transform may return: a record, or any nesting of `Option`, `Vec` and `Result<_, Reject>` around one.
pub trait IntoEmitted {
    /// The outputs such a value can go to; `target` is the transform's own.
    fn outputs(target: Target) -> Vec<types::Output>;
    fn emit(self, out: &mut Emitter) -> Result<(), Reject>;
}

impl<T: IntoEmitted> IntoEmitted for Option<T> {
    fn outputs(target: Target) -> Vec<types::Output> {
        T::outputs(target)
    }
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        self.map_or(Ok(()), |value| value.emit(out))
    }
}

impl<T: IntoEmitted> IntoEmitted for Vec<T> {
    fn outputs(target: Target) -> Vec<types::Output> {
        T::outputs(target)
    }
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        self.into_iter().try_for_each(|value| value.emit(out))
    }
}

impl<T: IntoEmitted> IntoEmitted for Result<T, Reject> {
    fn outputs(target: Target) -> Vec<types::Output> {
        T::outputs(target)
    }
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        self?.emit(out)
    }
}

/// Collects what a batch emits.
#[derive(Debug, Default)]
pub struct Emitter {
    input: u32,
    inputs: Vec<u32>,
    outputs: Vec<u8>,
    data: Vec<u8>,
    lengths: Vec<i32>,
}

impl Emitter {
    /// One record to the output of this number.
    pub fn push(&mut self, output: u8, value: &impl Encode) {
        let start = self.data.len();
        value.encode(&mut self.data);
        self.inputs.push(self.input);
        self.outputs.push(output);
        self.lengths.push((self.data.len() - start) as i32);
    }

    /// Runs one record; a rejected one leaves nothing behind.
    pub(crate) fn record<E>(&mut self, input: u32, run: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let (emitted, bytes) = (self.inputs.len(), self.data.len());
        self.input = input;
        let done = run(self);
        if done.is_err() {
            self.inputs.truncate(emitted);
            self.outputs.truncate(emitted);
            self.lengths.truncate(emitted);
            self.data.truncate(bytes);
        }
        done
    }

    pub(crate) fn finish(self) -> Emitted {
        let only_first = self.outputs.iter().all(|&output| output == 0);
        Emitted {
            inputs: self.inputs,
            outputs: (!only_first).then_some(self.outputs),
            values: types::Column { data: self.data, lengths: self.lengths },
            keys: None,
            timestamps: None,
            headers: None,
        }
    }
}
