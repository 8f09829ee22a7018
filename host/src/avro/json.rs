//! Avro from and to JSON, as Kafka Connect's Avro data and its JsonConverter with schemas.enable=false write it.
//!
//! Logical types ride on their base types there, as here: a date is its days, a timestamp its milliseconds, a decimal
//! the base64 of its bytes. No schema goes into the JSON, and none is taken from it.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::encode::{Dialect, encode};
use super::shape::{Id, Kind, Shapes};
use super::wire::Cursor;
use super::{Malformed, Schema, number, whole};

/// Writes data of one schema as JSON.
#[derive(Debug, Clone)]
pub struct ToJson(Arc<Shapes>);

impl ToJson {
    pub fn compile(schema: &Schema) -> ToJson {
        ToJson(schema.shapes().clone())
    }

    /// Appends one JSON document.
    pub fn run(&self, datum: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        whole(out, |out| {
            let mut writer = Writer { shapes: &self.0, cursor: Cursor::new(datum) };
            writer.value(self.0.root, out)?;
            writer.cursor.end()
        })
    }
}

/// Reads JSON as data of one schema.
#[derive(Debug, Clone)]
pub struct FromJson(Arc<Shapes>);

impl FromJson {
    pub fn compile(schema: &Schema) -> FromJson {
        FromJson(schema.shapes().clone())
    }

    /// Appends one datum. A member that is missing has its field's default, else null; one too many is left out.
    pub fn run(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let malformed = |why: String| Malformed { at: 0, why: why.into() };
        let value = serde_json::from_slice(json).map_err(|error| malformed(format!("no JSON: {error}")))?;
        whole(out, |out| encode(&self.0, self.0.root, &value, Dialect::Connect, out).map_err(malformed))
    }
}

struct Writer<'a> {
    shapes: &'a Shapes,
    cursor: Cursor<'a>,
}

impl Writer<'_> {
    fn value(&mut self, id: Id, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let shapes = self.shapes;
        let cursor = &mut self.cursor;
        match shapes.kind(id) {
            Kind::Null => out.extend(b"null"),
            Kind::Boolean => out.extend(cursor.boolean()?.to_string().bytes()),
            Kind::Int => out.extend(cursor.int()?.to_string().bytes()),
            Kind::Long => out.extend(cursor.long()?.to_string().bytes()),
            Kind::Float => number::float(cursor.float()?, out),
            Kind::Double => number::double(cursor.double()?, out),
            Kind::Bytes => base64(cursor.blob()?, out),
            Kind::Fixed(size) => base64(cursor.take(*size)?, out),
            Kind::String => self.text(out)?,
            Kind::Enum { symbols, .. } => string(&symbols[cursor.index(symbols.len())?], out),
            Kind::Array(item) => self.items(*item, false, out)?,
            Kind::Map(value) => self.items(*value, true, out)?,
            Kind::Union(branches) => {
                let index = cursor.index(branches.len())?;
                self.union(branches, index, out)?;
            }
            Kind::Record(fields) => {
                cursor.down()?;
                out.push(b'{');
                for (index, field) in fields.iter().enumerate() {
                    separate(index, out);
                    string(&field.name, out);
                    out.push(b':');
                    self.value(field.shape, out)?;
                }
                out.push(b'}');
                self.cursor.up();
            }
        }
        Ok(())
    }

    fn text(&mut self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let bytes = self.cursor.blob()?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.cursor.malformed("a string is not UTF-8"))?;
        string(text, out);
        Ok(())
    }

    fn items(&mut self, item: Id, keyed: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.cursor.down()?;
        out.push(if keyed { b'{' } else { b'[' });
        let mut index = 0;
        loop {
            let count = self.cursor.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                let start = self.cursor.at;
                separate(index, out);
                if keyed {
                    self.text(out)?;
                    out.push(b':');
                }
                self.value(item, out)?;
                self.cursor.item_since(start)?;
                index += 1;
            }
        }
        out.push(if keyed { b'}' } else { b']' });
        self.cursor.up();
        Ok(())
    }

    /// A nullable type is the bare value; any other union an object with a member for each branch but null.
    fn union(&mut self, branches: &[Id], index: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let shapes = self.shapes;
        let null = |id: &Id| matches!(shapes.kind(*id), Kind::Null);
        self.cursor.down()?;
        if null(&branches[index]) || (branches.len() == 2 && branches.iter().any(null)) {
            self.value(branches[index], out)?;
        } else {
            out.push(b'{');
            for (place, (branch, id)) in branches.iter().enumerate().filter(|(_, id)| !null(id)).enumerate() {
                separate(place, out);
                string(&shapes.get(*id).name, out);
                out.push(b':');
                if branch == index {
                    self.value(*id, out)?;
                } else {
                    out.extend(b"null");
                }
            }
            out.push(b'}');
        }
        self.cursor.up();
        Ok(())
    }
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.extend(serde_json::Value::from(text).to_string().bytes());
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    string(&BASE64_STANDARD.encode(bytes), out);
}
