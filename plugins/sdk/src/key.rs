//! Keys of groups, in the bytes that Kafka's own serializers (ksqlDB's format KAFKA) write.

use crate::bindings::types::Format;
use crate::codec::{Decode, Encode, decode_record};
use crate::reader::{DecodeError, Reader};
use crate::schema::schema_of;

/// What records are grouped by.
pub trait Key<'a>: Sized {
    fn format() -> Format {
        Format::Bytes
    }
    fn write(&self, out: &mut Vec<u8>);
    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError>;
}

/// A key that is an Avro record (or any other Avro type), registered as `<topic>-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avro<T>(pub T);

/// Big-endian, all bytes: INT has four, BIGINT eight.
macro_rules! number {
    ($type:ty) => {
        impl Key<'_> for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
                let mut reader = Reader::new(bytes);
                let number = Self::from_be_bytes(reader.array()?);
                reader.end()?;
                Ok(number)
            }
        }
    };
}

/// The bytes as they are: no length, no frame.
macro_rules! plain {
    ($type:ty, $bytes:ident => $read:expr) => {
        impl<'a> Key<'a> for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_ref());
            }
            fn read($bytes: &'a [u8]) -> Result<Self, DecodeError> {
                $read
            }
        }
    };
}

number!(i32);
number!(i64);
plain!(&'a str, bytes => std::str::from_utf8(bytes).map_err(|_| DecodeError::Utf8));
plain!(String, bytes => <&str>::read(bytes).map(str::to_owned));
plain!(&'a [u8], bytes => Ok(bytes));
plain!(Vec<u8>, bytes => Ok(bytes.to_vec()));

impl<'a, T: Encode + Decode<'a>> Key<'a> for Avro<T> {
    fn format() -> Format {
        Format::Avro(schema_of::<T>())
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        decode_record(bytes).map(Self)
    }
}
