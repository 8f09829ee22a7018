//! Walks over the columns of a plugin's outcome, which the guest module has checked. Never copies a value.

use std::ops::Range;

use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message, OwnedHeaders};

use crate::guest::{Column, Headers};

/// A walk over a column.
pub(super) struct Cells<'a> {
    column: &'a Column,
    at: usize,
}

/// One entry of a column.
pub(super) enum Cell<'a> {
    Null,
    /// -2: the input's own.
    Inherit,
    Bytes(&'a [u8], Range<usize>),
}

impl<'a> Cells<'a> {
    pub(super) fn new(column: &'a Column) -> Cells<'a> {
        Cells { column, at: 0 }
    }

    pub(super) fn next(&mut self, index: usize) -> Cell<'a> {
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

/// Headers that a plugin sets: they replace the input's of the same name; -2 removes the name.
pub(super) struct HeaderCells<'a> {
    headers: &'a Headers,
    names: Cells<'a>,
    values: Cells<'a>,
    at: usize,
}

impl<'a> HeaderCells<'a> {
    pub(super) fn new(headers: &'a Headers) -> HeaderCells<'a> {
        HeaderCells { headers, names: Cells::new(&headers.names), values: Cells::new(&headers.values), at: 0 }
    }

    pub(super) fn merge(&mut self, index: usize, message: &BorrowedMessage<'_>) -> Option<OwnedHeaders> {
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
