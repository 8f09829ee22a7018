//! Connect's converters: the bytes of a key or a value become data. They never decide what becomes of a bad record.

/// Avro with the registry's frame.
mod avro;
#[cfg(test)]
mod avro_tests;
/// JSON with and without its schema.
mod json;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

pub use avro::AvroConverter;
pub use json::JsonConverter;

use super::{Datum, Kind, Reason, Schema, Value, text};
use crate::registry::{Registry, wire};

/// What a connector's `key.converter` or `value.converter` names.
#[derive(Debug)]
pub enum Converter {
    Avro(AvroConverter),
    Json(JsonConverter),
    String,
    ByteArray,
}

static STRING: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::new(Kind::String).optional()));
static BYTES: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::new(Kind::Bytes).optional()));

impl Converter {
    /// AvroConverter for keys or for values.
    pub fn avro(registry: Registry, key: bool) -> Converter {
        Converter::Avro(AvroConverter::new(registry, key))
    }

    /// JsonConverter with its `schemas.enable`.
    pub fn json(schemas_enable: bool) -> Converter {
        Converter::Json(JsonConverter::new(schemas_enable))
    }

    /// The registry's id of the schema that these bytes were written with.
    pub fn schema_id(&self, bytes: Option<&[u8]>) -> Option<u32> {
        match self {
            Converter::Avro(_) => wire::unframe(bytes?).ok().map(|(id, _)| id),
            _ => None,
        }
    }

    /// Null bytes are null data. Asks the registry, and blocks for it, when a schema is first met.
    pub fn to_connect(&mut self, topic: &str, bytes: Option<&[u8]>) -> Result<Datum, Reason> {
        match self {
            Converter::Avro(avro) => bytes.map_or(Ok(Datum::NULL), |bytes| avro.convert(topic, bytes)),
            Converter::Json(json) => bytes.map_or(Ok(Datum::NULL), |bytes| json.convert(bytes)),
            Converter::String => {
                let value = bytes.map_or(Value::Null, |bytes| Value::String(text::decode(bytes).into()));
                Ok(Datum { schema: Some(STRING.clone()), value })
            }
            Converter::ByteArray => {
                let value = bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.into()));
                Ok(Datum { schema: Some(BYTES.clone()), value })
            }
        }
    }
}
