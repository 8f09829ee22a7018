//! Kafka Connect's data: what converters make of a record's bytes, and what sinks write.
//!
//! A logical value (date, time, timestamp, decimal) is its base value here; only the schema's name says what it is.
//! Nothing here knows Kafka, files or S3.

/// Avro schemas from Connect's, and Connect's from Avro: names, parameters, defaults.
pub mod avro;
/// Bytes of a topic to data.
pub mod converter;
/// The order in which a Java HashMap hands out its entries.
mod hash_order;
/// Numbers as Java prints them.
pub mod number;
/// Data from one schema to another of its versions.
mod project;
/// Schemas and their equality.
mod schema;
/// Text from bytes as Java decodes UTF-8.
pub mod text;

use std::fmt;
use std::sync::Arc;

pub use converter::Converter;
pub use project::project;
pub use schema::{Field, Kind, Schema, logical};

/// A value and the schema that it came with; none for schemaless JSON and for null.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    pub schema: Option<Arc<Schema>>,
    pub value: Value,
}

impl Datum {
    pub const NULL: Datum = Datum { schema: None, value: Value::Null };

    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

/// Without a schema only `Null`, `Bool`, `Int64`, `Float64`, `String`, `Array` and `Map` with string keys occur.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Float32(f32),
    Float64(f64),
    String(Box<str>),
    Bytes(Box<[u8]>),
    Array(Vec<Value>),
    /// In the order in which Java hands them out.
    Map(Vec<(Value, Value)>),
    /// As many as the schema has fields, in its order.
    Struct(Vec<Value>),
}

impl Value {
    /// Its type in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "BOOLEAN",
            Value::Int8(_) => "INT8",
            Value::Int16(_) => "INT16",
            Value::Int32(_) => "INT32",
            Value::Int64(_) => "INT64",
            Value::Float32(_) => "FLOAT32",
            Value::Float64(_) => "FLOAT64",
            Value::String(_) => "STRING",
            Value::Bytes(_) => "BYTES",
            Value::Array(_) => "ARRAY",
            Value::Map(_) => "MAP",
            Value::Struct(_) => "STRUCT",
        }
    }
}

/// Why something could not be converted, projected or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The record's own fault: it will fail again.
    Record(String),
    /// The registry is away: the same record may convert later.
    Away(String),
}

impl Reason {
    pub(crate) fn record(what: impl Into<String>) -> Reason {
        Reason::Record(what.into())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Record(what) | Reason::Away(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Reason {}
