//! Avro's binary encoding, as it is met: a cursor over hostile bytes, and a scanner which finds where a datum ends.
//!
//! It allocates nothing, never panics, and never looks at what a string says: that a string's bytes are UTF-8 is the
//! reader's to check, as it is in Java.

use std::borrow::Cow;

use super::Malformed;
use super::shape::{Id, Kind, MAX_DEPTH, Shapes};

/// How many items of no bytes (nulls, empty records) a datum may hold. Any other item takes a byte of the datum, so
/// that this bounds the work and the output a short datum can ask for.
const MAX_EMPTY_ITEMS: usize = 65_536;

pub(crate) struct Cursor<'a> {
    datum: &'a [u8],
    pub(crate) at: usize,
    depth: usize,
    empty_items: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(datum: &'a [u8]) -> Cursor<'a> {
        Cursor { datum, at: 0, depth: 0, empty_items: 0 }
    }

    pub(crate) fn malformed(&self, why: impl Into<Cow<'static, str>>) -> Malformed {
        Malformed { at: self.at, why: why.into() }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let rest = self.datum.get(self.at..).unwrap_or_default();
        let Some(taken) = rest.get(..length) else {
            return Err(self.malformed(format!("{length} bytes are due and {} are left", rest.len())));
        };
        self.at += length;
        Ok(taken)
    }

    /// What lies between an earlier place and this one.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.datum.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn long(&mut self) -> Result<i64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.datum.get(self.at) else {
                return Err(self.malformed("a number is cut short"));
            };
            if shift == 63 && byte > 1 {
                break;
            }
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(self.malformed("a number is longer than 64 bits"))
    }

    pub(crate) fn int(&mut self) -> Result<i32, Malformed> {
        let value = self.long()?;
        i32::try_from(value).map_err(|_| self.malformed(format!("{value} is no int")))
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(self.malformed("a boolean is neither 0 nor 1")),
        }
    }

    pub(crate) fn float(&mut self) -> Result<f32, Malformed> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4)?);
        Ok(f32::from_le_bytes(bytes))
    }

    pub(crate) fn double(&mut self) -> Result<f64, Malformed> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(f64::from_le_bytes(bytes))
    }

    /// The bytes of a string, or bytes.
    pub(crate) fn blob(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| self.malformed(format!("a length is {length}")))?;
        self.take(length)
    }

    /// An enum's or a union's index.
    pub(crate) fn index(&mut self, count: usize) -> Result<usize, Malformed> {
        let index = self.long()?;
        let known = usize::try_from(index).ok().filter(|&index| index < count);
        known.ok_or_else(|| self.malformed(format!("the index {index} is not one of {count}")))
    }

    /// How many items follow in this block; none after the last block. The size in bytes that goes with a negative
    /// count is of no use to one who reads every item.
    pub(crate) fn block(&mut self) -> Result<u64, Malformed> {
        let count = self.long()?;
        if count < 0 && self.long()? < 0 {
            return Err(self.malformed("a block's size is negative"));
        }
        Ok(count.unsigned_abs())
    }

    /// To be called after each item, with the place at which it began.
    pub(crate) fn item_since(&mut self, start: usize) -> Result<(), Malformed> {
        if self.at == start {
            self.empty_items += 1;
            if self.empty_items > MAX_EMPTY_ITEMS {
                return Err(self.malformed(format!("more than {MAX_EMPTY_ITEMS} items have no bytes")));
            }
        }
        Ok(())
    }

    pub(crate) fn down(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.malformed(format!("the datum is nested more than {MAX_DEPTH} deep")));
        }
        Ok(())
    }

    pub(crate) fn up(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn end(&self) -> Result<(), Malformed> {
        match self.datum.len().saturating_sub(self.at) {
            0 => Ok(()),
            left => Err(self.malformed(format!("{left} bytes are left over"))),
        }
    }

    /// Goes to the end of a datum of this shape.
    pub(super) fn scan(&mut self, shapes: &Shapes, id: Id) -> Result<(), Malformed> {
        match shapes.kind(id) {
            Kind::Null => Ok(()),
            Kind::Boolean => self.boolean().map(drop),
            Kind::Int => self.int().map(drop),
            Kind::Long => self.long().map(drop),
            Kind::Float => self.take(4).map(drop),
            Kind::Double => self.take(8).map(drop),
            Kind::Bytes | Kind::String => self.blob().map(drop),
            Kind::Fixed(size) => self.take(*size).map(drop),
            Kind::Enum { symbols, .. } => self.index(symbols.len()).map(drop),
            Kind::Array(item) => self.scan_items(shapes, *item, false),
            Kind::Map(value) => self.scan_items(shapes, *value, true),
            Kind::Union(branches) => {
                let branch = branches[self.index(branches.len())?];
                self.down()?;
                self.scan(shapes, branch)?;
                self.up();
                Ok(())
            }
            Kind::Record(fields) => {
                self.down()?;
                for field in fields {
                    self.scan(shapes, field.shape)?;
                }
                self.up();
                Ok(())
            }
        }
    }

    fn scan_items(&mut self, shapes: &Shapes, item: Id, keyed: bool) -> Result<(), Malformed> {
        self.down()?;
        loop {
            let count = self.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                let start = self.at;
                if keyed {
                    self.blob()?;
                }
                self.scan(shapes, item)?;
                self.item_since(start)?;
            }
        }
        self.up();
        Ok(())
    }
}

pub(crate) fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(crate) fn put_blob(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    out.extend_from_slice(bytes);
}
