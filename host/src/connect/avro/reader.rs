//! Connect's schema from Avro's, with the decoder of its data.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::decode::{Node, Record};
use super::{
    DEFAULT_NAME, ENUM, ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, FIELD_DOC, FIXED_SIZE, INTERNAL_TYPE, MAP_ENTRY,
    NAMESPACE, PRECISION, PRECISION_DEFAULT, RECORD_DOC, UNION, defaults,
};
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
        let mut compiler = Compiler { named, open: Vec::new() };
        let (schema, node) = compiler.compile(&json, "", Place { version, ..Place::default() })?;
        Ok(Reader { schema: Arc::new(schema), node })
    }

    pub fn read(&self, datum: &[u8]) -> Result<Value, Malformed> {
        self.node.read(datum)
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
}

fn string<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Json::as_str)
}

/// The full name of a named type, and the namespace of what is inside it.
fn full_name(object: &Object, namespace: &str) -> (String, String) {
    let name = string(object, "name").unwrap_or_default();
    if let Some((space, _)) = name.rsplit_once('.') {
        return (name.to_string(), space.to_string());
    }
    let space = string(object, "namespace").unwrap_or(namespace);
    if space.is_empty() { (name.to_string(), String::new()) } else { (format!("{space}.{name}"), space.to_string()) }
}

fn collect<'a>(json: &'a Json, namespace: &str, named: &mut Named<'a>) {
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

fn primitive(kind: &str) -> Option<(Kind, Node)> {
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

fn is_null(json: &Json) -> bool {
    json == "null" || json.get("type").is_some_and(|kind| kind == "null")
}

impl<'a> Compiler<'a> {
    fn compile(&mut self, json: &'a Json, namespace: &str, place: Place<'a>) -> Result<(Schema, Node), String> {
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

fn part<'a>(object: &'a Object, key: &str) -> Result<&'a Json, String> {
    object.get(key).ok_or_else(|| format!("a type without {key:?}"))
}

fn set(schema: &mut Schema, key: &str, value: &str) {
    match schema.parameters.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value.to_string(),
        None => schema.parameters.push((key.to_string(), value.to_string())),
    }
}

/// A map whose keys are no strings is an array of these.
fn is_map_entry(items: &Json, namespace: &str) -> bool {
    let Json::Object(object) = items else {
        return items == &*format!("{NAMESPACE}.{MAP_ENTRY}");
    };
    string(object, "type") == Some("record")
        && (full_name(object, namespace).0 == format!("{NAMESPACE}.{MAP_ENTRY}")
            || string(object, INTERNAL_TYPE) == Some(MAP_ENTRY))
}

fn time(kind: Kind, name: &str) -> Schema {
    Schema { version: Some(1), ..Schema::new(kind).named(name) }
}

fn decimal(object: &Object) -> Schema {
    let number = |key: &str| object.get(key).and_then(Json::as_i64);
    let mut schema = time(Kind::Bytes, logical::DECIMAL);
    set(&mut schema, "scale", &number("scale").unwrap_or(0).to_string());
    if let Some(precision) = number("precision").filter(|precision| *precision != PRECISION_DEFAULT) {
        set(&mut schema, PRECISION, &precision.to_string());
    }
    schema
}

fn int(object: &Object, logical: &str) -> Result<(Schema, Node), String> {
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
fn finish(mut schema: Schema, object: &Object, full: Option<&str>, place: Place<'_>) -> Result<Schema, String> {
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
