//! What a transform's return value turns into.

use crate::bindings::types::Output;
use crate::emitter::Emitter;
use crate::payload::{Keep, Payload};

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

/// Exactly one record to one output: a payload, or a [`crate::Record`] around one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no record that can be emitted",
    label = "cannot be emitted",
    note = "a record derives AvroRecord, or is &str, String, &[u8], Vec<u8>, JsonText, Json or Keep, or a Record<..> \
            of such a value"
)]
pub trait Single {
    fn output(target: Target) -> Output;
    fn emit(self, out: &mut Emitter) -> Result<(), Reject>;
}

impl<T: Payload> Single for T {
    fn output(target: Target) -> Output {
        Output { name: target.name.to_owned(), topic: target.topic.to_owned(), value: T::format(), key: None }
    }
    #[inline]
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        out.value(&self)
    }
}

/// What a transform may return: a record, an enum that derives `Outputs`, a `bool` that keeps the input or drops it, or
/// any nesting of `Option`, `Vec` and `Result<_, Reject>` around these. `impl Iterator` is the attribute's doing.
#[diagnostic::on_unimplemented(
    message = "a transform cannot return `{Self}`",
    label = "cannot be emitted",
    note = "it returns a record (what derives AvroRecord, &str, String, &[u8], Vec<u8>, JsonText, Json, Keep, or a \
            Record<..> of such a value), an enum that derives Outputs, or a bool; or any nesting of Option, Vec, \
            Result<_, Reject> and impl Iterator<Item = _> around these"
)]
pub trait IntoEmitted {
    /// The outputs such a value can go to; `target` is the transform's own.
    fn outputs(target: Target) -> Vec<Output>;
    fn emit(self, out: &mut Emitter) -> Result<(), Reject>;
}

impl<T: Single> IntoEmitted for T {
    fn outputs(target: Target) -> Vec<Output> {
        vec![T::output(target)]
    }
    #[inline]
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        Single::emit(self, out)
    }
}

/// True passes the record on as it is, false drops it.
impl IntoEmitted for bool {
    fn outputs(target: Target) -> Vec<Output> {
        vec![Keep::output(target)]
    }
    #[inline]
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        self.then_some(Keep).emit(out)
    }
}

impl<T: IntoEmitted> IntoEmitted for Option<T> {
    fn outputs(target: Target) -> Vec<Output> {
        T::outputs(target)
    }
    #[inline]
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        self.map_or(Ok(()), |value| value.emit(out))
    }
}

impl<T: IntoEmitted> IntoEmitted for Vec<T> {
    fn outputs(target: Target) -> Vec<Output> {
        T::outputs(target)
    }
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        Each(self.into_iter()).emit(out)
    }
}

impl<T: IntoEmitted> IntoEmitted for Result<T, Reject> {
    fn outputs(target: Target) -> Vec<Output> {
        T::outputs(target)
    }
    #[inline]
    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        self?.emit(out)
    }
}

/// For the attribute: an iterator, whose own type may have no name.
#[doc(hidden)]
pub struct Each<I>(pub I);

impl<I: Iterator<Item: IntoEmitted>> IntoEmitted for Each<I> {
    fn outputs(target: Target) -> Vec<Output> {
        I::Item::outputs(target)
    }
    #[inline]
    fn emit(mut self, out: &mut Emitter) -> Result<(), Reject> {
        self.0.try_for_each(|value| value.emit(out))
    }
}
