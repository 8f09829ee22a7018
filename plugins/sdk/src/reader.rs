//! A bounds-checked cursor over Avro binary. It borrows; nothing is copied.

use std::fmt;

/// Why bytes are not a record of the expected schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// The record ends in the middle of a value.
    Short,
    /// The record goes on after its last field.
    Trailing(usize),
    /// A number has more than ten bytes or does not fit its type.
    Number,
    /// A length or a count is negative or larger than what is left.
    Length(i64),
    /// A union branch, an enum symbol or a boolean that does not exist.
    Index(i64),
    /// A string is not UTF-8.
    Utf8,
    /// Bytes that do not fit the logical type named here.
    Logical(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the record ends too early"),
            Self::Trailing(left) => write!(f, "{left} bytes are left after the last field"),
            Self::Number => f.write_str("a number is out of range"),
            Self::Length(n) => write!(f, "length {n} does not fit the record"),
            Self::Index(n) => write!(f, "there is no branch or symbol {n}"),
            Self::Utf8 => f.write_str("a string is not UTF-8"),
            Self::Logical(what) => write!(f, "not a valid {what}"),
        }
    }
}

impl std::error::Error for DecodeError {}

fn signed(zigzag: u64) -> i64 {
    (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
}

/// The unread rest of one record.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(record: &'a [u8]) -> Self {
        Self { rest: record }
    }

    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub fn long(&mut self) -> Result<i64, DecodeError> {
        // Lengths, branches and most other numbers have one byte.
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(signed(u64::from(byte)))
            }
            _ => self.long_of_many(),
        }
    }

    fn long_of_many(&mut self) -> Result<i64, DecodeError> {
        let mut zigzag = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Number);
            }
            zigzag |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(signed(zigzag));
            }
        }
        Err(DecodeError::Number)
    }

    pub fn int(&mut self) -> Result<i32, DecodeError> {
        i32::try_from(self.long()?).map_err(|_| DecodeError::Number)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.long()?;
        let fits = usize::try_from(len).ok().filter(|&len| len <= self.rest.len());
        self.take(fits.ok_or(DecodeError::Length(len))?)
    }

    /// The branch of a `["null", T]` union: true for T.
    pub fn present(&mut self) -> Result<bool, DecodeError> {
        match self.long()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(DecodeError::Index(other)),
        }
    }

    /// The number of items in the next block of an array or a map; 0 ends it. Every item takes a byte at least, so a
    /// count beyond the record is refused before anything is allocated for it.
    pub fn block(&mut self) -> Result<usize, DecodeError> {
        let count = self.long()?;
        if count < 0 {
            self.long()?; // The block's size in bytes, there for readers that skip.
        }
        let items = usize::try_from(count.unsigned_abs()).map_err(|_| DecodeError::Length(count))?;
        if items > self.rest.len() { Err(DecodeError::Length(count)) } else { Ok(items) }
    }

    pub fn end(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.rest.len())) }
    }
}
