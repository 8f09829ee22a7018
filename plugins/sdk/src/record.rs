//! A record to emit with more than a value.

use crate::bindings::types::Output;
use crate::emit::{Reject, Single, Target};
use crate::emitter::Emitter;
use crate::payload::{Keep, Payload};
use std::borrow::Cow;

/// A value or a tombstone, and what it shall not inherit from the input. What is not set is inherited.
///
/// `K` is the type of the key it may get: `Record<Word<'_>, &str>` has text, and `Record<Order, CustomerId>` an Avro
/// key where `CustomerId` derives `AvroRecord`. A `Record<Word<'_>>` keeps the input's key or has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<T, K = Keep> {
    value: Option<T>,
    key: Key<K>,
    timestamp: Option<i64>,
    headers: Vec<(Cow<'static, str>, Option<Vec<u8>>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key<K> {
    Inherited,
    None,
    New(K),
}

impl<T> Record<T> {
    pub fn new(value: T) -> Self {
        Self::from(value)
    }

    /// A null value: it deletes its key in a compacted topic.
    pub fn tombstone() -> Self {
        Self { value: None, key: Key::Inherited, timestamp: None, headers: Vec::new() }
    }
}

impl<T, K> Record<T, K> {
    /// The record goes to the partition of this key.
    #[must_use]
    pub fn key<N>(self, key: N) -> Record<T, N> {
        Record { value: self.value, key: Key::New(key), timestamp: self.timestamp, headers: self.headers }
    }

    #[must_use]
    pub fn no_key(mut self) -> Self {
        self.key = Key::None;
        self
    }

    /// Milliseconds since the epoch, none before it.
    #[must_use]
    pub fn timestamp(mut self, milliseconds: i64) -> Self {
        self.timestamp = Some(milliseconds);
        self
    }

    /// Replaces the input's header of this name; its others stay.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    #[must_use]
    pub fn remove_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name.into(), None));
        self
    }
}

/// The value alone, whatever key its neighbours have.
impl<T, K> From<T> for Record<T, K> {
    fn from(value: T) -> Self {
        Self { value: Some(value), key: Key::Inherited, timestamp: None, headers: Vec::new() }
    }
}

impl<T: Payload, K: Payload> Single for Record<T, K> {
    fn output(target: Target) -> Output {
        Output { key: K::format(), ..T::output(target) }
    }

    fn emit(self, out: &mut Emitter) -> Result<(), Reject> {
        match &self.value {
            Some(value) => out.value(value)?,
            None => out.tombstone(),
        }
        match &self.key {
            Key::Inherited => {}
            Key::None => out.no_key(),
            Key::New(key) => out.key(key)?,
        }
        if let Some(timestamp) = self.timestamp {
            out.timestamp(timestamp)?;
        }
        out.headers(self.headers.iter().map(|(name, value)| (name.as_ref(), value.as_deref())));
        Ok(())
    }
}
