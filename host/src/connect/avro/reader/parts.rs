//! Parts of an Avro schema's JSON: names, properties, and the types that have no types inside.

use serde_json::Value as Json;

use super::{Named, Object, Place};
use crate::connect::avro::decode::Node;
use crate::connect::avro::{
    DEFAULT_NAME, FIELD_DEFAULT, INTERNAL_TYPE, MAP_ENTRY, NAMESPACE, PRECISION, PRECISION_DEFAULT, defaults,
};
use crate::connect::{Kind, Schema, logical};

pub(super) fn string<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Json::as_str)
}

/// The full name of a named type, and the namespace of what is inside it.
pub(super) fn full_name(object: &Object, namespace: &str) -> (String, String) {
    let name = string(object, "name").unwrap_or_default();
    if let Some((space, _)) = name.rsplit_once('.') {
        return (name.to_string(), space.to_string());
    }
    let space = string(object, "namespace").unwrap_or(namespace);
    if space.is_empty() { (name.to_string(), String::new()) } else { (format!("{space}.{name}"), space.to_string()) }
}

pub(super) fn collect<'a>(json: &'a Json, namespace: &str, named: &mut Named<'a>) {
    match json {
        Json::Array(branches) => branches.iter().for_each(|branch| collect(branch, namespace, named)),
        Json::Object(object) => {
            let kind = string(object, "type");
            let mut inside = namespace.to_string();
            if matches!(kind, Some("record" | "error" | "enum" | "fixed")) {
                let (full, space) = full_name(object, namespace);
                named.insert(full, (json, namespace.to_string()));
                inside = space;
            }
            for key in ["type", "items", "values"] {
                object.get(key).filter(|json| !json.is_string()).iter().for_each(|j| collect(j, &inside, named));
            }
            for field in object.get("fields").and_then(Json::as_array).into_iter().flatten() {
                field.get("type").iter().for_each(|json| collect(json, &inside, named));
            }
        }
        _ => {}
    }
}

pub(super) fn primitive(kind: &str) -> Option<(Kind, Node)> {
    Some(match kind {
        "boolean" => (Kind::Bool, Node::Bool),
        "int" => (Kind::Int32, Node::Int32),
        "long" => (Kind::Int64, Node::Int64),
        "float" => (Kind::Float32, Node::Float32),
        "double" => (Kind::Float64, Node::Float64),
        "string" => (Kind::String, Node::String),
        "bytes" => (Kind::Bytes, Node::Bytes),
        _ => return None,
    })
}

pub(super) fn is_null(json: &Json) -> bool {
    json == "null" || json.get("type").is_some_and(|kind| kind == "null")
}

pub(super) fn part<'a>(object: &'a Object, key: &str) -> Result<&'a Json, String> {
    object.get(key).ok_or_else(|| format!("a type without {key:?}"))
}

pub(super) fn set(schema: &mut Schema, key: &str, value: &str) {
    match schema.parameters.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value.to_string(),
        None => schema.parameters.push((key.to_string(), value.to_string())),
    }
}

/// A map whose keys are no strings is an array of these.
pub(super) fn is_map_entry(items: &Json, namespace: &str) -> bool {
    let Json::Object(object) = items else {
        return items == &*format!("{NAMESPACE}.{MAP_ENTRY}");
    };
    string(object, "type") == Some("record")
        && (full_name(object, namespace).0 == format!("{NAMESPACE}.{MAP_ENTRY}")
            || string(object, INTERNAL_TYPE) == Some(MAP_ENTRY))
}

pub(super) fn time(kind: Kind, name: &str) -> Schema {
    Schema { version: Some(1), ..Schema::new(kind).named(name) }
}

pub(super) fn decimal(object: &Object) -> Schema {
    let number = |key: &str| object.get(key).and_then(Json::as_i64);
    let mut schema = time(Kind::Bytes, logical::DECIMAL);
    set(&mut schema, "scale", &number("scale").unwrap_or(0).to_string());
    if let Some(precision) = number("precision").filter(|precision| *precision != PRECISION_DEFAULT) {
        set(&mut schema, PRECISION, &precision.to_string());
    }
    schema
}

pub(super) fn int(object: &Object, logical: &str) -> Result<(Schema, Node), String> {
    Ok(match (logical, string(object, "connect.type")) {
        ("date", _) => (time(Kind::Int32, logical::DATE), Node::Int32),
        ("time-millis", _) => (time(Kind::Int32, logical::TIME), Node::Int32),
        ("", Some("int8")) => (Schema::new(Kind::Int8), Node::Int8),
        ("", Some("int16")) => (Schema::new(Kind::Int16), Node::Int16),
        ("", Some(other)) => return Err(format!("an int of \"connect.type\" {other:?}, which may be int8 or int16")),
        _ => (Schema::new(Kind::Int32), Node::Int32),
    })
}

/// What a type's properties and its place add, in the order in which Connect adds them.
pub(super) fn finish(
    mut schema: Schema,
    object: &Object,
    full: Option<&str>,
    place: Place<'_>,
) -> Result<Schema, String> {
    schema.doc = string(object, "connect.doc").map(String::from);
    let version = object.get("connect.version").and_then(Json::as_i64).and_then(|n| i32::try_from(n).ok());
    // A logical type keeps its own.
    schema.version = schema.version.or(version).or(place.version);
    for (key, value) in object.get("connect.parameters").and_then(Json::as_object).into_iter().flatten() {
        let value = value.as_str().ok_or_else(|| format!("the parameter {key:?} is {value}, not a text"))?;
        set(&mut schema, key, value);
    }
    for (key, value) in object.iter().filter(|(key, _)| key.starts_with("avro")) {
        set(&mut schema, key, &value.as_str().map_or_else(|| value.to_string(), String::from));
    }
    let own = object.get("connect.default");
    if place.default.is_some() && own.is_none() {
        set(&mut schema, FIELD_DEFAULT, "true");
    }
    if let Some(default) = place.default.or(own) {
        schema.default = defaults::from_json(&schema, default);
    }
    let name = string(object, "connect.name").or(full);
    let unnamed = format!("{NAMESPACE}.{DEFAULT_NAME}");
    if let Some(name) = name.filter(|name| !name.starts_with(&unnamed)) {
        schema.name.get_or_insert_with(|| name.to_string());
    }
    schema.optional |= place.optional;
    Ok(schema)
}
