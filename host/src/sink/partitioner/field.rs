//! `FieldPartitioner`: `field=value` for each of `partition.field.name`.

use std::fmt::Write;
use std::sync::Arc;

use super::Found;
use crate::connect::{Datum, Kind, Reason, Schema, Value};
use crate::connector_file::Values;
use crate::exit::Stop;

#[derive(Debug, Clone)]
pub(super) struct Fields(Vec<Path>);

impl Fields {
    pub(super) fn parse(values: &Values) -> Result<Fields, Stop> {
        let names = values.list("partition.field.name");
        if names.is_empty() {
            return Err(Stop::usage("partition.field.name is missing: FieldPartitioner needs it"));
        }
        Ok(Fields(names.into_iter().map(Path::new).collect()))
    }

    pub(super) fn encode(&mut self, value: &Datum, delimiter: &str, out: &mut String) -> Result<(), Reason> {
        for (number, path) in self.0.iter_mut().enumerate() {
            let (schema, found) = path.find(value)?;
            out.push_str(if number == 0 { "" } else { delimiter });
            out.push_str(&path.name);
            out.push('=');
            match (&schema.kind, found) {
                (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::String | Kind::Bool, Value::Null) => {
                    out.push_str("null");
                }
                (_, Value::String(text)) => out.push_str(text),
                (_, Value::Bool(value)) => out.push_str(if *value { "true" } else { "false" }),
                (_, value) => match integer(value) {
                    Some(number) => write!(out, "{number}").unwrap_or(()),
                    None => {
                        return Err(Reason::record(format!(
                            "field {:?} has type {}; partitions can be of integers, strings and booleans",
                            path.name,
                            schema.kind.name()
                        )));
                    }
                },
            }
        }
        Ok(())
    }
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int8(number) => Some((*number).into()),
        Value::Int16(number) => Some((*number).into()),
        Value::Int32(number) => Some((*number).into()),
        Value::Int64(number) => Some(*number),
        _ => None,
    }
}

/// A field, or with dots a field of a field.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) name: String,
    found: Option<Found>,
}

impl Path {
    pub(super) fn new(name: String) -> Path {
        Path { name, found: None }
    }

    /// The field's schema and value in a struct.
    pub(super) fn find<'a>(&mut self, datum: &'a Datum) -> Result<(Arc<Schema>, &'a Value), Reason> {
        let (Some(root), Value::Struct(_)) = (&datum.schema, &datum.value) else {
            return Err(Reason::record(format!("the value is no record with a schema, so it has no {:?}", self.name)));
        };
        if !self.found.as_ref().is_some_and(|found| Arc::ptr_eq(&found.root, root)) {
            self.found = Some(self.look_up(root)?);
        }
        let Some(found) = &self.found else { return Err(Reason::record("no field")) };
        let mut value = &datum.value;
        for index in &found.indexes {
            value = match value {
                Value::Struct(fields) => fields.get(*index).unwrap_or(&Value::Null),
                _ => &Value::Null,
            };
        }
        Ok((found.leaf.clone(), value))
    }

    fn look_up(&self, root: &Arc<Schema>) -> Result<Found, Reason> {
        let (mut leaf, mut indexes) = (root.clone(), Vec::new());
        // A field whose own name has a dot goes before.
        let names: Vec<&str> = match root.fields().iter().any(|field| field.name == self.name) {
            true => vec![&self.name],
            false => self.name.split('.').collect(),
        };
        for name in names {
            let at = leaf.fields().iter().position(|field| field.name == name);
            let at = at.ok_or_else(|| Reason::record(format!("the value has no field {:?}", self.name)))?;
            indexes.push(at);
            leaf = leaf.fields()[at].schema.clone();
        }
        Ok(Found { root: root.clone(), indexes, leaf })
    }
}
