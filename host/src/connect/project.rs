//! Projection, as the storage connectors' SchemaProjector: data of one version of a schema as another one wants them.

use std::sync::Arc;

use super::avro::ENUM;
use super::hash_order::{self, DEFAULT_CAPACITY};
use super::{Datum, Kind, Reason, Schema, Value};

/// The same data under another schema; what does not fit is said.
pub fn project(datum: &Datum, target: &Arc<Schema>) -> Result<Datum, Reason> {
    let value = match &datum.schema {
        Some(source) if Arc::ptr_eq(source, target) => datum.value.clone(),
        Some(source) => value(source, &datum.value, target).map_err(Reason::Record)?,
        None => return Err(Reason::record("data without a schema cannot be projected to one")),
    };
    Ok(Datum { schema: Some(target.clone()), value })
}

fn value(source: &Schema, value: &Value, target: &Schema) -> Result<Value, String> {
    check(source, target)?;
    if matches!(value, Value::Null) {
        return match &target.default {
            Some(default) => Ok(default.clone()),
            None if target.optional => Ok(Value::Null),
            None => Err("null, where the file's schema neither allows it nor has a default".into()),
        };
    }
    match (&source.kind, &target.kind, value) {
        (Kind::Struct(_), Kind::Struct(_), Value::Struct(values)) => structure(source, values, target),
        (Kind::Array(from), Kind::Array(to), Value::Array(items)) => {
            Ok(Value::Array(items.iter().map(|item| self::value(from, item, to)).collect::<Result<_, _>>()?))
        }
        (Kind::Map(from_key, from), Kind::Map(to_key, to), Value::Map(entries)) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(key, item)| Ok((self::value(from_key, key, to_key)?, self::value(from, item, to)?)));
            let entries = entries.collect::<Result<Vec<_>, String>>()?;
            Ok(Value::Map(hash_order::arrange(entries, DEFAULT_CAPACITY)))
        }
        _ => Ok(promote(value, &target.kind)),
    }
}

fn structure(source: &Schema, values: &[Value], target: &Schema) -> Result<Value, String> {
    let mut projected = Vec::with_capacity(target.fields().len());
    for field in target.fields() {
        let from = source.fields().iter().zip(values).find(|(from, _)| from.name == field.name);
        projected.push(match (from, &field.schema.default) {
            (Some((from, of)), _) => {
                value(&from.schema, of, &field.schema).map_err(|why| format!("{}: {why}", field.name))?
            }
            (None, Some(default)) => default.clone(),
            (None, None) if field.schema.optional => Value::Null,
            (None, None) => return Err(format!("the required field {:?} is missing", field.name)),
        });
    }
    Ok(Value::Struct(projected))
}

fn check(source: &Schema, target: &Schema) -> Result<(), String> {
    if !promotable(&source.kind, &target.kind) {
        return Err(format!("{} does not become {}", source.kind.name(), target.kind.name()));
    }
    if source.name != target.name {
        return Err(format!("the schema {:?} does not become {:?}", source.name, target.name));
    }
    // Parameters of only one of the two say nothing.
    if source.parameters.is_empty() || target.parameters.is_empty() {
        return Ok(());
    }
    let counts = |schema: &Schema| schema.parameters.iter().filter(|(key, _)| !documents(key)).count();
    let contained =
        source.parameters.iter().all(|(key, value)| documents(key) || target.parameter(key) == Some(value.as_str()));
    let is_enum = source.parameter(ENUM).is_some() && target.parameter(ENUM).is_some();
    match contained && (is_enum || counts(source) == counts(target)) {
        true => Ok(()),
        false => Err("the schemas' parameters differ".into()),
    }
}

fn documents(parameter: &str) -> bool {
    matches!(parameter, "connect.record.doc" | "connect.record.aliases" | "connect.record.namespace")
        || parameter.starts_with("io.confluent.connect.avro.field.doc.")
}

/// Numbers widen in this order.
fn rank(kind: &Kind) -> Option<u8> {
    Some(match kind {
        Kind::Int8 => 0,
        Kind::Int16 => 1,
        Kind::Int32 => 2,
        Kind::Int64 => 3,
        Kind::Float32 => 4,
        Kind::Float64 => 5,
        _ => return None,
    })
}

fn promotable(source: &Kind, target: &Kind) -> bool {
    match (rank(source), rank(target)) {
        (Some(from), Some(to)) => from <= to,
        _ => std::mem::discriminant(source) == std::mem::discriminant(target),
    }
}

fn promote(value: &Value, target: &Kind) -> Value {
    let integer = match value {
        Value::Int8(value) => i64::from(*value),
        Value::Int16(value) => i64::from(*value),
        Value::Int32(value) => i64::from(*value),
        Value::Int64(value) => *value,
        Value::Float32(value) if matches!(target, Kind::Float64) => return Value::Float64(f64::from(*value)),
        other => return other.clone(),
    };
    match target {
        Kind::Int8 => Value::Int8(integer as i8),
        Kind::Int16 => Value::Int16(integer as i16),
        Kind::Int32 => Value::Int32(integer as i32),
        Kind::Int64 => Value::Int64(integer),
        Kind::Float32 => Value::Float32(integer as f32),
        Kind::Float64 => Value::Float64(integer as f64),
        _ => value.clone(),
    }
}
