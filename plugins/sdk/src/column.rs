//! The contract's columns: byte strings back to back, read without copying and written without a Vec for each.

use crate::bindings::types::Column;

const NULL: i32 = -1;
/// The input's own.
const SAME: i32 = -2;

/// Consecutive strings of a column; null is `None`.
#[derive(Debug, Clone, Copy, Default)]
pub struct View<'a> {
    data: &'a [u8],
    lengths: &'a [i32],
}

impl<'a> View<'a> {
    pub fn of(column: &'a Column) -> Self {
        Self { data: &column.data, lengths: &column.lengths }
    }

    /// The next strings, this many.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let start = *self;
        self.by_ref().take(count).for_each(drop);
        let lengths = start.lengths.len() - self.lengths.len();
        let bytes = start.data.len() - self.data.len();
        Self { data: &start.data[..bytes], lengths: &start.lengths[..lengths] }
    }
}

impl<'a> Iterator for View<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&length, lengths) = self.lengths.split_first()?;
        self.lengths = lengths;
        // What stands for null, or would not fit, takes no bytes.
        let split = usize::try_from(length).ok().and_then(|length| self.data.split_at_checked(length));
        Some(split.map(|(string, rest)| {
            self.data = rest;
            string
        }))
    }
}

/// A column under construction.
#[derive(Debug, Default)]
pub struct Strings {
    data: Vec<u8>,
    lengths: Vec<i32>,
}

impl Strings {
    pub(crate) fn with_capacity(strings: usize, bytes: usize) -> Self {
        Self { data: Vec::with_capacity(bytes), lengths: Vec::with_capacity(strings) }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.push_with(|out| out.extend_from_slice(bytes));
    }

    /// The string that `write` appends.
    #[inline]
    pub fn push_with<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let start = self.data.len();
        let written = write(&mut self.data);
        self.lengths.push((self.data.len() - start) as i32);
        written
    }

    pub fn push_null(&mut self) {
        self.lengths.push(NULL);
    }

    /// The input's own.
    pub fn push_same(&mut self) {
        self.lengths.push(SAME);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The strings not spoken of up to this number are the input's own.
    pub(crate) fn pad(&mut self, count: usize) {
        self.lengths.resize(count, SAME);
    }

    pub(crate) fn truncate(&mut self, count: usize) {
        let gone = self.lengths.get(count..).unwrap_or_default();
        let bytes: usize = gone.iter().map(|&length| usize::try_from(length).unwrap_or(0)).sum();
        self.data.truncate(self.data.len() - bytes);
        self.lengths.truncate(count);
    }

    pub(crate) fn finish(self) -> Column {
        Column { data: self.data, lengths: self.lengths }
    }
}
