//! Avro schemas and data, from and to Connect's, as Confluent's AvroData maps them.
//!
//! Both ways a schema is compiled once, and run over each datum. Recursive types are refused.

/// Data of a compiled schema, from Avro's bytes.
mod decode;
/// Defaults, from and to JSON.
mod defaults;
/// Data of a compiled schema, to Avro's bytes.
mod encode;
/// Connect's schema from Avro's.
mod reader;
#[cfg(test)]
mod tests;
/// Avro's schema from Connect's.
mod writer;

pub(crate) use decode::shortest;
pub use reader::Reader;
pub use writer::Writer;
pub(crate) use writer::{decimal_digits, fixed_size};

const NAMESPACE: &str = "io.confluent.connect.avro";
/// What a struct without a name is called.
const DEFAULT_NAME: &str = "ConnectDefault";
const MAP_ENTRY: &str = "MapEntry";
/// The name of a struct that stands for a union.
pub(crate) const UNION: &str = "io.confluent.connect.avro.Union";
/// The parameter that says which enum a string was.
pub(crate) const ENUM: &str = "io.confluent.connect.avro.Enum";
const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
const FIELD_DOC: &str = "io.confluent.connect.avro.field.doc.";
/// Set where the default came from an Avro field, not from `connect.default`.
const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";
const INTERNAL_TYPE: &str = "connect.internal.type";
const FIXED_SIZE: &str = "connect.fixed.size";
const PRECISION: &str = "connect.decimal.precision";
/// A precision that is not written down.
const PRECISION_DEFAULT: i64 = 64;

/// What goes into an Avro schema made of a Connect schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// `connect.meta.data`: names, versions, parameters, docs and defaults of Connect.
    pub connect: bool,
    /// `enhanced.avro.schema.support`: enums stay enums.
    pub enhanced: bool,
}

impl Default for Metadata {
    fn default() -> Metadata {
        Metadata { connect: true, enhanced: true }
    }
}
