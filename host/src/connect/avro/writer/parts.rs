//! Parts of an Avro schema's JSON: names, properties, and the types that have no types inside.

use serde_json::Value as Json;

use super::Object;
use crate::connect::avro::encode::Body;
use crate::connect::avro::{
    DEFAULT_NAME, ENUM, ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, FIXED_SIZE, Metadata, PRECISION, PRECISION_DEFAULT,
    defaults,
};
use crate::connect::{Kind, Schema, logical};

/// Connect's metadata and the logical type, in the order in which AvroData adds them.
pub(super) fn properties(metadata: Metadata, schema: &Schema, object: &mut Object) {
    if metadata.connect {
        connect_properties(schema, object);
    }
    let logical = match schema.name.as_deref() {
        Some(logical::DECIMAL) => Some("decimal"),
        Some(logical::DATE) => Some("date"),
        Some(logical::TIME) => Some("time-millis"),
        Some(logical::TIMESTAMP) => Some("timestamp-millis"),
        _ => None,
    };
    if let Some(logical) = logical {
        object.insert("logicalType".into(), logical.into());
    }
    for (key, value) in schema.parameters.iter().filter(|(key, _)| key.starts_with("avro")) {
        object.insert(key.clone(), value.as_str().into());
    }
}

fn connect_properties(schema: &Schema, object: &mut Object) {
    if let Some(doc) = &schema.doc {
        object.insert("connect.doc".into(), doc.as_str().into());
    }
    if let Some(version) = schema.version {
        object.insert("connect.version".into(), version.into());
    }
    let parameters = schema.parameters.iter().filter(|(key, _)| key != FIELD_DEFAULT);
    let parameters: Object = parameters.map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    if !parameters.is_empty() {
        object.insert("connect.parameters".into(), Json::Object(parameters));
    }
    if let Some(default) = schema.default.as_ref().filter(|_| schema.parameter(FIELD_DEFAULT).is_none())
        && let Some(json) = defaults::to_json(schema, default)
    {
        object.insert("connect.default".into(), json);
    }
    if let Some(name) = &schema.name {
        object.insert("connect.name".into(), name.as_str().into());
    }
    match schema.kind {
        Kind::Int8 => object.insert("connect.type".into(), "int8".into()),
        Kind::Int16 => object.insert("connect.type".into(), "int16".into()),
        _ => None,
    };
}

pub(super) fn plain(object: &mut Object, name: &str, body: Body) -> Body {
    object.insert("type".into(), name.into());
    body
}

pub(super) fn namespace_of(full: &str) -> &str {
    full.rsplit_once('.').map_or("", |(space, _)| space)
}

/// Type, name, and the namespace if it is not the enclosing one.
pub(super) fn name_of(object: &mut Object, kind: &str, full: &str, enclosing: &str) {
    object.insert("type".into(), kind.into());
    let short = full.rsplit('.').next().unwrap_or(full);
    object.insert("name".into(), short.into());
    if namespace_of(full) != enclosing {
        object.insert("namespace".into(), namespace_of(full).into());
    }
}

pub(super) fn reference(full: &str, enclosing: &str) -> String {
    let short = full.rsplit('.').next().unwrap_or(full);
    if namespace_of(full) == enclosing { short.into() } else { full.into() }
}

/// Definitions of one type differ in how they say their namespace.
pub(super) fn same_type(one: &Json, other: &Json) -> bool {
    let (Json::Object(one), Json::Object(other)) = (one, other) else { return one == other };
    let differs = |a: &Object, b: &Object| a.iter().any(|(key, json)| key != "namespace" && b.get(key) != Some(json));
    // What is inside may be written out in the first and named in the second: only names and properties are compared.
    let flat = |object: &Object| -> Object {
        let parts = object.iter().map(|(key, json)| match (key.as_str(), json) {
            ("fields", Json::Array(fields)) => {
                (key.clone(), fields.iter().map(|field| field["name"].clone()).collect())
            }
            _ => (key.clone(), json.clone()),
        });
        parts.collect()
    };
    let (one, other) = (flat(one), flat(other));
    !differs(&one, &other) && !differs(&other, &one)
}

pub(super) fn enumeration(schema: &Schema, namespace: &str, object: &mut Object) -> Body {
    let name = schema.parameter(ENUM).unwrap_or_default();
    let short = schema.name.as_deref().map_or(DEFAULT_NAME, |name| name.rsplit('.').next().unwrap_or(name));
    let prefix = format!("{ENUM}.");
    let symbols = schema.parameters.iter().filter_map(|(key, _)| key.strip_prefix(&prefix));
    let symbols: Vec<Box<str>> = symbols.map(Box::from).collect();
    name_of(object, "enum", name, namespace);
    if let Some(doc) = schema.parameter(&format!("{ENUM_DOC}{short}")) {
        object.insert("doc".into(), doc.into());
    }
    object.insert("symbols".into(), symbols.iter().map(|symbol| &**symbol).collect());
    if let Some(default) = schema.parameter(&format!("{ENUM_DEFAULT}{short}")) {
        object.insert("default".into(), default.into());
    }
    Body::Enum(symbols)
}

/// The name and the size of what was a fixed type.
pub(crate) fn fixed_size(schema: &Schema) -> Option<(&str, usize)> {
    let size = schema.parameter(FIXED_SIZE)?.parse().ok()?;
    // A fixed decimal has lost its own name.
    schema.name.as_deref().filter(|name| *name != logical::DECIMAL).map(|name| (name, size))
}

/// Precision and scale.
pub(crate) fn decimal_digits(schema: &Schema) -> (i64, i64) {
    let number = |key: &str| schema.parameter(key).and_then(|text| text.parse().ok());
    (number(PRECISION).unwrap_or(PRECISION_DEFAULT), number("scale").unwrap_or(0))
}
