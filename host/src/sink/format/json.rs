//! JSON lines, letter by letter as Kafka's JsonConverter and Jackson write them.
//!
//! A struct is what JsonConverter makes of it; anything else is what a plain ObjectMapper makes of it. Nothing is
//! allocated for a field.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use num_bigint::BigInt;

use super::Json;
use crate::connect::{Datum, Kind, Reason, Schema, Value, logical, number};

impl Json {
    /// Appends a line.
    pub(super) fn line(self, datum: &Datum, out: &mut Vec<u8>) -> Result<(), Reason> {
        let start = out.len();
        let written = match (&datum.schema, &datum.value) {
            (Some(schema), Value::Struct(_)) => self.value(schema, &datum.value, out),
            (schema, value) => plain(schema.as_deref(), value, out),
        };
        if written.is_err() {
            out.truncate(start);
        } else {
            out.push(b'\n');
        }
        written.map_err(Reason::Record)
    }

    fn value(self, schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        match (&schema.kind, value) {
            (_, Value::Null) => match &schema.default {
                Some(default) if self.null_as_default => self.value(schema, default, out)?,
                _ if schema.optional => out.extend_from_slice(b"null"),
                Some(default) => self.value(schema, default, out)?,
                None => return Err("null where a value is required".into()),
            },
            (Kind::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
                out.push(b'{');
                for (index, (field, value)) in fields.iter().zip(values).enumerate() {
                    separate(index, out);
                    string(&field.name, out);
                    out.push(b':');
                    self.value(&field.schema, value, out).map_err(|why| format!("{}: {why}", field.name))?;
                }
                out.push(b'}');
            }
            (Kind::Array(item), Value::Array(items)) => {
                out.push(b'[');
                for (index, value) in items.iter().enumerate() {
                    separate(index, out);
                    self.value(item, value, out)?;
                }
                out.push(b']');
            }
            (Kind::Map(key, of), Value::Map(entries)) if matches!(key.kind, Kind::String) => {
                object(entries, out, |value, out| self.value(of, value, out))?;
            }
            (Kind::Map(key, of), Value::Map(entries)) => {
                out.push(b'[');
                for (index, (one, other)) in entries.iter().enumerate() {
                    separate(index, out);
                    out.push(b'[');
                    self.value(key, one, out)?;
                    out.push(b',');
                    self.value(of, other, out)?;
                    out.push(b']');
                }
                out.push(b']');
            }
            (Kind::Bytes, Value::Bytes(bytes)) if self.numeric_decimals && schema.is(logical::DECIMAL) => {
                decimal(schema, bytes, out);
            }
            (_, value) if fits(&schema.kind, value) => scalar(value, out),
            (kind, value) => return Err(format!("a {} where {} is due", value.kind(), kind.name())),
        }
        Ok(())
    }
}

fn fits(kind: &Kind, value: &Value) -> bool {
    matches!(
        (kind, value),
        (Kind::Bool, Value::Bool(_))
            | (Kind::Int8, Value::Int8(_))
            | (Kind::Int16, Value::Int16(_))
            | (Kind::Int32, Value::Int32(_))
            | (Kind::Int64, Value::Int64(_))
            | (Kind::Float32, Value::Float32(_))
            | (Kind::Float64, Value::Float64(_))
            | (Kind::String, Value::String(_))
            | (Kind::Bytes, Value::Bytes(_))
    )
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn scalar(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int8(value) => number::integer((*value).into(), out),
        Value::Int16(value) => number::integer((*value).into(), out),
        Value::Int32(value) => number::integer((*value).into(), out),
        Value::Int64(value) => number::integer(*value, out),
        Value::Float32(value) => finite(value.is_finite(), out, |out| number::float(*value, out)),
        Value::Float64(value) => finite(value.is_finite(), out, |out| number::double(*value, out)),
        Value::String(text) => string(text, out),
        Value::Bytes(bytes) => base64(bytes, out),
        Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => out.extend_from_slice(b"null"),
    }
}

/// What JSON has no number for is a string.
fn finite(finite: bool, out: &mut Vec<u8>, write: impl Fn(&mut Vec<u8>)) {
    if finite {
        return write(out);
    }
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// As an ObjectMapper writes what is no struct: a java.util.Date in milliseconds, a BigDecimal as a number.
fn plain(schema: Option<&Schema>, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
    match (schema, value) {
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (Some(schema), Value::Int32(days)) if schema.is(logical::DATE) => {
            number::integer(i64::from(*days) * 86_400_000, out);
        }
        (Some(schema), Value::Bytes(bytes)) if schema.is(logical::DECIMAL) => decimal(schema, bytes, out),
        (Some(schema), Value::Struct(_)) => Json::default().value(schema, value, out)?,
        (schema, Value::Array(items)) => {
            let item = schema.and_then(|schema| match &schema.kind {
                Kind::Array(item) => Some(&**item),
                _ => None,
            });
            out.push(b'[');
            for (index, value) in items.iter().enumerate() {
                separate(index, out);
                plain(item, value, out)?;
            }
            out.push(b']');
        }
        (schema, Value::Map(entries)) => {
            let of = schema.and_then(|schema| match &schema.kind {
                Kind::Map(_, of) => Some(&**of),
                _ => None,
            });
            object(entries, out, |value, out| plain(of, value, out))?;
        }
        (None, Value::Struct(_)) => return Err("a struct without its schema".into()),
        (_, value) => scalar(value, out),
    }
    Ok(())
}

/// Keys that are no strings become their text.
fn object(
    entries: &[(Value, Value)],
    out: &mut Vec<u8>,
    mut write: impl FnMut(&Value, &mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    out.push(b'{');
    for (index, (key, value)) in entries.iter().enumerate() {
        separate(index, out);
        match key {
            Value::String(key) => string(key, out),
            Value::Null => string("null", out),
            Value::Array(_) | Value::Map(_) | Value::Struct(_) | Value::Bytes(_) => {
                return Err(format!("a map's key is {}, which has no text", key.kind()));
            }
            key => {
                out.push(b'"');
                scalar(key, out);
                out.push(b'"');
            }
        }
        out.push(b':');
        write(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Jackson's escapes: what JSON demands, and two for a character beyond the basic plane; the rest as it is.
fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if (0x20..0xf0).contains(&byte) && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..at]);
        start = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..0x20 => escape(byte.into(), out),
            _ => {
                let mut units = [0; 2];
                text[at..].chars().next().iter().for_each(|character| {
                    character.encode_utf16(&mut units).iter().for_each(|unit| escape(*unit, out));
                });
                start = at + 4;
            }
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

fn escape(unit: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u");
    out.extend([12, 8, 4, 0].map(|shift| HEX[usize::from(unit >> shift & 0xf)]));
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The room is exactly what it takes.
    BASE64_STANDARD.encode_slice(bytes, &mut out[start..]).ok();
    out.push(b'"');
}

/// As `BigDecimal.toString`.
fn decimal(schema: &Schema, bytes: &[u8], out: &mut Vec<u8>) {
    let scale: i64 = schema.parameter("scale").and_then(|scale| scale.parse().ok()).unwrap_or(0);
    let number = BigInt::from_signed_bytes_be(bytes);
    if number.sign() == num_bigint::Sign::Minus {
        out.push(b'-');
    }
    let digits = number.magnitude().to_string();
    let length = digits.len() as i64;
    let exponent = length - 1 - scale;
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
    } else if scale > 0 && exponent >= -6 {
        let (whole, fraction) = digits.split_at(usize::try_from(length - scale).unwrap_or(0));
        out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', usize::try_from(scale - length).unwrap_or(0)));
        out.extend_from_slice(fraction.as_bytes());
    } else {
        let (first, rest) = digits.split_at(1);
        out.extend_from_slice(first.as_bytes());
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest.as_bytes());
        }
        if exponent != 0 {
            out.extend_from_slice(if exponent > 0 { b"E+" } else { b"E" });
            number::integer(exponent, out);
        }
    }
}
