//! JsonConverter: JSON whose schema comes with it, or none at all.
//!
//! A number of the wrong kind is taken as Java's intValue takes it; any other value of the wrong type is refused, where
//! Connect would silently write 0.

/// Numbers.
mod number;

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use self::number::{decimal, float, integer, is_integer};
use crate::connect::avro::shortest;
use crate::connect::hash_order::{self, DEFAULT_CAPACITY};
use crate::connect::{Datum, Field, Kind, Reason, Schema, Value, logical};

/// How deep arrays and objects may be nested.
const DEPTH_MAX: usize = 200;

/// How many schemas are kept; Connect keeps 1,000, too.
const SCHEMAS_MAX: usize = 1000;

#[derive(Debug)]
pub struct JsonConverter {
    schemas_enable: bool,
    /// By their text, newest last.
    schemas: Vec<(Box<str>, Arc<Schema>)>,
}

type Result<T> = std::result::Result<T, String>;

/// The members of an object, as they are written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        from.deserialize_map(All)
    }
}

impl<'a> Members<'a> {
    fn of(json: &'a RawValue) -> Result<Members<'a>> {
        serde_json::from_str(json.get()).map_err(|error| format!("not a JSON object: {error}"))
    }

    /// Of members with one name the last one counts.
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, json)| *json)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|json| serde_json::from_str(json.get()).ok())
    }
}

impl JsonConverter {
    pub(super) fn new(schemas_enable: bool) -> JsonConverter {
        JsonConverter { schemas_enable, schemas: Vec::new() }
    }

    pub(super) fn convert(&mut self, bytes: &[u8]) -> std::result::Result<Datum, Reason> {
        self.datum(bytes).map_err(Reason::Record)
    }

    fn datum(&mut self, bytes: &[u8]) -> Result<Datum> {
        if depth(bytes) > DEPTH_MAX {
            return Err(format!("JSON that is nested more than {DEPTH_MAX} deep"));
        }
        let json: &RawValue = serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))?;
        if !self.schemas_enable {
            return Ok(Datum { schema: None, value: schemaless(json)? });
        }
        let members = Members::of(json)?;
        match (members.get("schema"), members.get("payload"), members.0.len()) {
            (Some(schema), Some(payload), 2) if schema.get() == "null" => {
                Ok(Datum { schema: None, value: schemaless(payload)? })
            }
            (Some(schema), Some(payload), 2) => {
                let schema = self.schema(schema)?;
                let value = with_schema(&schema, payload)?;
                Ok(Datum { schema: Some(schema), value })
            }
            _ => Err("no object of exactly \"schema\" and \"payload\", which schemas.enable=true asks for".into()),
        }
    }

    fn schema(&mut self, json: &RawValue) -> Result<Arc<Schema>> {
        if let Some((_, schema)) = self.schemas.iter().rev().find(|(text, _)| **text == *json.get()) {
            return Ok(schema.clone());
        }
        let schema = Arc::new(schema(json)?);
        if self.schemas.len() == SCHEMAS_MAX {
            self.schemas.remove(0);
        }
        self.schemas.push((json.get().into(), schema.clone()));
        Ok(schema)
    }
}

/// How deep brackets are nested, those in strings left out.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut text, mut escaped) = (0usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = text,
            b'"' => text = !text,
            b'[' | b'{' if !text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn schema(json: &RawValue) -> Result<Schema> {
    let members = Members::of(json)?;
    let part = |name: &str| {
        let part = members.get(name).ok_or_else(|| format!("a schema without {name:?}"))?;
        Ok::<_, String>(Arc::new(schema(part)?))
    };
    let kind = match members.text("type").ok_or("a schema without \"type\"")?.as_str() {
        "boolean" => Kind::Bool,
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "array" => Kind::Array(part("items")?),
        "map" => Kind::Map(part("keys")?, part("values")?),
        "struct" => Kind::Struct(fields(&members)?),
        other => return Err(format!("the schema type {other:?} is unknown")),
    };
    let mut schema = Schema::new(kind);
    schema.optional = members.get("optional").is_some_and(|json| json.get() == "true");
    schema.name = members.text("name");
    schema.version = members.get("version").and_then(|json| json.get().parse().ok());
    schema.doc = members.text("doc");
    if let Some(parameters) = members.get("parameters").filter(|json| json.get().starts_with('{')) {
        for (key, value) in Members::of(parameters)?.0 {
            let value = serde_json::from_str(value.get()).map_err(|_| format!("the parameter {key:?} is no text"))?;
            schema.parameters.push((key, value));
        }
    }
    if let Some(default) = members.get("default").filter(|json| json.get() != "null") {
        schema.default = Some(with_schema(&schema, default)?);
    }
    Ok(schema)
}

fn fields(members: &Members<'_>) -> Result<Vec<Field>> {
    let fields = members.get("fields").ok_or("a struct without \"fields\"")?;
    let fields: Vec<&RawValue> = serde_json::from_str(fields.get()).map_err(|_| "\"fields\" is no array")?;
    let field = |json: &RawValue| {
        let name = Members::of(json)?.text("field").ok_or("a field without its name in \"field\"")?;
        Ok(Field { name, schema: Arc::new(schema(json)?) })
    };
    fields.into_iter().map(field).collect()
}

fn items(json: &RawValue) -> Result<Vec<&RawValue>> {
    serde_json::from_str(json.get()).map_err(|error| format!("not a JSON array: {error}"))
}

fn text(json: &RawValue) -> Result<String> {
    serde_json::from_str(json.get()).map_err(|error| format!("not a JSON string: {error}"))
}

fn schemaless(json: &RawValue) -> Result<Value> {
    let written = json.get();
    Ok(match written.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b't' | b'f') => Value::Bool(written == "true"),
        Some(b'"') => Value::String(text(json)?.into()),
        Some(b'[') => Value::Array(items(json)?.into_iter().map(schemaless).collect::<Result<_>>()?),
        Some(b'{') => {
            let members = Members::of(json)?.0.into_iter();
            let entries = members.map(|(key, value)| Ok((Value::String(key.into()), schemaless(value)?)));
            Value::Map(hash_order::arrange(entries.collect::<Result<_>>()?, DEFAULT_CAPACITY))
        }
        _ if is_integer(written) => Value::Int64(integer(written)?),
        _ => Value::Float64(float(written)?),
    })
}

fn with_schema(schema: &Schema, json: &RawValue) -> Result<Value> {
    let written = json.get();
    if written == "null" {
        return match &schema.default {
            Some(default) => Ok(default.clone()),
            None if schema.optional => Ok(Value::Null),
            None => Err(format!("null for a required {}", schema.kind.name())),
        };
    }
    let wrong = || format!("{} where {} is due", written.chars().take(40).collect::<String>(), schema.kind.name());
    let number = || written.starts_with(|first: char| first == '-' || first.is_ascii_digit()).then_some(written);
    let whole = || -> Result<i64> {
        let number = number().ok_or_else(wrong)?;
        if is_integer(number) { integer(number) } else { Ok(float(number)? as i64) }
    };
    Ok(match &schema.kind {
        Kind::Bool if matches!(written, "true" | "false") => Value::Bool(written == "true"),
        Kind::Bool => return Err(wrong()),
        Kind::Int8 => Value::Int8(whole()? as i8),
        Kind::Int16 => Value::Int16(whole()? as i16),
        Kind::Int32 => Value::Int32(whole()? as i32),
        Kind::Int64 => Value::Int64(whole()?),
        Kind::Float32 => Value::Float32(number().ok_or_else(wrong)?.parse::<f32>().map_err(|_| wrong())? + 0.0),
        Kind::Float64 => Value::Float64(float(number().ok_or_else(wrong)?)?),
        Kind::String => Value::String(text(json).map_err(|_| wrong())?.into()),
        Kind::Bytes if schema.is(logical::DECIMAL) && number().is_some() => decimal(schema, written)?,
        Kind::Bytes => {
            let bytes = BASE64_STANDARD.decode(text(json).map_err(|_| wrong())?);
            let bytes = bytes.map_err(|error| format!("no base64: {error}"))?;
            match schema.is(logical::DECIMAL) {
                true if bytes.is_empty() => return Err("a decimal has no bytes".into()),
                true => Value::Bytes(shortest(&bytes).into()),
                false => Value::Bytes(bytes.into()),
            }
        }
        Kind::Array(item) => {
            Value::Array(items(json)?.into_iter().map(|json| with_schema(item, json)).collect::<Result<_>>()?)
        }
        Kind::Map(key, value) => {
            let entries = if matches!(key.kind, Kind::String) {
                let members = Members::of(json)?.0.into_iter();
                members
                    .map(|(key, json)| Ok((Value::String(key.into()), with_schema(value, json)?)))
                    .collect::<Result<_>>()?
            } else {
                items(json)?.into_iter().map(|pair| entry(key, value, pair)).collect::<Result<_>>()?
            };
            Value::Map(hash_order::arrange(entries, DEFAULT_CAPACITY))
        }
        Kind::Struct(fields) => {
            let members = Members::of(json)?;
            let field = |field: &Field| {
                let json = members.get(&field.name).unwrap_or(RawValue::NULL);
                with_schema(&field.schema, json).map_err(|why| format!("{}: {why}", field.name))
            };
            Value::Struct(fields.iter().map(field).collect::<Result<_>>()?)
        }
    })
}

fn entry(key: &Schema, value: &Schema, pair: &RawValue) -> Result<(Value, Value)> {
    match items(pair)?[..] {
        [one, other] => Ok((with_schema(key, one)?, with_schema(value, other)?)),
        _ => Err("a map's entry is no array of two".into()),
    }
}
