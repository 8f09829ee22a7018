//! Avro's schema from Connect's, with the encoder of its data: what stands in the head of a file.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::encode::{Body, Node};
use super::{
    DEFAULT_NAME, ENUM, ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, FIELD_DOC, FIXED_SIZE, INTERNAL_TYPE, MAP_ENTRY,
    Metadata, NAMESPACE, PRECISION, PRECISION_DEFAULT, RECORD_DOC, UNION, defaults,
};
use crate::connect::{Kind, Reason, Schema, Value, logical};

/// A file's schema, ready to write data of it.
#[derive(Debug)]
pub struct Writer {
    pub schema: Arc<Schema>,
    json: Json,
    node: Node,
}

impl Writer {
    pub fn compile(schema: &Arc<Schema>, metadata: Metadata) -> Result<Writer, Reason> {
        let mut compiler = Compiler { metadata, named: Vec::new(), unnamed: 0 };
        let (json, node) = compiler.compile(schema, "", true).map_err(Reason::Record)?;
        Ok(Writer { schema: schema.clone(), json, node })
    }

    /// The Avro schema's text.
    pub fn text(&self) -> String {
        self.json.to_string()
    }

    /// Appends one datum.
    pub fn write(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), Reason> {
        self.node.write(value, out).map_err(Reason::Record)
    }
}

type Object = Map<String, Json>;
type Compiled = Result<(Json, Node), String>;

struct Compiler {
    metadata: Metadata,
    /// Types that are already written down; from then on their name is enough.
    named: Vec<(String, Json)>,
    /// How many structs without a name there were.
    unnamed: usize,
}

impl Compiler {
    /// `nullable` is false for the branches of a union, whose null is the union's.
    fn compile(&mut self, schema: &Schema, namespace: &str, nullable: bool) -> Compiled {
        if schema.is(UNION) {
            return self.union(schema, namespace);
        }
        let (base, body) = self.base(schema, namespace)?;
        if !schema.optional || !nullable {
            return Ok((base, Node { null_first: None, default: schema.default.clone(), body }));
        }
        // A default must be of the first branch; for a struct null is always first.
        let null_first = schema.default.is_none() || matches!(schema.kind, Kind::Struct(_));
        let json = if null_first { json!(["null", base]) } else { json!([base, "null"]) };
        Ok((json, Node { null_first: Some(null_first), default: schema.default.clone(), body }))
    }

    fn union(&mut self, schema: &Schema, namespace: &str) -> Compiled {
        let mut branches = Vec::new();
        let mut nodes = Vec::new();
        if schema.optional {
            branches.push(json!("null"));
        }
        for field in schema.fields() {
            let (json, node) = self.compile(&field.schema, namespace, false)?;
            branches.push(json);
            nodes.push(node);
        }
        let body = Body::Union { branches: nodes, nullable: schema.optional };
        Ok((Json::Array(branches), Node { null_first: None, default: schema.default.clone(), body }))
    }

    fn base(&mut self, schema: &Schema, namespace: &str) -> Result<(Json, Body), String> {
        let mut object = Object::new();
        let mut defined = None;
        let body = match &schema.kind {
            Kind::Bool => plain(&mut object, "boolean", Body::Bool),
            Kind::Int8 | Kind::Int16 | Kind::Int32 => plain(&mut object, "int", Body::Int),
            Kind::Int64 => plain(&mut object, "long", Body::Int),
            Kind::Float32 => plain(&mut object, "float", Body::Float),
            Kind::Float64 => plain(&mut object, "double", Body::Double),
            Kind::String if self.metadata.enhanced && schema.parameter(ENUM).is_some() => {
                defined = schema.parameter(ENUM).map(String::from);
                enumeration(schema, namespace, &mut object)
            }
            Kind::String => plain(&mut object, "string", Body::String),
            Kind::Bytes => match fixed_size(schema) {
                Some((name, size)) => {
                    defined = Some(name.to_string());
                    name_of(&mut object, "fixed", name, namespace);
                    object.insert("size".into(), size.into());
                    Body::Fixed(size)
                }
                None => plain(&mut object, "bytes", Body::Bytes),
            },
            Kind::Array(item) => {
                let (items, node) = self.compile(item, namespace, true)?;
                object.insert("type".into(), "array".into());
                object.insert("items".into(), items);
                Body::Array(Box::new(node))
            }
            Kind::Map(key, value) if matches!(key.kind, Kind::String) && !key.optional => {
                let (values, node) = self.compile(value, namespace, true)?;
                object.insert("type".into(), "map".into());
                object.insert("values".into(), values);
                Body::Map(Box::new(node))
            }
            Kind::Map(key, value) => self.entries(schema, key, value, namespace, &mut object)?,
            Kind::Struct(_) => {
                let name = self.struct_name(schema);
                let body = self.record(schema, &name, namespace, &mut object)?;
                defined = Some(name);
                body
            }
        };
        if schema.is(logical::DECIMAL) {
            let (precision, scale) = decimal_digits(schema);
            object.insert("scale".into(), scale.into());
            object.insert("precision".into(), precision.into());
        }
        self.properties(schema, &mut object);
        let json = match object.len() {
            1 => object.remove("type").unwrap_or_default(),
            _ => Json::Object(object),
        };
        Ok((self.define(defined, json, namespace)?, body))
    }

    /// The definition where a name is first met, afterwards the name.
    fn define(&mut self, name: Option<String>, json: Json, namespace: &str) -> Result<Json, String> {
        let Some(name) = name else { return Ok(json) };
        match self.named.iter().find(|(known, _)| *known == name) {
            Some((_, known)) if same_type(known, &json) => Ok(reference(&name, namespace).into()),
            Some(_) => Err(format!("two different types are called {name:?}, which Avro does not allow")),
            None => {
                self.named.push((name, json.clone()));
                Ok(json)
            }
        }
    }

    fn struct_name(&mut self, schema: &Schema) -> String {
        schema.name.clone().unwrap_or_else(|| {
            self.unnamed += 1;
            let number = if self.unnamed > 1 { self.unnamed.to_string() } else { String::new() };
            format!("{NAMESPACE}.{DEFAULT_NAME}{number}")
        })
    }

    fn record(&mut self, schema: &Schema, name: &str, space: &str, object: &mut Object) -> Result<Body, String> {
        name_of(object, "record", name, space);
        if let Some(doc) = schema.parameter(RECORD_DOC) {
            object.insert("doc".into(), doc.into());
        }
        let mut fields = Vec::new();
        let mut nodes = Vec::new();
        for field in schema.fields() {
            let doc = schema.parameter(&format!("{FIELD_DOC}{}", field.name));
            let (json, node) = self.field(&field.name, &field.schema, doc, namespace_of(name))?;
            fields.push(json);
            nodes.push((field.name.as_str().into(), node));
        }
        object.insert("fields".into(), Json::Array(fields));
        Ok(Body::Struct(nodes))
    }

    fn field(&mut self, name: &str, schema: &Schema, doc: Option<&str>, space: &str) -> Compiled {
        let (of, node) = self.compile(schema, space, true)?;
        let mut object = Object::new();
        object.insert("name".into(), name.into());
        object.insert("type".into(), of);
        if let Some(doc) = doc {
            object.insert("doc".into(), doc.into());
        }
        let null_first = node.null_first == Some(true) || (schema.is(UNION) && schema.optional);
        // A default that is not of the first branch is left out, as Avro refuses it.
        let default = match &schema.default {
            Some(_) if null_first => None,
            Some(default) => defaults::to_json(schema, default),
            None => schema.optional.then_some(Json::Null),
        };
        if let Some(default) = default {
            object.insert("default".into(), default);
        }
        Ok((Json::Object(object), node))
    }

    /// A map whose keys are no strings: an array of records.
    fn entries(
        &mut self,
        schema: &Schema,
        key: &Schema,
        value: &Schema,
        namespace: &str,
        object: &mut Object,
    ) -> Result<Body, String> {
        let default = format!("{NAMESPACE}.{MAP_ENTRY}");
        let name = schema.name.as_deref().unwrap_or(&default);
        let mut entry = Object::new();
        name_of(&mut entry, "record", name, namespace);
        let (key_field, key) = self.field("key", key, None, namespace_of(name))?;
        let (value_field, value) = self.field("value", value, None, namespace_of(name))?;
        entry.insert("fields".into(), json!([key_field, value_field]));
        if schema.name.is_some() {
            entry.insert(INTERNAL_TYPE.into(), MAP_ENTRY.into());
        }
        let items = self.define(Some(name.to_string()), Json::Object(entry), namespace)?;
        object.insert("type".into(), "array".into());
        object.insert("items".into(), items);
        Ok(Body::Entries(Box::new((key, value))))
    }

    /// Connect's metadata and the logical type, in the order in which AvroData adds them.
    fn properties(&self, schema: &Schema, object: &mut Object) {
        if self.metadata.connect {
            self.connect_properties(schema, object);
        }
        let logical = match schema.name.as_deref() {
            Some(logical::DECIMAL) => Some("decimal"),
            Some(logical::DATE) => Some("date"),
            Some(logical::TIME) => Some("time-millis"),
            Some(logical::TIMESTAMP) => Some("timestamp-millis"),
            _ => None,
        };
        if let Some(logical) = logical {
            object.insert("logicalType".into(), logical.into());
        }
        for (key, value) in schema.parameters.iter().filter(|(key, _)| key.starts_with("avro")) {
            object.insert(key.clone(), value.as_str().into());
        }
    }

    fn connect_properties(&self, schema: &Schema, object: &mut Object) {
        if let Some(doc) = &schema.doc {
            object.insert("connect.doc".into(), doc.as_str().into());
        }
        if let Some(version) = schema.version {
            object.insert("connect.version".into(), version.into());
        }
        let parameters = schema.parameters.iter().filter(|(key, _)| key != FIELD_DEFAULT);
        let parameters: Object = parameters.map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        if !parameters.is_empty() {
            object.insert("connect.parameters".into(), Json::Object(parameters));
        }
        if let Some(default) = schema.default.as_ref().filter(|_| schema.parameter(FIELD_DEFAULT).is_none())
            && let Some(json) = defaults::to_json(schema, default)
        {
            object.insert("connect.default".into(), json);
        }
        if let Some(name) = &schema.name {
            object.insert("connect.name".into(), name.as_str().into());
        }
        match schema.kind {
            Kind::Int8 => object.insert("connect.type".into(), "int8".into()),
            Kind::Int16 => object.insert("connect.type".into(), "int16".into()),
            _ => None,
        };
    }
}

fn plain(object: &mut Object, name: &str, body: Body) -> Body {
    object.insert("type".into(), name.into());
    body
}

fn namespace_of(full: &str) -> &str {
    full.rsplit_once('.').map_or("", |(space, _)| space)
}

/// Type, name, and the namespace if it is not the enclosing one.
fn name_of(object: &mut Object, kind: &str, full: &str, enclosing: &str) {
    object.insert("type".into(), kind.into());
    let short = full.rsplit('.').next().unwrap_or(full);
    object.insert("name".into(), short.into());
    if namespace_of(full) != enclosing {
        object.insert("namespace".into(), namespace_of(full).into());
    }
}

fn reference(full: &str, enclosing: &str) -> String {
    let short = full.rsplit('.').next().unwrap_or(full);
    if namespace_of(full) == enclosing { short.into() } else { full.into() }
}

/// Definitions of one type differ in how they say their namespace.
fn same_type(one: &Json, other: &Json) -> bool {
    let (Json::Object(one), Json::Object(other)) = (one, other) else { return one == other };
    let differs = |a: &Object, b: &Object| a.iter().any(|(key, json)| key != "namespace" && b.get(key) != Some(json));
    // What is inside may be written out in the first and named in the second, so only names and properties are compared.
    let flat = |object: &Object| -> Object {
        let parts = object.iter().map(|(key, json)| match (key.as_str(), json) {
            ("fields", Json::Array(fields)) => {
                (key.clone(), fields.iter().map(|field| field["name"].clone()).collect())
            }
            _ => (key.clone(), json.clone()),
        });
        parts.collect()
    };
    let (one, other) = (flat(one), flat(other));
    !differs(&one, &other) && !differs(&other, &one)
}

fn enumeration(schema: &Schema, namespace: &str, object: &mut Object) -> Body {
    let name = schema.parameter(ENUM).unwrap_or_default();
    let short = schema.name.as_deref().map_or(DEFAULT_NAME, |name| name.rsplit('.').next().unwrap_or(name));
    let prefix = format!("{ENUM}.");
    let symbols = schema.parameters.iter().filter_map(|(key, _)| key.strip_prefix(&prefix));
    let symbols: Vec<Box<str>> = symbols.map(Box::from).collect();
    name_of(object, "enum", name, namespace);
    if let Some(doc) = schema.parameter(&format!("{ENUM_DOC}{short}")) {
        object.insert("doc".into(), doc.into());
    }
    object.insert("symbols".into(), symbols.iter().map(|symbol| &**symbol).collect());
    if let Some(default) = schema.parameter(&format!("{ENUM_DEFAULT}{short}")) {
        object.insert("default".into(), default.into());
    }
    Body::Enum(symbols)
}

/// The name and the size of what was a fixed type.
pub(crate) fn fixed_size(schema: &Schema) -> Option<(&str, usize)> {
    let size = schema.parameter(FIXED_SIZE)?.parse().ok()?;
    // A fixed decimal has lost its own name.
    schema.name.as_deref().filter(|name| *name != logical::DECIMAL).map(|name| (name, size))
}

/// Precision and scale.
pub(crate) fn decimal_digits(schema: &Schema) -> (i64, i64) {
    let number = |key: &str| schema.parameter(key).and_then(|text| text.parse().ok());
    (number(PRECISION).unwrap_or(PRECISION_DEFAULT), number("scale").unwrap_or(0))
}
