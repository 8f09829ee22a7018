//! A schema reduced to what its bytes depend on: an arena of shapes, in which a named type stands once.
//!
//! Logical types are gone (they ride on their base type; only a decimal's digits are remembered, as they must agree),
//! and so are references: a recursive type is a cycle of indexes. Nothing here reads a datum.

use std::collections::HashMap;

use apache_avro::Schema as Avro;
use apache_avro::schema::{Aliases, DecimalSchema, FixedSchema, InnerDecimalSchema, Name, RecordSchema, UuidSchema};

use super::SchemaError;

/// How deep types may be nested, in a schema as in a datum: what bounds every recursion here.
pub(super) const MAX_DEPTH: usize = 256;

pub(super) type Id = usize;

#[derive(Debug)]
pub(super) struct Shapes {
    nodes: Vec<Shape>,
    pub(super) root: Id,
}

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// The simple name of a named type, the type's own name of any other.
    pub(super) name: String,
    /// Simple names, too.
    pub(super) aliases: Vec<String>,
    /// Precision and scale.
    pub(super) decimal: Option<(usize, usize)>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum { symbols: Vec<String>, default: Option<String> },
    Array(Id),
    Map(Id),
    Union(Vec<Id>),
    Record(Vec<Field>),
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) default: Option<serde_json::Value>,
    pub(super) shape: Id,
}

impl Shapes {
    pub(super) fn of(schema: &Avro) -> Result<Shapes, SchemaError> {
        let mut builder = Builder { nodes: Vec::new(), named: HashMap::new(), depth: 0 };
        let root = builder.add(schema)?;
        Ok(Shapes { nodes: builder.nodes, root })
    }

    pub(super) fn get(&self, id: Id) -> &Shape {
        &self.nodes[id]
    }

    pub(super) fn kind(&self, id: Id) -> &Kind {
        &self.nodes[id].kind
    }
}

impl Shape {
    /// A plain shape, named after its type.
    fn of(kind: Kind) -> Shape {
        let name = kind.type_name().to_owned();
        Shape { kind, name, aliases: Vec::new(), decimal: None }
    }

    fn named(kind: Kind, name: &Name, aliases: &Aliases) -> Shape {
        let aliases = aliases.iter().flatten().map(|alias| alias.name().to_owned()).collect();
        Shape { kind, name: name.name().to_owned(), aliases, decimal: None }
    }

    fn fixed(fixed: &FixedSchema) -> Shape {
        Shape::named(Kind::Fixed(fixed.size), &fixed.name, &fixed.aliases)
    }
}

impl Kind {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Fixed(_) => "fixed",
            Kind::Enum { .. } => "enum",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(_) => "record",
        }
    }
}

struct Builder {
    nodes: Vec<Shape>,
    named: HashMap<String, Id>,
    depth: usize,
}

impl Builder {
    fn add(&mut self, schema: &Avro) -> Result<Id, SchemaError> {
        if self.depth == MAX_DEPTH {
            return Err(SchemaError::Deep);
        }
        self.depth += 1;
        let id = self.add_one(schema);
        self.depth -= 1;
        id
    }

    fn add_one(&mut self, schema: &Avro) -> Result<Id, SchemaError> {
        if let Avro::Ref { name } = schema {
            let full = name.fullname(None);
            return self.named.get(&full).copied().ok_or(SchemaError::Undefined(full));
        }
        // The place is taken, and the name known, before the children are added: one of them may refer to it.
        let id = self.nodes.len();
        self.nodes.push(Shape::of(Kind::Null));
        for full in full_names(schema) {
            self.named.insert(full, id);
        }
        self.nodes[id] = self.shape(schema)?;
        Ok(id)
    }

    fn shape(&mut self, schema: &Avro) -> Result<Shape, SchemaError> {
        Ok(match schema {
            Avro::Array(array) => Shape::of(Kind::Array(self.add(&array.items)?)),
            Avro::Map(map) => Shape::of(Kind::Map(self.add(&map.types)?)),
            Avro::Union(union) => {
                let branches = union.variants().iter().map(|branch| self.add(branch));
                Shape::of(Kind::Union(branches.collect::<Result<_, _>>()?))
            }
            Avro::Record(record) => self.record(record)?,
            Avro::Enum(symbols) => {
                let kind = Kind::Enum { symbols: symbols.symbols.clone(), default: symbols.default.clone() };
                Shape::named(kind, &symbols.name, &symbols.aliases)
            }
            Avro::Decimal(decimal) => decimal_shape(decimal),
            Avro::Fixed(fixed) | Avro::Duration(fixed) | Avro::Uuid(UuidSchema::Fixed(fixed)) => Shape::fixed(fixed),
            plain => Shape::of(plain_kind(plain)),
        })
    }

    fn record(&mut self, record: &RecordSchema) -> Result<Shape, SchemaError> {
        let mut fields = Vec::with_capacity(record.fields.len());
        for field in &record.fields {
            fields.push(Field {
                name: field.name.clone(),
                aliases: field.aliases.clone(),
                default: field.default.clone(),
                shape: self.add(&field.schema)?,
            });
        }
        Ok(Shape::named(Kind::Record(fields), &record.name, &record.aliases))
    }
}

fn plain_kind(schema: &Avro) -> Kind {
    match schema {
        Avro::Boolean => Kind::Boolean,
        Avro::Int | Avro::Date | Avro::TimeMillis => Kind::Int,
        Avro::Long
        | Avro::TimeMicros
        | Avro::TimestampMillis
        | Avro::TimestampMicros
        | Avro::TimestampNanos
        | Avro::LocalTimestampMillis
        | Avro::LocalTimestampMicros
        | Avro::LocalTimestampNanos => Kind::Long,
        Avro::Float => Kind::Float,
        Avro::Double => Kind::Double,
        Avro::Bytes | Avro::BigDecimal | Avro::Uuid(UuidSchema::Bytes) => Kind::Bytes,
        Avro::String | Avro::Uuid(UuidSchema::String) => Kind::String,
        // Only null is left: the caller has seen to every type with parts.
        _ => Kind::Null,
    }
}

fn decimal_shape(decimal: &DecimalSchema) -> Shape {
    let base = match &decimal.inner {
        InnerDecimalSchema::Bytes => Shape::of(Kind::Bytes),
        InnerDecimalSchema::Fixed(fixed) => Shape::fixed(fixed),
    };
    Shape { decimal: Some((decimal.precision, decimal.scale)), ..base }
}

/// Every name a later reference may use for this type; none if it has no name.
fn full_names(schema: &Avro) -> Vec<String> {
    let (name, aliases) = match schema {
        Avro::Record(record) => (&record.name, &record.aliases),
        Avro::Enum(symbols) => (&symbols.name, &symbols.aliases),
        Avro::Fixed(fixed) | Avro::Duration(fixed) | Avro::Uuid(UuidSchema::Fixed(fixed)) => {
            (&fixed.name, &fixed.aliases)
        }
        Avro::Decimal(DecimalSchema { inner: InnerDecimalSchema::Fixed(fixed), .. }) => (&fixed.name, &fixed.aliases),
        _ => return Vec::new(),
    };
    let aliases = aliases.iter().flatten().map(|alias| alias.fullname(None));
    aliases.chain([name.fullname(None)]).collect()
}
