//! What a transform may take as its record: Avro, JSON, text or bytes, and tombstones where `Option` says so.

use crate::bindings::types::Format;
use crate::codec::{Decode, decode_record};
use crate::emit::Reject;

/// The type of a transform's first parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no input of a transform",
    label = "no input",
    note = "a transform's first parameter derives AvroRecord, or is &str, &[u8], JsonText or Json; or an Option of \
            such a type, which is None for a tombstone"
)]
pub trait Input<'a>: Sized {
    /// Whether records with a null value are handed over.
    const TOMBSTONES: bool = false;
    fn format() -> Format;
    /// The value's bytes, `None` for a tombstone.
    fn read(value: Option<&'a [u8]>) -> Result<Self, Reject>;
}

impl<'a, T: Input<'a>> Input<'a> for Option<T> {
    const TOMBSTONES: bool = true;
    fn format() -> Format {
        T::format()
    }
    fn read(value: Option<&'a [u8]>) -> Result<Self, Reject> {
        value.map(|value| T::read(Some(value))).transpose()
    }
}

/// The bytes as they stand on the topic, a registry's frame included.
impl<'a> Input<'a> for &'a [u8] {
    fn format() -> Format {
        Format::Bytes
    }
    fn read(value: Option<&'a [u8]>) -> Result<Self, Reject> {
        present(value)
    }
}

/// The same, as text.
impl<'a> Input<'a> for &'a str {
    fn format() -> Format {
        Format::Bytes
    }
    fn read(value: Option<&'a [u8]>) -> Result<Self, Reject> {
        std::str::from_utf8(present(value)?).map_err(Reject::new)
    }
}

/// For the derive: an Avro record.
#[doc(hidden)]
#[inline]
pub fn read_avro<'a, T: Decode<'a>>(value: Option<&'a [u8]>) -> Result<T, Reject> {
    decode_record(present(value)?).map_err(Reject::new)
}

pub(crate) fn present(value: Option<&[u8]>) -> Result<&[u8], Reject> {
    value.ok_or_else(|| Reject::new("a tombstone was not asked for"))
}
