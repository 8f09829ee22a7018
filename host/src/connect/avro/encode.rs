//! Data to Avro's bytes. What does not fit its schema is said, and leaves what was appended to the caller.

use crate::avro::wire::{put_blob, put_long};
use crate::connect::Value;

/// What is written at a place of a datum.
#[derive(Debug)]
pub(super) struct Node {
    /// Whether null may stand here, and then whether it is the first branch.
    pub(super) null_first: Option<bool>,
    /// What a struct has where this field of it is null.
    pub(super) default: Option<Value>,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Bool,
    /// Int and long are the same bytes.
    Int,
    Float,
    Double,
    String,
    Bytes,
    Fixed(usize),
    Enum(Vec<Box<str>>),
    Array(Box<Node>),
    Map(Box<Node>),
    Entries(Box<(Node, Node)>),
    Struct(Vec<(Box<str>, Node)>),
    Union {
        branches: Vec<Node>,
        nullable: bool,
    },
}

impl Node {
    pub(super) fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        match (self.null_first, value) {
            (Some(first), Value::Null) => {
                put_long(out, i64::from(!first));
                return Ok(());
            }
            (Some(first), _) => put_long(out, i64::from(first)),
            (None, _) => {}
        }
        self.body.write(value, out)
    }
}

impl Body {
    fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        match (self, value) {
            (Body::Bool, Value::Bool(value)) => out.push((*value).into()),
            (Body::Int, Value::Int8(value)) => put_long(out, (*value).into()),
            (Body::Int, Value::Int16(value)) => put_long(out, (*value).into()),
            (Body::Int, Value::Int32(value)) => put_long(out, (*value).into()),
            (Body::Int, Value::Int64(value)) => put_long(out, *value),
            (Body::Float, Value::Float32(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (Body::Double, Value::Float64(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (Body::String, Value::String(text)) => put_blob(out, text.as_bytes()),
            (Body::Bytes, Value::Bytes(bytes)) => put_blob(out, bytes),
            (Body::Fixed(size), Value::Bytes(bytes)) if bytes.len() == *size => out.extend_from_slice(bytes),
            (Body::Enum(symbols), Value::String(text)) => {
                let index = symbols.iter().position(|symbol| symbol == text);
                let index = index.ok_or_else(|| format!("{text:?} is none of the enum's symbols"))?;
                put_long(out, index as i64);
            }
            (Body::Array(item), Value::Array(items)) => {
                block(items.len(), out);
                for value in items {
                    item.write(value, out)?;
                }
                end(out);
            }
            (Body::Map(of), Value::Map(entries)) => {
                block(entries.len(), out);
                for (key, value) in entries {
                    Body::String.write(key, out)?;
                    of.write(value, out)?;
                }
                end(out);
            }
            (Body::Entries(of), Value::Map(entries)) => {
                block(entries.len(), out);
                for (key, value) in entries {
                    of.0.write(key, out)?;
                    of.1.write(value, out)?;
                }
                end(out);
            }
            (Body::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
                for ((name, field), value) in fields.iter().zip(values) {
                    let value = field.default.as_ref().filter(|_| *value == Value::Null).unwrap_or(value);
                    field.write(value, out).map_err(|why| format!("{name}: {why}"))?;
                }
            }
            (Body::Union { branches, nullable }, Value::Struct(values)) if branches.len() == values.len() => {
                let chosen = branches.iter().zip(values).enumerate().find(|(_, (_, value))| **value != Value::Null);
                match chosen {
                    Some((index, (branch, value))) => {
                        put_long(out, index as i64 + i64::from(*nullable));
                        branch.write(value, out)?;
                    }
                    None => no_branch(*nullable, out)?,
                }
            }
            (Body::Union { nullable, .. }, Value::Null) => no_branch(*nullable, out)?,
            (_, Value::Null) => return Err("null where a value is required".into()),
            (_, value) => return Err(format!("a {} where another type is due", value.kind())),
        }
        Ok(())
    }
}

fn no_branch(nullable: bool, out: &mut Vec<u8>) -> Result<(), String> {
    if !nullable {
        return Err("null where a value is required".into());
    }
    put_long(out, 0);
    Ok(())
}

fn block(count: usize, out: &mut Vec<u8>) {
    if count > 0 {
        put_long(out, count as i64);
    }
}

fn end(out: &mut Vec<u8>) {
    put_long(out, 0);
}
