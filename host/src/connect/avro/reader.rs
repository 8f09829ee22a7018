//! Connect's schema from Avro's, with the decoder of its data.

/// Names, properties and plain types.
mod parts;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use self::parts::{
    collect, decimal, finish, full_name, int, is_map_entry, is_null, part, primitive, set, string, time,
};
use super::decode::{Node, Record};
use super::{ENUM, ENUM_DEFAULT, ENUM_DOC, FIELD_DOC, FIXED_SIZE, RECORD_DOC, UNION};
use crate::avro::Malformed;
use crate::connect::{Field, Kind, Schema, Value, logical};

/// A writer's schema, ready to read its data.
#[derive(Debug)]
pub struct Reader {
    pub schema: Arc<Schema>,
    node: Node,
}

impl Reader {
    /// `version` is the subject's; a `connect.version` in the schema wins.
    pub fn compile(text: &str, version: Option<i32>) -> Result<Reader, String> {
        crate::avro::Schema::parse(text).map_err(|error| error.to_string())?;
        let json: Json = serde_json::from_str(text).map_err(|error| format!("not an Avro schema: {error}"))?;
        let mut named = HashMap::new();
        collect(&json, "", &mut named);
        let mut compiler = Compiler { named, open: Vec::new(), types: 0 };
        let (schema, node) = compiler.compile(&json, "", Place { version, ..Place::default() })?;
        Ok(Reader { schema: Arc::new(schema), node })
    }

    pub fn read(&self, datum: &[u8]) -> Result<Value, Malformed> {
        self.node.read(datum)
    }

    /// What a registry's serializer wrote: bytes that are the whole value come without their length.
    pub fn read_framed(&self, datum: &[u8]) -> Result<Value, Malformed> {
        match self.node {
            Node::Bytes => Ok(Value::Bytes(datum.into())),
            _ => self.read(datum),
        }
    }
}

type Object = Map<String, Json>;

/// Every named type, with the namespace that it is written in.
type Named<'a> = HashMap<String, (&'a Json, String)>;

/// What the place of a type adds to it.
#[derive(Default, Clone, Copy)]
struct Place<'a> {
    optional: bool,
    default: Option<&'a Json>,
    version: Option<i32>,
}

struct Compiler<'a> {
    named: Named<'a>,
    /// The records that are being compiled.
    open: Vec<String>,
    /// How many types were compiled; one that is named twice is compiled twice.
    types: usize,
}

/// What bounds the memory that a short schema can ask for, and how deep it is followed.
const TYPES_MAX: usize = 50_000;
const DEPTH_MAX: usize = 128;

impl<'a> Compiler<'a> {
    fn compile(&mut self, json: &'a Json, namespace: &str, place: Place<'a>) -> Result<(Schema, Node), String> {
        self.types += 1;
        if self.types > TYPES_MAX || self.open.len() > DEPTH_MAX {
            return Err(format!("more than {TYPES_MAX} types, or records nested more than {DEPTH_MAX} deep"));
        }
        match json {
            Json::String(kind) if kind == "null" => Err("a null outside a union has no Connect type".into()),
            Json::String(kind) => match primitive(kind) {
                Some((kind, node)) => Ok((finish(Schema::new(kind), &Object::new(), None, place)?, node)),
                None => self.reference(kind, namespace, place),
            },
            Json::Array(branches) => self.union(branches, namespace, place),
            Json::Object(object) => match object.get("type") {
                Some(Json::String(kind)) => self.object(object, kind, namespace, place),
                Some(nested) => self.compile(nested, namespace, place),
                None => Err("a type without \"type\"".into()),
            },
            other => Err(format!("{other} is no type")),
        }
    }

    fn reference(&mut self, name: &str, namespace: &str, place: Place<'a>) -> Result<(Schema, Node), String> {
        let qualified = if namespace.is_empty() { name.to_string() } else { format!("{namespace}.{name}") };
        let known = [qualified.as_str(), name].into_iter().find(|name| self.named.contains_key(*name));
        let known = known.ok_or_else(|| format!("the type {name} is nowhere defined"))?;
        if self.open.iter().any(|open| open == known) {
            return Err(format!("the type {known} contains itself, which this sink cannot write"));
        }
        let (json, space) = self.named[known].clone();
        self.compile(json, &space, place)
    }

    fn object(
        &mut self,
        object: &'a Object,
        kind: &str,
        namespace: &str,
        place: Place<'a>,
    ) -> Result<(Schema, Node), String> {
        let logical = string(object, "logicalType").unwrap_or_default().to_ascii_lowercase();
        let (schema, node) = match kind {
            "int" => int(object, &logical)?,
            "long" if logical == "timestamp-millis" => (time(Kind::Int64, logical::TIMESTAMP), Node::Int64),
            "bytes" if logical == "decimal" => (decimal(object), Node::Decimal),
            "fixed" => return self.fixed(object, &logical, namespace, place),
            "record" | "error" => return self.record(object, namespace, place),
            "enum" => return self.enumeration(object, namespace, place),
            "array" => self.array(object, namespace)?,
            "map" => {
                let (value, node) = self.compile(part(object, "values")?, namespace, Place::default())?;
                let kind = Kind::Map(Arc::new(Schema::new(Kind::String)), Arc::new(value));
                (Schema::new(kind), Node::Map(Box::new(node)))
            }
            "null" => return Err("a null outside a union has no Connect type".into()),
            other => match primitive(other) {
                Some((kind, node)) => (Schema::new(kind), node),
                None => return self.reference(other, namespace, place),
            },
        };
        Ok((finish(schema, object, None, place)?, node))
    }

    fn array(&mut self, object: &'a Object, namespace: &str) -> Result<(Schema, Node), String> {
        let items = part(object, "items")?;
        if is_map_entry(items, namespace) {
            let (item, node) = self.compile(items, namespace, Place::default())?;
            let both = |name: &str| item.fields().iter().find(|field| field.name == name).map(|f| f.schema.clone());
            let (Kind::Struct(fields), Node::Struct(record)) = (&item.kind, node) else {
                return Err("a map's entries are no records".into());
            };
            return match (both("key"), both("value"), &fields[..]) {
                (Some(key), Some(value), [first, _]) if first.name == "key" => {
                    Ok((Schema::new(Kind::Map(key, value)), Node::Entries(Box::new(record))))
                }
                _ => Err("a map's entries are not records of a key and a value".into()),
            };
        }
        let (item, node) = self.compile(items, namespace, Place::default())?;
        Ok((Schema::new(Kind::Array(Arc::new(item))), Node::Array(Box::new(node))))
    }

    fn fixed(
        &mut self,
        object: &'a Object,
        logical: &str,
        namespace: &str,
        place: Place<'a>,
    ) -> Result<(Schema, Node), String> {
        let size = object.get("size").and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or("a fixed type without a size")?;
        let (mut schema, node) = match logical {
            "decimal" => (decimal(object), Node::FixedDecimal(size)),
            _ => (Schema::new(Kind::Bytes), Node::Fixed(size)),
        };
        set(&mut schema, FIXED_SIZE, &size.to_string());
        Ok((finish(schema, object, Some(&full_name(object, namespace).0), place)?, node))
    }

    fn record(&mut self, object: &'a Object, namespace: &str, place: Place<'a>) -> Result<(Schema, Node), String> {
        let (full, inside) = full_name(object, namespace);
        self.open.push(full.clone());
        let mut schema = Schema::new(Kind::Bool);
        if let Some(doc) = string(object, "doc") {
            set(&mut schema, RECORD_DOC, doc);
        }
        let (mut fields, mut nodes) = (Vec::new(), Vec::new());
        for field in object.get("fields").and_then(Json::as_array).into_iter().flatten() {
            let name = field["name"].as_str().unwrap_or_default();
            if let Some(doc) = field["doc"].as_str() {
                set(&mut schema, &format!("{FIELD_DOC}{name}"), doc);
            }
            let place = Place { default: field.get("default"), ..Place::default() };
            let (of, node) = self.compile(&field["type"], &inside, place)?;
            fields.push(Field { name: name.into(), schema: Arc::new(of) });
            nodes.push(node);
        }
        schema.kind = Kind::Struct(fields);
        self.open.pop();
        Ok((finish(schema, object, Some(&full), place)?, Node::Struct(Record(nodes))))
    }

    fn enumeration(&mut self, object: &'a Object, namespace: &str, place: Place<'a>) -> Result<(Schema, Node), String> {
        let (full, _) = full_name(object, namespace);
        let short = full.rsplit('.').next().unwrap_or_default();
        let mut schema = Schema::new(Kind::String);
        for (key, prefix) in [("doc", ENUM_DOC), ("default", ENUM_DEFAULT)] {
            if let Some(text) = string(object, key) {
                set(&mut schema, &format!("{prefix}{short}"), text);
            }
        }
        set(&mut schema, ENUM, &full);
        let symbols = object.get("symbols").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let symbols: Vec<Box<str>> = symbols.map(Box::from).collect();
        for symbol in &symbols {
            set(&mut schema, &format!("{ENUM}.{symbol}"), symbol);
        }
        Ok((finish(schema, object, Some(&full), place)?, Node::Enum(symbols)))
    }

    /// A type and null is that type, optional, and without its default; any other union a struct of its branches.
    fn union(&mut self, branches: &'a [Json], namespace: &str, place: Place<'a>) -> Result<(Schema, Node), String> {
        if let [one, other] = branches
            && is_null(one) != is_null(other)
        {
            let (null, some) = if is_null(one) { (0, other) } else { (1, one) };
            let (schema, node) = self.compile(some, namespace, Place { optional: true, ..Place::default() })?;
            return Ok((schema, Node::Optional { null, some: Box::new(node) }));
        }
        let mut union = Schema::new(Kind::Bool).named(UNION);
        let (mut fields, mut nodes): (Vec<Field>, Vec<_>) = (Vec::new(), Vec::new());
        for branch in branches {
            if is_null(branch) {
                union.optional = true;
                nodes.push(None);
                continue;
            }
            let (schema, node) = self.compile(branch, namespace, Place { optional: true, ..Place::default() })?;
            let name = self.branch_name(branch, namespace);
            if fields.iter().any(|field| field.name == name) {
                return Err(format!("two branches of a union would be called {name:?}"));
            }
            nodes.push(Some((fields.len(), node)));
            fields.push(Field { name, schema: Arc::new(schema) });
        }
        let count = fields.len();
        union.kind = Kind::Struct(fields);
        let union = finish(union, &Object::new(), None, place)?;
        Ok((union, Node::Union { branches: nodes, fields: count }))
    }

    /// The simple name of a named type, else the type.
    fn branch_name(&self, branch: &Json, namespace: &str) -> String {
        let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_string();
        match branch {
            Json::String(name) => last(name),
            Json::Object(object) => match string(object, "type") {
                Some("record" | "error" | "enum" | "fixed") => last(&full_name(object, namespace).0),
                Some(kind) => last(kind),
                None => object.get("type").map_or_else(String::new, |nested| self.branch_name(nested, namespace)),
            },
            _ => String::new(),
        }
    }
}
