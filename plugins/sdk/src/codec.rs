//! The three traits every Avro type has, and the primitive types.

use crate::reader::{DecodeError, Reader};
use crate::schema::Node;

/// A Rust type with a fixed Avro schema.
#[diagnostic::on_unimplemented(
    message = "Avro has no type for `{Self}`",
    label = "no Avro type",
    note = "Avro's types are bool, i32, i64, f32, f64, &str or String, &[u8] or Vec<u8>, [u8; N], Option<T>, Vec<T>, \
            Vec<(&str, T)> as a map, smt_plugin's Date, TimeMillis, TimeMicros, TimestampMillis, TimestampMicros, \
            Decimal and Uuid, and what derives AvroRecord or AvroEnum"
)]
pub trait AvroType {
    const NODE: Node;
}

/// Read from Avro binary of exactly this type's schema, borrowing where it can.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be read from Avro", label = "cannot be read from Avro")]
pub trait Decode<'a>: AvroType + Sized {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError>;
}

/// Append Avro binary.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be written as Avro", label = "cannot be written as Avro")]
pub trait Encode: AvroType {
    fn encode(&self, out: &mut Vec<u8>);
}

/// A whole record: all bytes must be used up.
pub fn decode_record<'a, T: Decode<'a>>(record: &'a [u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(record);
    let value = T::decode(&mut reader)?;
    reader.end()?;
    Ok(value)
}

pub(crate) fn put_long(value: i64, out: &mut Vec<u8>) {
    let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

pub(crate) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

/// One primitive: its Avro name, how it is read, how it is written.
macro_rules! primitive {
    ($type:ty, $name:literal, $input:ident => $read:expr, $value:ident, $out:ident => $write:expr) => {
        impl AvroType for $type {
            const NODE: Node = Node::Primitive($name);
        }
        impl<'a> Decode<'a> for $type {
            fn decode($input: &mut Reader<'a>) -> Result<Self, DecodeError> {
                $read
            }
        }
        impl Encode for $type {
            fn encode(&self, $out: &mut Vec<u8>) {
                let $value = self;
                $write;
            }
        }
    };
}

/// A type that is a view into the record.
macro_rules! borrowed {
    ($type:ty, $name:literal, $bytes:ident => $read:expr, $value:ident => $write:expr) => {
        impl AvroType for &$type {
            const NODE: Node = Node::Primitive($name);
        }
        impl<'a> Decode<'a> for &'a $type {
            fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
                let $bytes = input.bytes()?;
                $read
            }
        }
        impl Encode for &$type {
            fn encode(&self, out: &mut Vec<u8>) {
                let $value: &$type = self;
                put_bytes($write, out);
            }
        }
    };
}

primitive!(i32, "int", input => input.int(), value, out => put_long(i64::from(*value), out));
primitive!(i64, "long", input => input.long(), value, out => put_long(*value, out));
primitive!(f32, "float", input => Ok(f32::from_le_bytes(input.array()?)), value, out => out.extend(value.to_le_bytes()));
primitive!(f64, "double", input => Ok(f64::from_le_bytes(input.array()?)), value, out => out.extend(value.to_le_bytes()));
primitive!(bool, "boolean", input => boolean(input), value, out => out.push(u8::from(*value)));
borrowed!(str, "string", bytes => text(bytes), value => value.as_bytes());
primitive!(String, "string", input => Ok(text(input.bytes()?)?.to_owned()), value, out => put_bytes(value.as_bytes(), out));
borrowed!([u8], "bytes", bytes => Ok(bytes), value => value);

fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Utf8)
}

fn boolean(input: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match input.array()? {
        [0] => Ok(false),
        [1] => Ok(true),
        [other] => Err(DecodeError::Index(i64::from(other))),
    }
}
