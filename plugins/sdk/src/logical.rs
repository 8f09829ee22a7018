//! Logical types: plain numbers with a meaning, in the units Avro keeps them in.

use crate::codec::{AvroType, Decode, Encode, put_bytes};
use crate::reader::{DecodeError, Reader};
use crate::schema::{Logical, Node};

/// A number on top of `int` or `long`.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $base:ty, $avro:literal, $logical:literal, $connect:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $base);

        impl AvroType for $name {
            const NODE: Node = Node::Logical(Logical {
                base: $avro,
                name: $logical,
                precision_and_scale: None,
                connect: $connect,
            });
        }
        impl<'a> Decode<'a> for $name {
            fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
                <$base>::decode(input).map(Self)
            }
        }
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }
    };
}

number!(/** Days since 1970-01-01. */ Date, i32, "int", "date", Some("Date"));
number!(/** Milliseconds since midnight. */ TimeMillis, i32, "int", "time-millis", Some("Time"));
number!(/** Microseconds since midnight. */ TimeMicros, i64, "long", "time-micros", None);
number!(/** Milliseconds since the epoch, UTC. */ TimestampMillis, i64, "long", "timestamp-millis", Some("Timestamp"));
number!(/** Microseconds since the epoch, UTC. */ TimestampMicros, i64, "long", "timestamp-micros", None);

impl Date {
    /// The day of a proleptic Gregorian date.
    pub const fn ymd(year: i32, month: i32, day: i32) -> Self {
        // Years begin in March here, so that the leap day comes last (the usual era arithmetic).
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }
}

/// An unscaled value: `Decimal::<9, 2>(1234)` is 12.34.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const PRECISION: u32, const SCALE: u32>(pub i128);

impl<const PRECISION: u32, const SCALE: u32> AvroType for Decimal<PRECISION, SCALE> {
    const NODE: Node = {
        assert!(PRECISION > 0 && SCALE <= PRECISION, "a decimal has a digit at least, and no more after the point");
        Node::Logical(Logical {
            base: "bytes",
            name: "decimal",
            precision_and_scale: Some((PRECISION, SCALE)),
            connect: Some("Decimal"),
        })
    };
}

impl<'a, const PRECISION: u32, const SCALE: u32> Decode<'a> for Decimal<PRECISION, SCALE> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let bytes = input.bytes()?;
        let negative = bytes.first().is_some_and(|&first| first >= 0x80);
        let mut all = if negative { [0xff; 16] } else { [0; 16] };
        let start = 16usize.checked_sub(bytes.len()).ok_or(DecodeError::Logical("decimal of up to 128 bits"))?;
        all[start..].copy_from_slice(bytes);
        Ok(Self(i128::from_be_bytes(all)))
    }
}

impl<const PRECISION: u32, const SCALE: u32> Encode for Decimal<PRECISION, SCALE> {
    fn encode(&self, out: &mut Vec<u8>) {
        let all = self.0.to_be_bytes();
        // The shortest form: leading bytes that only repeat the sign go, as java.math.BigInteger writes it.
        let sign = if self.0 < 0 { 0xff } else { 0 };
        let needed = |i: &usize| all[*i] != sign || (all[*i + 1] ^ sign) >= 0x80;
        let start = (0..15).find(needed).unwrap_or(15);
        put_bytes(&all[start..], out);
    }
}

/// 128 bits, as text on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub u128);

impl AvroType for Uuid {
    const NODE: Node =
        Node::Logical(Logical { base: "string", name: "uuid", precision_and_scale: None, connect: None });
}

impl<'a> Decode<'a> for Uuid {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let text = input.bytes()?;
        let mut value = 0u128;
        for (i, &byte) in text.iter().enumerate() {
            match (i, byte) {
                (8 | 13 | 18 | 23, b'-') => {}
                (8 | 13 | 18 | 23, _) => return Err(DecodeError::Logical("uuid")),
                _ => {
                    let digit = char::from(byte).to_digit(16).ok_or(DecodeError::Logical("uuid"))?;
                    value = value << 4 | u128::from(digit);
                }
            }
        }
        if text.len() == 36 { Ok(Self(value)) } else { Err(DecodeError::Logical("uuid")) }
    }
}

impl Encode for Uuid {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut text = [0; 36];
        let mut nibble = 32;
        for (i, byte) in text.iter_mut().enumerate() {
            *byte = if let 8 | 13 | 18 | 23 = i {
                b'-'
            } else {
                nibble -= 1;
                b"0123456789abcdef"[(self.0 >> (4 * nibble)) as usize & 15]
            };
        }
        put_bytes(&text, out);
    }
}
