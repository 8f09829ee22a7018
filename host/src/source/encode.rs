//! Postgres binary values straight to Avro bytes.
//!
//! Which encoder a column gets is decided once a query; here is only what happens to each value. Nothing is ever
//! rounded or wrapped to make it fit: a value that its Avro type cannot hold is refused with the reason.

use super::clock::{Clock, DAY_MICROS};
use super::numeric::Numeric;

/// Microseconds from 1970-01-01 to 2000-01-01, where Postgres counts from.
pub(super) const EPOCH_2000_MICROS: i64 = 946_684_800_000_000;
const EPOCH_2000_DAYS: i64 = 10_957;
/// 1582-10-15, the first day of the Gregorian calendar, as an epoch day.
const GREGORIAN_START: i64 = -141_427;

/// How days before the Gregorian calendar are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    /// The Julian calendar before 1582-10-15, as Java's old date classes do.
    Legacy,
    Proleptic,
}

/// One column's way from Postgres to Avro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encoder {
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Money,
    Bool,
    Bit1,
    /// bit(2..8): the digits read as a decimal number, as the JDBC driver does.
    BitNumber,
    /// bit(9..): the digits as ASCII.
    BitDigits,
    Bytes,
    Text,
    Jsonb,
    Uuid,
    Date(Calendar),
    Time,
    TimeTz,
    Timestamp(Clock),
    Decimal {
        scale: u32,
    },
    /// numeric as an integer of so many bits.
    NumericInt {
        bits: u32,
    },
    NumericDouble,
}

/// Why a value cannot be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unfit(pub(super) String);

impl Unfit {
    pub(super) fn new(why: impl Into<String>) -> Unfit {
        Unfit(why.into())
    }
}

impl Encoder {
    pub(super) fn encode(&self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Unfit> {
        match self {
            Encoder::Int2 => long(i64::from(i16::from_be_bytes(fixed(raw)?)), out),
            Encoder::Int4 => long(i64::from(i32::from_be_bytes(fixed(raw)?)), out),
            Encoder::Int8 => long(i64::from_be_bytes(fixed(raw)?), out),
            Encoder::Oid => long(i64::from(u32::from_be_bytes(fixed(raw)?)), out),
            Encoder::Float4 => float(f32::from_be_bytes(fixed(raw)?), out),
            Encoder::Float8 => double(f64::from_be_bytes(fixed(raw)?), out),
            // Postgres sends cents; the quotient is the double nearest to the decimal text.
            Encoder::Money => double(i64::from_be_bytes(fixed(raw)?) as f64 / 100.0, out),
            Encoder::Bool => out.push(u8::from(fixed::<1>(raw)?[0] != 0)),
            Encoder::Bit1 => out.push(u8::from(bit_digits(raw)? == "1")),
            Encoder::BitNumber => long(bit_number(raw)?, out),
            Encoder::BitDigits => bytes(bit_digits(raw)?.as_bytes(), out),
            Encoder::Bytes | Encoder::Text => bytes(raw, out),
            Encoder::Jsonb => bytes(jsonb_text(raw)?, out),
            Encoder::Uuid => text(&uuid_text(fixed(raw)?), out),
            Encoder::Date(calendar) => long(date(*calendar, i32::from_be_bytes(fixed(raw)?))?, out),
            Encoder::Time => long(i64::from_be_bytes(fixed(raw)?) / 1000, out),
            Encoder::TimeTz => long(time_tz(fixed(raw)?), out),
            Encoder::Timestamp(clock) => clock.encode(i64::from_be_bytes(fixed(raw)?), out)?,
            Encoder::Decimal { scale } => bytes(&Numeric::parse(raw)?.unscaled(*scale)?, out),
            Encoder::NumericInt { bits } => long(Numeric::parse(raw)?.integer(*bits)?, out),
            Encoder::NumericDouble => double(Numeric::parse(raw)?.double()?, out),
        }
        Ok(())
    }
}

/// An Avro int or long.
pub(super) fn long(value: i64, out: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// A float; a NaN becomes Java's one NaN, because Java's encoder does that too.
fn float(value: f32, out: &mut Vec<u8>) {
    let bits = if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() };
    out.extend_from_slice(&bits.to_le_bytes());
}

fn double(value: f64, out: &mut Vec<u8>) {
    let bits = if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() };
    out.extend_from_slice(&bits.to_le_bytes());
}

fn bytes(value: &[u8], out: &mut Vec<u8>) {
    long(value.len() as i64, out);
    out.extend_from_slice(value);
}

pub(super) fn text(value: &str, out: &mut Vec<u8>) {
    bytes(value.as_bytes(), out);
}

/// A value of a fixed length, or a refusal.
pub(super) fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], Unfit> {
    raw.try_into().map_err(|_| Unfit(format!("{} bytes from Postgres where {N} were expected", raw.len())))
}

fn bit_digits(raw: &[u8]) -> Result<String, Unfit> {
    let Some((head, bits)) = raw.split_first_chunk::<4>() else {
        return Err(Unfit::new("a bit string without its length"));
    };
    let count = u32::from_be_bytes(*head) as usize;
    let mut digits = String::with_capacity(count);
    for i in 0..count {
        let byte = bits.get(i / 8).ok_or_else(|| Unfit::new("a bit string shorter than its length"))?;
        digits.push(if byte & (0x80 >> (i % 8)) != 0 { '1' } else { '0' });
    }
    Ok(digits)
}

fn bit_number(raw: &[u8]) -> Result<i64, Unfit> {
    let digits = bit_digits(raw)?;
    let number = digits.parse::<i8>();
    number.map(i64::from).map_err(|_| Unfit(format!("bit string {digits}, read as a number, does not fit int8")))
}

fn jsonb_text(raw: &[u8]) -> Result<&[u8], Unfit> {
    match raw.split_first() {
        Some((1, text)) => Ok(text),
        _ => Err(Unfit::new("jsonb of an unknown version")),
    }
}

fn uuid_text(raw: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in raw.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

fn date(calendar: Calendar, days: i32) -> Result<i64, Unfit> {
    match days {
        i32::MAX => Err(Unfit::new("the date infinity")),
        i32::MIN => Err(Unfit::new("the date -infinity")),
        _ => Ok(shifted(calendar, i64::from(days) + EPOCH_2000_DAYS)),
    }
}

/// Milliseconds of the day, in UTC.
fn time_tz(raw: [u8; 12]) -> i64 {
    let (mut micros, mut west) = ([0; 8], [0; 4]);
    micros.copy_from_slice(&raw[..8]);
    west.copy_from_slice(&raw[8..]);
    let utc = i64::from_be_bytes(micros) + i64::from(i32::from_be_bytes(west)) * 1_000_000;
    utc.rem_euclid(DAY_MICROS) / 1000
}

/// The epoch day which the calendar gives to the date that Postgres shows for `day`.
pub(super) fn shifted(calendar: Calendar, day: i64) -> i64 {
    if calendar == Calendar::Proleptic || day >= GREGORIAN_START {
        return day;
    }
    let (year, month, dom) = civil(day);
    let back = (14 - month) / 12;
    let (y, m) = (year + 4800 - back, month + 12 * back - 3);
    dom + (153 * m + 2) / 5 + 365 * y + y.div_euclid(4) - 32_083 - 2_440_588
}

/// Year, month and day of an epoch day in the proleptic Gregorian calendar.
pub(super) fn civil(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
