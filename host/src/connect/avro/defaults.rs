//! Defaults: JSON in Avro's way (bytes as Latin-1 text, a union's default is its first branch's), data in Connect's.

use serde_json::{Map, Value as Json};

use crate::connect::{Kind, Schema, Value, hash_order};

/// The data that a default stands for; none for null and for what does not fit, which is left out as Connect does.
pub(super) fn from_json(schema: &Schema, json: &Json) -> Option<Value> {
    if json.is_null() {
        return None;
    }
    let integer = || json.as_i64();
    Some(match &schema.kind {
        Kind::Bool => Value::Bool(json.as_bool()?),
        Kind::Int8 => Value::Int8(integer()? as i8),
        Kind::Int16 => Value::Int16(integer()? as i16),
        Kind::Int32 => Value::Int32(integer()? as i32),
        Kind::Int64 => Value::Int64(integer()?),
        Kind::Float32 => Value::Float32(json.as_f64()? as f32),
        Kind::Float64 => Value::Float64(json.as_f64()?),
        Kind::String => Value::String(json.as_str()?.into()),
        Kind::Bytes => Value::Bytes(latin_bytes(json.as_str()?)?),
        Kind::Array(item) => {
            let items = json.as_array()?.iter().map(|json| nullable(item, json));
            Value::Array(items.collect::<Option<_>>()?)
        }
        Kind::Map(_, value) => {
            let entries = json.as_object()?.iter();
            let entries = entries.map(|(key, json)| Some((Value::String(key.as_str().into()), nullable(value, json)?)));
            let entries: Vec<_> = entries.collect::<Option<_>>()?;
            let capacity = entries.len();
            Value::Map(hash_order::arrange(entries, capacity))
        }
        Kind::Struct(fields) if schema.is(super::UNION) => {
            let mut values = vec![Value::Null; fields.len()];
            let (first, field) = (values.first_mut()?, fields.first()?);
            *first = from_json(&field.schema, json)?;
            Value::Struct(values)
        }
        Kind::Struct(fields) => {
            let object = json.as_object()?;
            let values = fields.iter().map(|field| match object.get(&field.name) {
                Some(json) => nullable(&field.schema, json),
                None => field.schema.default.clone().or(field.schema.optional.then_some(Value::Null)),
            });
            Value::Struct(values.collect::<Option<_>>()?)
        }
    })
}

fn nullable(schema: &Schema, json: &Json) -> Option<Value> {
    if json.is_null() { schema.optional.then_some(Value::Null) } else { from_json(schema, json) }
}

fn latin_bytes(text: &str) -> Option<Box<[u8]>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// The JSON of a default; none for what JSON cannot say (NaN).
pub(super) fn to_json(schema: &Schema, value: &Value) -> Option<Json> {
    Some(match (&schema.kind, value) {
        (_, Value::Null) => Json::Null,
        (_, Value::Bool(value)) => (*value).into(),
        (_, Value::Int8(value)) => (*value).into(),
        (_, Value::Int16(value)) => (*value).into(),
        (_, Value::Int32(value)) => (*value).into(),
        (_, Value::Int64(value)) => (*value).into(),
        (_, Value::Float32(value)) => serde_json::Number::from_f64(value.to_string().parse().ok()?)?.into(),
        (_, Value::Float64(value)) => serde_json::Number::from_f64(*value)?.into(),
        (_, Value::String(text)) => (&**text).into(),
        (_, Value::Bytes(bytes)) => bytes.iter().copied().map(char::from).collect::<String>().into(),
        (Kind::Array(item), Value::Array(items)) => {
            Json::Array(items.iter().map(|value| to_json(item, value)).collect::<Option<_>>()?)
        }
        (Kind::Map(key, of), Value::Map(entries)) => map_to_json(key, of, entries)?,
        (Kind::Struct(fields), Value::Struct(values)) if schema.is(super::UNION) => {
            let both = fields.iter().zip(values).find(|(_, value)| !matches!(value, Value::Null));
            both.map_or(Some(Json::Null), |(field, value)| to_json(&field.schema, value))?
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            let mut object = Map::new();
            for (field, value) in fields.iter().zip(values) {
                object.insert(field.name.clone(), to_json(&field.schema, value)?);
            }
            Json::Object(object)
        }
        _ => return None,
    })
}

fn map_to_json(key: &Schema, of: &Schema, entries: &[(Value, Value)]) -> Option<Json> {
    if matches!(key.kind, Kind::String) && !key.optional {
        let mut object = Map::new();
        for (key, value) in entries {
            let Value::String(key) = key else { return None };
            object.insert(key.to_string(), to_json(of, value)?);
        }
        return Some(Json::Object(object));
    }
    let pairs = entries.iter().map(|(a, b)| Some(Json::Array(vec![to_json(key, a)?, to_json(of, b)?])));
    Some(Json::Array(pairs.collect::<Option<_>>()?))
}
