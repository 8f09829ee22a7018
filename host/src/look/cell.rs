//! A record's data as people read them: dates are dates, decimals have their point. Knows no formats.

use jiff::civil::{DateTime, Time};
use jiff::{Span, Timestamp};
use num_bigint::BigInt;
use serde_json::{Map, Value as Json};

use crate::connect::{Kind, Schema, Value, logical};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Text(String),
    Bytes(Vec<u8>),
    /// Days since 1970.
    Date(i32),
    /// Milliseconds since midnight.
    Time(i32),
    /// Milliseconds since 1970.
    Timestamp(i64),
    Array(Vec<Cell>),
    /// A struct or a map.
    Fields(Vec<(String, Cell)>),
}

/// `digits` / 10^`scale`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decimal {
    pub(super) digits: BigInt,
    pub(super) scale: i32,
}

/// What is written with more places than these has them in an exponent.
const PLACES_MAX: i32 = 100;

impl Cell {
    pub(super) fn of_connect(schema: Option<&Schema>, value: Value) -> Cell {
        let named = |name: &str| schema.is_some_and(|schema| schema.is(name));
        match value {
            Value::Null => Cell::Null,
            Value::Bool(value) => Cell::Bool(value),
            Value::Int8(value) => Cell::Int(value.into()),
            Value::Int16(value) => Cell::Int(value.into()),
            Value::Int32(days) if named(logical::DATE) => Cell::Date(days),
            Value::Int32(ms) if named(logical::TIME) => Cell::Time(ms),
            Value::Int32(value) => Cell::Int(value.into()),
            Value::Int64(ms) if named(logical::TIMESTAMP) => Cell::Timestamp(ms),
            Value::Int64(value) => Cell::Int(value),
            // As short as it was, not with the digits of a double.
            Value::Float32(value) => Cell::Float(value.to_string().parse().unwrap_or_else(|_| value.into())),
            Value::Float64(value) => Cell::Float(value),
            Value::String(text) => Cell::Text(text.into()),
            Value::Bytes(bytes) if named(logical::DECIMAL) => {
                let scale = schema.and_then(|schema| schema.parameter("scale")?.parse().ok()).unwrap_or(0);
                Cell::Decimal(Decimal { digits: BigInt::from_signed_bytes_be(&bytes), scale })
            }
            Value::Bytes(bytes) => Cell::Bytes(bytes.into()),
            Value::Array(items) => {
                let of = match schema.map(|schema| &schema.kind) {
                    Some(Kind::Array(of)) => Some(&**of),
                    _ => None,
                };
                Cell::Array(items.into_iter().map(|item| Cell::of_connect(of, item)).collect())
            }
            Value::Map(entries) => {
                let (keys, values) = match schema.map(|schema| &schema.kind) {
                    Some(Kind::Map(keys, values)) => (Some(&**keys), Some(&**values)),
                    _ => (None, None),
                };
                let entry = |(key, value)| (Cell::of_connect(keys, key).text(), Cell::of_connect(values, value));
                Cell::Fields(entries.into_iter().map(entry).collect())
            }
            Value::Struct(values) => {
                let fields = schema.map_or(&[][..], Schema::fields).iter().zip(values);
                let field = |(field, value): (&crate::connect::Field, Value)| {
                    (field.name.clone(), Cell::of_connect(Some(&field.schema), value))
                };
                Cell::Fields(fields.map(field).collect())
            }
        }
    }

    pub(super) fn of_json(json: &Json) -> Cell {
        match json {
            Json::Null => Cell::Null,
            Json::Bool(value) => Cell::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Cell::Int(value),
                (None, value) => Cell::Float(value.unwrap_or(f64::NAN)),
            },
            Json::String(text) => Cell::Text(text.clone()),
            Json::Array(items) => Cell::Array(items.iter().map(Cell::of_json).collect()),
            Json::Object(members) => {
                Cell::Fields(members.iter().map(|(name, value)| (name.clone(), Cell::of_json(value))).collect())
            }
        }
    }

    /// A field of a struct; where none has exactly this name, whatever its case.
    pub(super) fn field(&self, name: &str) -> Option<&Cell> {
        let fields = self.fields();
        let exact = fields.iter().find(|(known, _)| known == name);
        exact.or_else(|| fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))).map(|(_, cell)| cell)
    }

    /// Those of a struct; none of anything else.
    pub(super) fn fields(&self) -> &[(String, Cell)] {
        if let Cell::Fields(fields) = self { fields } else { &[] }
    }

    pub(super) fn json(&self) -> Json {
        match self {
            Cell::Null => Json::Null,
            Cell::Bool(value) => (*value).into(),
            Cell::Int(value) => (*value).into(),
            Cell::Float(value) if value.is_finite() => (*value).into(),
            Cell::Array(items) => items.iter().map(Cell::json).collect(),
            Cell::Fields(fields) => {
                Json::Object(fields.iter().map(|(name, cell)| (name.clone(), cell.json())).collect::<Map<_, _>>())
            }
            other => other.text().into(),
        }
    }

    /// As a table shows it.
    pub(super) fn text(&self) -> String {
        use base64::Engine;
        match self {
            Cell::Null => "null".to_owned(),
            Cell::Bool(value) => value.to_string(),
            Cell::Int(value) => value.to_string(),
            Cell::Float(value) => format!("{value:?}"),
            Cell::Decimal(decimal) => decimal.text(),
            Cell::Text(text) => text.clone(),
            Cell::Bytes(bytes) => base64::prelude::BASE64_STANDARD.encode(bytes),
            Cell::Date(days) => date(*days),
            Cell::Time(ms) => time(*ms),
            Cell::Timestamp(ms) => timestamp(*ms, "%Y-%m-%dT%H:%M:%S.%3f"),
            Cell::Array(_) | Cell::Fields(_) => spaced(&self.json()),
        }
    }
}

impl Decimal {
    fn text(&self) -> String {
        if self.scale == 0 {
            return self.digits.to_string();
        }
        if !(0..=PLACES_MAX).contains(&self.scale) {
            return format!("{}E{}", self.digits, -i64::from(self.scale));
        }
        let (scale, text) = (self.scale as usize, self.digits.magnitude().to_string());
        let padded = format!("{text:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if self.digits.sign() == num_bigint::Sign::Minus { "-" } else { "" };
        format!("{sign}{whole}.{fraction}")
    }
}

fn date(days: i32) -> String {
    let date = Span::new().try_days(days).and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span));
    date.map_or_else(|_| format!("{days} days"), |date| date.to_string())
}

fn time(ms: i32) -> String {
    let time = Span::new().try_milliseconds(i64::from(ms)).and_then(|span| Time::midnight().checked_add(span));
    time.map_or_else(|_| format!("{ms} ms"), |time| time.strftime("%H:%M:%S.%3f").to_string())
}

/// In UTC.
pub(super) fn timestamp(ms: i64, format: &str) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.strftime(format).to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

/// JSON as ksqlDB prints records: a space behind each colon and comma.
pub(super) fn spaced(json: &Json) -> String {
    struct Spaced;
    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
            out.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
            out.write_all(if first { b"" } else { b", " })
        }
        fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
            out.write_all(b": ")
        }
    }
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    match serde::Serialize::serialize(json, &mut serializer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => json.to_string(),
    }
}

/// Days since 1970 of a date and time.
pub(super) fn ms_of(time: DateTime) -> Option<i64> {
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(digits: i64, scale: i32) -> Cell {
        Cell::Decimal(Decimal { digits: digits.into(), scale })
    }

    #[test]
    fn d8_6_logical_values_are_shown_for_people() {
        for (cell, shown) in [
            (Cell::Date(13_272), "2006-05-04"),
            (Cell::Date(-1), "1969-12-31"),
            (Cell::Date(i32::MAX), "2147483647 days"),
            (Cell::Time(86_399_999), "23:59:59.999"),
            (Cell::Time(-1), "-1 ms"),
            (Cell::Timestamp(1_618_269_963_655), "2021-04-12T23:26:03.655"),
            (Cell::Timestamp(-1), "1969-12-31T23:59:59.999"),
            (Cell::Timestamp(0), "1970-01-01T00:00:00.000"),
            (Cell::Timestamp(i64::MAX), "9223372036854775807 ms"),
            (decimal(1_050, 2), "10.50"),
            (decimal(-5, 2), "-0.05"),
            (decimal(7, 0), "7"),
            (decimal(123, -2), "123E2"),
            (decimal(1, i32::MAX), "1E-2147483647"),
            (decimal(1, i32::MIN), "1E2147483648"),
            (Cell::Float(f64::NAN), "NaN"),
            (Cell::Float(1.0), "1.0"),
            (Cell::Bytes(vec![0, 255]), "AP8="),
            (Cell::Fields(vec![("a".into(), Cell::Array(vec![Cell::Int(1), Cell::Null]))]), r#"{"a": [1, null]}"#),
        ] {
            assert_eq!(cell.text(), shown);
        }
    }
}
