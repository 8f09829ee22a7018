//! Avro's schema from Connect's, with the encoder of its data: what stands in the head of a file.

/// Names, properties and plain types.
mod parts;

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

pub(crate) use self::parts::{decimal_digits, fixed_size};
use self::parts::{enumeration, name_of, namespace_of, plain, properties, reference, same_type};
use super::encode::{Body, Node};
use super::{DEFAULT_NAME, FIELD_DOC, INTERNAL_TYPE, MAP_ENTRY, Metadata, NAMESPACE, RECORD_DOC, UNION, defaults};
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
            Kind::String if self.metadata.enhanced && schema.parameter(super::ENUM).is_some() => {
                defined = schema.parameter(super::ENUM).map(String::from);
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
        properties(self.metadata, schema, &mut object);
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
}
