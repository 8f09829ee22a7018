//! What a value or a key may be when it is emitted, and the format that its output declares for it.

use crate::bindings::types::Format;
use crate::column::Strings;
use crate::emit::Reject;
use crate::schema::AvroSchema;

/// A value or a key that can be emitted: what derives `AvroRecord`, text, bytes, JSON, or [`Keep`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value that can be emitted",
    label = "cannot be emitted",
    note = "a value derives AvroRecord, or is &str, String, &[u8], Vec<u8>, JsonText, Json or Keep"
)]
pub trait Payload {
    /// `None`: the input's own.
    fn format() -> Option<Format>;
    /// Pushes exactly one string.
    fn write(&self, out: &mut Strings) -> Result<(), Reject>;
}

/// The input's own value, as it stands on its topic: nothing is copied, and its output has its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep;

impl Payload for Keep {
    fn format() -> Option<Format> {
        None
    }
    fn write(&self, out: &mut Strings) -> Result<(), Reject> {
        out.push_same();
        Ok(())
    }
}

/// Bytes as they are to stand on the topic.
macro_rules! plain {
    ($($type:ty, $value:ident => $bytes:expr);*) => {$(
        impl Payload for $type {
            fn format() -> Option<Format> {
                Some(Format::Bytes)
            }
            fn write(&self, out: &mut Strings) -> Result<(), Reject> {
                let $value = self;
                out.push($bytes);
                Ok(())
            }
        }
    )*};
}

plain!(&[u8], value => value; Vec<u8>, value => value);
plain!(&str, value => value.as_bytes(); String, value => value.as_bytes());

/// For the derive: the format of an Avro record.
#[doc(hidden)]
pub fn avro<T: AvroSchema>() -> Format {
    Format::Avro(T::TEXT.to_owned())
}
