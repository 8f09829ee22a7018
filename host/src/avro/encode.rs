//! JSON to Avro's binary encoding, in either of two dialects: a schema's defaults, and Connect's JSON.
//!
//! It appends to `out` whatever it can; taking that back after an error is the caller's.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::number::float_in;
use super::shape::{Field, Id, Kind, MAX_DEPTH, Shapes};
use super::wire::{put_blob, put_long};

/// How bytes and unions are written in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Bytes are Latin-1, a union is the value of the first branch that takes it.
    Default,
    /// Bytes are base64, a union of several is an object with a member for each branch.
    Connect,
}

pub(super) fn encode(shapes: &Shapes, id: Id, json: &Value, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), String> {
    Encoder { shapes, dialect, depth: 0 }.put(id, json, out)
}

struct Encoder<'a> {
    shapes: &'a Shapes,
    dialect: Dialect,
    depth: usize,
}

impl Encoder<'_> {
    fn put(&mut self, id: Id, json: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        if self.depth == MAX_DEPTH {
            return Err("it is nested too deep".into());
        }
        self.depth += 1;
        let result = self.put_one(id, json, out);
        self.depth -= 1;
        result
    }

    fn put_one(&mut self, id: Id, json: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let shape = self.shapes.get(id);
        let wrong = || format!("{json:.40} is no {}", shape.name);
        match (&shape.kind, json) {
            (Kind::Null, Value::Null) => {}
            (Kind::Boolean, Value::Bool(value)) => out.push(u8::from(*value)),
            (Kind::Int, _) => {
                let value = json.as_i64().and_then(|value| i32::try_from(value).ok());
                put_long(out, value.ok_or_else(wrong)?.into());
            }
            (Kind::Long, _) => put_long(out, json.as_i64().ok_or_else(wrong)?),
            (Kind::Float, _) => out.extend((float_in(json).ok_or_else(wrong)? as f32).to_le_bytes()),
            (Kind::Double, _) => out.extend(float_in(json).ok_or_else(wrong)?.to_le_bytes()),
            (Kind::String, Value::String(text)) => put_blob(out, text.as_bytes()),
            (Kind::Bytes, Value::String(text)) => put_blob(out, &self.bytes(text).ok_or_else(wrong)?),
            (Kind::Fixed(size), Value::String(text)) => {
                let bytes = self.bytes(text).filter(|bytes| bytes.len() == *size);
                out.extend(bytes.ok_or_else(wrong)?);
            }
            (Kind::Enum { symbols, .. }, Value::String(symbol)) => {
                let index = symbols.iter().position(|known| known == symbol).ok_or_else(wrong)?;
                put_long(out, index as i64);
            }
            (Kind::Array(item), Value::Array(items)) => {
                self.put_items(items.iter().map(|value| (None, value)), items.len(), *item, out)?;
            }
            (Kind::Map(value), Value::Object(map)) => {
                self.put_items(map.iter().map(|(key, value)| (Some(key), value)), map.len(), *value, out)?;
            }
            (Kind::Record(fields), Value::Object(members)) => self.put_fields(fields, members, out)?,
            (Kind::Union(branches), _) => self.put_union(branches, json, out)?,
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn bytes(&self, text: &str) -> Option<Vec<u8>> {
        match self.dialect {
            Dialect::Default => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            Dialect::Connect => BASE64_STANDARD.decode(text).ok(),
        }
    }

    fn put_items<'j>(
        &mut self,
        items: impl Iterator<Item = (Option<&'j String>, &'j Value)>,
        count: usize,
        item: Id,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        if count > 0 {
            put_long(out, count as i64);
        }
        for (key, value) in items {
            if let Some(key) = key {
                put_blob(out, key.as_bytes());
            }
            self.put(item, value, out)?;
        }
        put_long(out, 0);
        Ok(())
    }

    /// Members the record does not know are left out, as a reader leaves out a writer's fields.
    fn put_fields(&mut self, fields: &[Field], members: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), String> {
        for field in fields {
            let outer = self.dialect;
            let value = members.get(&field.name).or_else(|| {
                self.dialect = Dialect::Default;
                field.default.as_ref()
            });
            let result = self.put(field.shape, value.unwrap_or(&Value::Null), out);
            self.dialect = outer;
            result.map_err(|why| format!("{}: {why}", field.name))?;
        }
        Ok(())
    }

    fn put_union(&mut self, branches: &[Id], json: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let shapes = self.shapes;
        let null = branches.iter().any(|&branch| matches!(shapes.kind(branch), Kind::Null));
        let bare = self.dialect == Dialect::Default || json.is_null() || (null && branches.len() == 2);
        let length = out.len();
        for (index, &branch) in branches.iter().enumerate() {
            let value = match json.get(&shapes.get(branch).name) {
                _ if bare => json,
                Some(member) if !member.is_null() => member,
                _ => continue,
            };
            put_long(out, index as i64);
            match self.put(branch, value, out) {
                Ok(()) => return Ok(()),
                Err(why)
                    if branches.len() == 2 && null && !matches!(shapes.kind(branch), Kind::Null) && !json.is_null() =>
                {
                    return Err(why);
                }
                Err(_) => out.truncate(length),
            }
        }
        Err(format!("{json:.40} is no branch of the union"))
    }
}
