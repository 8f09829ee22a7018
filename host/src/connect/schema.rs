//! Connect's schemas. Equal where Java's `ConnectSchema.equals` says so: version, doc and parameters count.

use std::sync::Arc;

use super::Value;

/// Names of Connect's logical types.
pub mod logical {
    pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
    pub const DATE: &str = "org.apache.kafka.connect.data.Date";
    pub const TIME: &str = "org.apache.kafka.connect.data.Time";
    pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
}

#[derive(Debug, Clone)]
pub struct Schema {
    pub kind: Kind,
    pub name: Option<String>,
    pub version: Option<i32>,
    pub doc: Option<String>,
    /// In the order in which they were added.
    pub parameters: Vec<(String, String)>,
    pub optional: bool,
    pub default: Option<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    String,
    Bytes,
    Array(Arc<Schema>),
    /// Of keys and of values.
    Map(Arc<Schema>, Arc<Schema>),
    Struct(Vec<Field>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub schema: Arc<Schema>,
}

impl Kind {
    /// As Connect spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Bool => "BOOLEAN",
            Kind::Int8 => "INT8",
            Kind::Int16 => "INT16",
            Kind::Int32 => "INT32",
            Kind::Int64 => "INT64",
            Kind::Float32 => "FLOAT32",
            Kind::Float64 => "FLOAT64",
            Kind::String => "STRING",
            Kind::Bytes => "BYTES",
            Kind::Array(_) => "ARRAY",
            Kind::Map(..) => "MAP",
            Kind::Struct(_) => "STRUCT",
        }
    }
}

impl Schema {
    /// Required, and nothing else said of it.
    pub fn new(kind: Kind) -> Schema {
        Schema { kind, name: None, version: None, doc: None, parameters: Vec::new(), optional: false, default: None }
    }

    pub fn optional(mut self) -> Schema {
        self.optional = true;
        self
    }

    pub fn named(mut self, name: impl Into<String>) -> Schema {
        self.name = Some(name.into());
        self
    }

    /// None for anything but a struct.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Struct(fields) => fields,
            _ => &[],
        }
    }

    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub fn is(&self, logical: &str) -> bool {
        self.name.as_deref() == Some(logical)
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        std::ptr::eq(self, other)
            || (self.optional == other.optional
                && self.version == other.version
                && self.name == other.name
                && self.doc == other.doc
                && self.kind == other.kind
                && same_defaults(&self.default, &other.default)
                && self.parameters.len() == other.parameters.len()
                && self.parameters.iter().all(|(key, value)| other.parameter(key) == Some(value)))
    }
}

/// As `Objects.deepEquals`: a NaN equals itself.
fn same_defaults(one: &Option<Value>, other: &Option<Value>) -> bool {
    match (one, other) {
        (Some(Value::Float64(one)), Some(Value::Float64(other))) => one.to_bits() == other.to_bits(),
        (Some(Value::Float32(one)), Some(Value::Float32(other))) => one.to_bits() == other.to_bits(),
        (one, other) => one == other,
    }
}
