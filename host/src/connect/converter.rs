//! Connect's converters: the bytes of a key or a value become data. They never decide what becomes of a bad record.

use super::{Datum, Reason};
use crate::registry::Registry;

/// What a connector's `key.converter` or `value.converter` names.
#[derive(Debug)]
pub enum Converter {
    Avro(Avro),
    Json { schemas_enable: bool },
    String,
    ByteArray,
}

/// Avro with the registry's frame.
#[derive(Debug)]
pub struct Avro {
    registry: Registry,
    /// What the subject's name ends in.
    suffix: &'static str,
}

impl Converter {
    /// AvroConverter for keys or for values.
    pub fn avro(registry: Registry, key: bool) -> Converter {
        Converter::Avro(Avro { registry, suffix: if key { "-key" } else { "-value" } })
    }

    /// Null bytes are null data. May ask the registry, and block for it, when a schema is first met.
    pub fn to_connect(&mut self, topic: &str, bytes: Option<&[u8]>) -> Result<Datum, Reason> {
        let _ = (topic, bytes);
        Err(Reason::record("not yet implemented"))
    }
}
