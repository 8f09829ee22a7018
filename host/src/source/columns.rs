//! From a result set's columns to an Avro schema and one encoder a column.
//!
//! Compiled once for each query; it never looks at a value.

use serde_json::json;
use tokio_postgres::types::{Kind, Type};

use super::clock::{Clock, Granularity, Zone};
use super::config::NumericMapping;
use super::encode::{Calendar, Encoder, Unfit, long};
use crate::exit::{Exit, Stop};

/// What is known of a column before its values come.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) modifier: i32,
    pub(super) nullable: bool,
}

/// How the user wants certain types.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    pub(super) numeric: NumericMapping,
    pub(super) calendar: Calendar,
    pub(super) granularity: Granularity,
    pub(super) zone: Zone,
}

/// A schema, and how to write records of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) schema: String,
    columns: Vec<Column>,
    /// Name and type of the columns that no Avro type exists for.
    pub(super) dropped: Vec<(String, String)>,
}

#[derive(Debug)]
struct Column {
    index: usize,
    name: String,
    nullable: bool,
    encoder: Encoder,
}

impl Plan {
    /// A query's record has no table to be named after.
    pub(super) fn compile(table: Option<&str>, described: &[Described], choices: &Choices) -> Result<Plan, Stop> {
        let (mut fields, mut columns, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        for (index, column) in described.iter().enumerate() {
            let Some((encoder, avro)) = mapping(&column.kind, column.modifier, choices) else {
                dropped.push((column.name.clone(), column.kind.name().to_owned()));
                continue;
            };
            check_name("column", &column.name)?;
            fields.push(field(&column.name, &avro, column.nullable));
            columns.push(Column { index, name: column.name.clone(), nullable: column.nullable, encoder });
        }
        let schema = record(table, &fields.join(","))?;
        Ok(Plan { schema, columns, dropped })
    }

    /// Appends one record. What was appended before a refusal is for the caller to cut off.
    pub(super) fn encode<'r>(&self, value: impl Fn(usize) -> Option<&'r [u8]>, out: &mut Vec<u8>) -> Result<(), Unfit> {
        for column in &self.columns {
            let raw = value(column.index);
            if column.nullable {
                long(i64::from(raw.is_some()), out);
            }
            let named = |why: Unfit| Unfit(format!("column {:?}: {why}", column.name));
            match raw {
                Some(raw) => column.encoder.encode(raw, out).map_err(named)?,
                None if column.nullable => {}
                None => return Err(named(Unfit::new("null in a column that is declared not null"))),
            }
        }
        Ok(())
    }
}

fn record(table: Option<&str>, fields: &str) -> Result<String, Stop> {
    let Some(table) = table else {
        let name = r#""name":"ConnectDefault","namespace":"io.confluent.connect.avro""#;
        return Ok(format!(r#"{{"type":"record",{name},"fields":[{fields}]}}"#));
    };
    check_name("table", table)?;
    Ok(format!(r#"{{"type":"record","name":"{table}","fields":[{fields}],"connect.name":"{table}"}}"#))
}

fn field(name: &str, avro: &str, nullable: bool) -> String {
    match nullable {
        true => format!(r#"{{"name":"{name}","type":["null",{avro}],"default":null}}"#),
        false => format!(r#"{{"name":"{name}","type":{avro}}}"#),
    }
}

/// Avro allows fewer names than Postgres. No other name is made up: the original fails here, too.
fn check_name(what: &str, name: &str) -> Result<(), Stop> {
    let start = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if start && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    let stop = Stop::new(Exit::Connector, format!("{what} name {name:?} is no Avro name (letters, digits and _ only)"));
    Err(stop.hint("rename it in the database, or select from a view that renames it (table.types VIEW)"))
}

fn mapping(kind: &Type, modifier: i32, choices: &Choices) -> Option<(Encoder, String)> {
    if let Kind::Domain(base) = kind.kind() {
        return mapping(base, modifier, choices);
    }
    if let Kind::Enum(_) = kind.kind() {
        return Some((Encoder::Text, quoted("string")));
    }
    let (encoder, avro) = match *kind {
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::CHAR | Type::NAME | Type::XML | Type::JSON => {
            (Encoder::Text, quoted("string"))
        }
        Type::JSONB => (Encoder::Jsonb, quoted("string")),
        Type::UUID => (Encoder::Uuid, quoted("string")),
        Type::INT2 => (Encoder::Int2, small_int("int16")),
        Type::INT4 => (Encoder::Int4, quoted("int")),
        Type::INT8 => (Encoder::Int8, quoted("long")),
        Type::OID => (Encoder::Oid, quoted("long")),
        Type::FLOAT4 => (Encoder::Float4, quoted("float")),
        Type::FLOAT8 => (Encoder::Float8, quoted("double")),
        Type::MONEY => (Encoder::Money, quoted("double")),
        Type::BOOL => (Encoder::Bool, quoted("boolean")),
        Type::BIT => bit(modifier),
        Type::BYTEA => (Encoder::Bytes, quoted("bytes")),
        Type::DATE => (Encoder::Date(choices.calendar), logical("int", "Date", "date")),
        Type::TIME => (Encoder::Time, logical("int", "Time", "time-millis")),
        Type::TIMETZ => (Encoder::TimeTz, logical("int", "Time", "time-millis")),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => timestamp(*kind == Type::TIMESTAMP, choices),
        Type::NUMERIC => numeric(modifier, choices.numeric),
        _ => return None,
    };
    Some((encoder, avro))
}

fn quoted(primitive: &str) -> String {
    format!("\"{primitive}\"")
}

fn small_int(connect: &str) -> String {
    format!(r#"{{"type":"int","connect.type":"{connect}"}}"#)
}

fn logical(primitive: &str, connect: &str, logical: &str) -> String {
    format!(
        r#"{{"type":"{primitive}","connect.version":1,"connect.name":"org.apache.kafka.connect.data.{connect}","logicalType":"{logical}"}}"#
    )
}

fn timestamp(is_wall: bool, choices: &Choices) -> (Encoder, String) {
    let Choices { calendar, granularity, zone, .. } = choices.clone();
    let avro = match granularity {
        Granularity::ConnectLogical => logical("long", "Timestamp", "timestamp-millis"),
        Granularity::MicrosLong | Granularity::NanosLong => quoted("long"),
        _ => quoted("string"),
    };
    (Encoder::Timestamp(Clock { calendar, granularity, zone, is_wall }), avro)
}

fn bit(length: i32) -> (Encoder, String) {
    match length {
        ..=1 => (Encoder::Bit1, quoted("boolean")),
        2..=8 => (Encoder::BitNumber, small_int("int8")),
        _ => (Encoder::BitDigits, quoted("bytes")),
    }
}

fn numeric(modifier: i32, mapping: NumericMapping) -> (Encoder, String) {
    // The type modifier holds 4, plus precision and scale. The JDBC driver reads a negative scale without its sign.
    let declared = (modifier >= 4).then(|| (((modifier - 4) >> 16) as u32 & 0xffff, (modifier - 4) as u32 & 0x7ff));
    let fallback = if mapping == NumericMapping::None { (0, 127) } else { (0, 0) };
    let (precision, scale) = declared.unwrap_or(fallback);
    match mapping {
        NumericMapping::PrecisionOnly | NumericMapping::BestFit | NumericMapping::BestFitEagerDouble
            if scale == 0 && precision <= 18 =>
        {
            numeric_int(precision)
        }
        NumericMapping::BestFit if scale > 0 && precision <= 18 => (Encoder::NumericDouble, quoted("double")),
        NumericMapping::BestFitEagerDouble if scale > 0 => (Encoder::NumericDouble, quoted("double")),
        _ => (Encoder::Decimal { scale }, decimal(precision, scale)),
    }
}

fn numeric_int(precision: u32) -> (Encoder, String) {
    let (bits, avro) = match precision {
        0..=2 => (8, small_int("int8")),
        3..=4 => (16, small_int("int16")),
        5..=9 => (32, quoted("int")),
        _ => (64, quoted("long")),
    };
    (Encoder::NumericInt { bits }, avro)
}

fn decimal(precision: u32, scale: u32) -> String {
    json!({
        "type": "bytes",
        "scale": scale,
        "precision": precision,
        "connect.version": 1,
        "connect.parameters": { "scale": scale.to_string(), "connect.decimal.precision": precision.to_string() },
        "connect.name": "org.apache.kafka.connect.data.Decimal",
        "logicalType": "decimal",
    })
    .to_string()
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
