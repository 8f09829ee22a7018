//! What a transform may know of a record besides its value. Nothing but the timestamp is there unasked.

use crate::bindings::types::{self, Batch};
use crate::column::View;

/// Of one record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The key as it stands on its topic, a registry's frame included; with `#[transform(.., key)]`.
    pub key: Option<&'a [u8]>,
    /// With `#[transform(.., headers)]`.
    pub headers: Headers<'a>,
    /// With `#[transform(.., position)]`.
    pub position: Option<Position<'a>>,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
}

/// A record's headers in their order. A name may come more than once, a value may be null.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    names: View<'a>,
    values: View<'a>,
}

impl<'a> Headers<'a> {
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        let names = self.names.map(|name| std::str::from_utf8(name.unwrap_or_default()).unwrap_or_default());
        names.zip(self.values)
    }

    /// The value of the last header of this name, as Kafka's own clients look it up; null is `None` too.
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(own, _)| *own == name).last().and_then(|(_, value)| value)
    }
}

/// The contexts of a batch, in order.
pub(crate) struct Contexts<'a> {
    batch: &'a Batch,
    next: usize,
    keys: View<'a>,
    headers: Headers<'a>,
}

impl<'a> Contexts<'a> {
    pub(crate) fn of(batch: &'a Batch) -> Self {
        let keys = batch.keys.as_ref().map(View::of).unwrap_or_default();
        let all = |types::Headers { names, values, .. }: &'a types::Headers| Headers {
            names: View::of(names),
            values: View::of(values),
        };
        Self { batch, next: 0, keys, headers: batch.headers.as_ref().map(all).unwrap_or_default() }
    }

    fn next_headers(&mut self) -> Headers<'a> {
        let Some(counts) = self.batch.headers.as_ref().map(|headers| &headers.counts) else {
            return Headers::default();
        };
        let count = counts.get(self.next).map_or(0, |&count| count as usize);
        Headers { names: self.headers.names.split_off(count), values: self.headers.values.split_off(count) }
    }

    fn next_position(&self) -> Option<Position<'a>> {
        let positions = self.batch.positions.as_ref()?;
        let offset = *positions.offsets.get(self.next)?;
        Some(Position { topic: &positions.topic, partition: positions.partition, offset })
    }
}

impl<'a> Iterator for Contexts<'a> {
    type Item = Context<'a>;

    #[inline]
    fn next(&mut self) -> Option<Context<'a>> {
        let timestamp = *self.batch.timestamps.get(self.next)?;
        let (headers, position) = (self.next_headers(), self.next_position());
        self.next += 1;
        Some(Context { timestamp, key: self.keys.next().flatten(), headers, position })
    }
}
