//! A schema's Parquet layout, and how a value is taken apart into its columns.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::schema::types::{PrimitiveTypeBuilder, Type, TypePtr};

use super::columns::{Column, Values};
use crate::connect::avro::{self, Metadata, UNION};
use crate::connect::{Field, Kind, Schema, Value, logical};

/// Of a whole record.
pub(super) struct Layout(Vec<Node>);

struct Node {
    optional: bool,
    /// What a struct has where this field of it is null.
    default: Option<Value>,
    shape: Shape,
}

enum Shape {
    Leaf(usize),
    /// Of a union all but one are null.
    Group(Vec<Node>),
    List {
        /// The repetition level of an item that is not the first.
        level: i16,
        item: Box<Node>,
    },
    Map {
        level: i16,
        entry: Box<(Node, Node)>,
    },
}

type Built = Result<(TypePtr, Node), String>;

impl Layout {
    pub(super) fn of(schema: &Schema, metadata: Metadata) -> Result<(Layout, Vec<Column>, TypePtr), String> {
        let Kind::Struct(fields) = &schema.kind else {
            return Err(format!("a Parquet file holds structs, not {}: use JSON or Avro", schema.kind.name()));
        };
        let three_levels = has_optional_items(schema);
        let mut builder = Builder { columns: Vec::new(), metadata, three_levels, defined: 0, repeated: 0 };
        let (types, nodes) = builder.fields(fields)?;
        let name = schema.name.as_deref().unwrap_or("ConnectDefault");
        let message = Type::group_type_builder(name).with_fields(types).build().map_err(|error| error.to_string())?;
        Ok((Layout(nodes), builder.columns, Arc::new(message)))
    }

    pub(super) fn take_apart(&self, value: &Value, columns: &mut [Column]) -> Result<(), String> {
        match value {
            Value::Struct(values) => group(&self.0, values, columns, 0, 0),
            other => Err(format!("a {} where a struct is due", other.kind())),
        }
    }
}

/// One list whose items may be null gives all lists the three-level structure, as Confluent's writer does.
fn has_optional_items(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Struct(fields) => fields.iter().any(|field| has_optional_items(&field.schema)),
        Kind::Map(_, value) => has_optional_items(value),
        Kind::Array(item) => item.optional || has_optional_items(item),
        _ => false,
    }
}

struct Builder {
    columns: Vec<Column>,
    metadata: Metadata,
    three_levels: bool,
    /// The levels of the place that is being built.
    defined: i16,
    repeated: i16,
}

impl Builder {
    fn fields(&mut self, fields: &[Field]) -> Result<(Vec<TypePtr>, Vec<Node>), String> {
        if fields.is_empty() {
            return Err("a struct without fields, which Parquet cannot hold".into());
        }
        let built = fields.iter().map(|field| self.node(&field.name, &field.schema, field.schema.optional));
        Ok(built.collect::<Result<Vec<_>, String>>()?.into_iter().unzip())
    }

    fn node(&mut self, name: &str, schema: &Schema, optional: bool) -> Built {
        let repetition = if optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        self.repeat(name, schema, repetition)
    }

    fn repeat(&mut self, name: &str, schema: &Schema, repetition: Repetition) -> Built {
        let (defined, repeated) = (self.defined, self.repeated);
        self.defined += i16::from(repetition != Repetition::REQUIRED);
        self.repeated += i16::from(repetition == Repetition::REPEATED);
        let built = match &schema.kind {
            Kind::Struct(fields) => self.structure(name, schema, fields, repetition),
            Kind::Array(item) => self.list(name, item, repetition),
            Kind::Map(key, value) => self.map(name, key, value, repetition),
            _ => self.leaf(name, schema, repetition),
        };
        (self.defined, self.repeated) = (defined, repeated);
        let (of, shape) = built.map_err(|why| format!("{name}: {why}"))?;
        let optional = repetition == Repetition::OPTIONAL;
        Ok((of, Node { optional, default: schema.default.clone(), shape }))
    }

    fn structure(
        &mut self,
        name: &str,
        schema: &Schema,
        fields: &[Field],
        repetition: Repetition,
    ) -> Result<(TypePtr, Shape), String> {
        let (types, nodes) = if schema.is(UNION) {
            let members = fields.iter().enumerate();
            let built = members.map(|(index, field)| self.node(&format!("member{index}"), &field.schema, true));
            built.collect::<Result<Vec<_>, String>>()?.into_iter().unzip()
        } else {
            self.fields(fields)?
        };
        Ok((group_type(name, repetition, None, types)?, Shape::Group(nodes)))
    }

    fn list(&mut self, name: &str, item: &Schema, repetition: Repetition) -> Result<(TypePtr, Shape), String> {
        let level = self.repeated + 1;
        let (items, node) = if self.three_levels {
            self.defined += 1;
            self.repeated += 1;
            let (element, node) = self.node("element", item, item.optional)?;
            (group_type("list", Repetition::REPEATED, None, vec![element])?, node)
        } else {
            self.repeat("array", item, Repetition::REPEATED)?
        };
        let of = group_type(name, repetition, Some(LogicalType::List), vec![items])?;
        Ok((of, Shape::List { level, item: Box::new(node) }))
    }

    /// With other keys than strings Avro has a list of entries.
    fn map(
        &mut self,
        name: &str,
        key: &Schema,
        value: &Schema,
        repetition: Repetition,
    ) -> Result<(TypePtr, Shape), String> {
        let level = self.repeated + 1;
        self.defined += 1;
        self.repeated += 1;
        let (key_type, key_node) = self.node("key", key, key.optional)?;
        let (value_type, value_node) = self.node("value", value, value.optional)?;
        let both = vec![key_type, value_type];
        let of = if matches!(key.kind, Kind::String) && !key.optional {
            let entry = group_type("key_value", Repetition::REPEATED, None, both)?;
            group_type(name, repetition, Some(LogicalType::Map), vec![entry])?
        } else if self.three_levels {
            let element = group_type("element", Repetition::REQUIRED, None, both)?;
            let list = group_type("list", Repetition::REPEATED, None, vec![element])?;
            group_type(name, repetition, Some(LogicalType::List), vec![list])?
        } else {
            let entry = group_type("array", Repetition::REPEATED, None, both)?;
            group_type(name, repetition, Some(LogicalType::List), vec![entry])?
        };
        Ok((of, Shape::Map { level, entry: Box::new((key_node, value_node)) }))
    }

    fn leaf(&mut self, name: &str, schema: &Schema, repetition: Repetition) -> Result<(TypePtr, Shape), String> {
        let fixed = avro::fixed_size(schema).map(|(_, size)| size);
        let (physical, values) = match (&schema.kind, fixed) {
            (Kind::Bool, _) => (Physical::BOOLEAN, Values::Bool(Vec::new())),
            (Kind::Int8 | Kind::Int16 | Kind::Int32, _) => (Physical::INT32, Values::Int(Vec::new())),
            (Kind::Int64, _) => (Physical::INT64, Values::Long(Vec::new())),
            (Kind::Float32, _) => (Physical::FLOAT, Values::Float(Vec::new())),
            (Kind::Float64, _) => (Physical::DOUBLE, Values::Double(Vec::new())),
            (Kind::Bytes, Some(size)) => (Physical::FIXED_LEN_BYTE_ARRAY, Values::Fixed(size, Vec::new())),
            _ => (Physical::BYTE_ARRAY, Values::Bytes(Vec::new())),
        };
        let mut of = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        if let Some(size) = fixed {
            of = of.with_length(i32::try_from(size).map_err(|_| format!("a fixed type of {size} bytes"))?);
        }
        let of = self.annotate(of, schema).build().map_err(|error| error.to_string())?;
        self.columns.push(Column::new(values, self.defined, self.repeated));
        Ok((Arc::new(of), Shape::Leaf(self.columns.len() - 1)))
    }

    fn annotate<'a>(&self, of: PrimitiveTypeBuilder<'a>, schema: &Schema) -> PrimitiveTypeBuilder<'a> {
        let logical = match (&schema.kind, schema.name.as_deref()) {
            (Kind::String, _) if self.metadata.enhanced && schema.parameter(avro::ENUM).is_some() => LogicalType::Enum,
            (Kind::String, _) => LogicalType::String,
            (_, Some(logical::DATE)) => LogicalType::Date,
            (_, Some(logical::TIME)) => LogicalType::time(true, TimeUnit::MILLIS),
            (_, Some(logical::TIMESTAMP)) => LogicalType::timestamp(true, TimeUnit::MILLIS),
            (_, Some(logical::DECIMAL)) => {
                let (precision, scale) = avro::decimal_digits(schema);
                // Parquet, as Avro, has no word for a decimal whose point is outside its digits.
                if precision < 1 || scale < 0 || scale > precision {
                    return of;
                }
                let (precision, scale) = (precision as i32, scale as i32);
                let of = of.with_precision(precision).with_scale(scale);
                return of.with_logical_type(Some(LogicalType::decimal(scale, precision)));
            }
            _ => return of,
        };
        of.with_logical_type(Some(logical))
    }
}

fn group_type(
    name: &str,
    repetition: Repetition,
    logical: Option<LogicalType>,
    fields: Vec<TypePtr>,
) -> Result<TypePtr, String> {
    let of = Type::group_type_builder(name).with_repetition(repetition).with_logical_type(logical).with_fields(fields);
    Ok(Arc::new(of.build().map_err(|error| error.to_string())?))
}

fn group(nodes: &[Node], values: &[Value], columns: &mut [Column], rep: i16, def: i16) -> Result<(), String> {
    if nodes.len() != values.len() {
        return Err(format!("{} fields where {} are due", values.len(), nodes.len()));
    }
    for (node, value) in nodes.iter().zip(values) {
        let value = node.default.as_ref().filter(|_| *value == Value::Null).unwrap_or(value);
        node.write(value, columns, rep, def)?;
    }
    Ok(())
}

impl Node {
    fn write(&self, value: &Value, columns: &mut [Column], rep: i16, def: i16) -> Result<(), String> {
        if self.optional && matches!(value, Value::Null) {
            self.nothing(columns, rep, def);
            return Ok(());
        }
        self.shape.write(value, columns, rep, def + i16::from(self.optional))
    }

    /// Every column below says at which level there is nothing.
    fn nothing(&self, columns: &mut [Column], rep: i16, def: i16) {
        match &self.shape {
            Shape::Leaf(index) => columns[*index].push_levels(def, rep),
            Shape::Group(nodes) => nodes.iter().for_each(|node| node.nothing(columns, rep, def)),
            Shape::List { item, .. } => item.nothing(columns, rep, def),
            Shape::Map { entry, .. } => {
                entry.0.nothing(columns, rep, def);
                entry.1.nothing(columns, rep, def);
            }
        }
    }
}

impl Shape {
    fn write(&self, value: &Value, columns: &mut [Column], rep: i16, def: i16) -> Result<(), String> {
        match (self, value) {
            (Shape::Leaf(index), value) => columns[*index].push(value, rep),
            (Shape::Group(nodes), Value::Struct(values)) => group(nodes, values, columns, rep, def),
            (Shape::List { item, .. }, Value::Array(items)) if items.is_empty() => {
                item.nothing(columns, rep, def);
                Ok(())
            }
            (Shape::List { level, item }, Value::Array(items)) => {
                for (index, value) in items.iter().enumerate() {
                    item.write(value, columns, if index == 0 { rep } else { *level }, def + 1)?;
                }
                Ok(())
            }
            (Shape::Map { entry, .. }, Value::Map(entries)) if entries.is_empty() => {
                entry.0.nothing(columns, rep, def);
                entry.1.nothing(columns, rep, def);
                Ok(())
            }
            (Shape::Map { level, entry }, Value::Map(entries)) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    let rep = if index == 0 { rep } else { *level };
                    entry.0.write(key, columns, rep, def + 1)?;
                    entry.1.write(value, columns, rep, def + 1)?;
                }
                Ok(())
            }
            (_, Value::Null) => Err("null where a value is required".into()),
            (_, value) => Err(format!("a {} where another type is due", value.kind())),
        }
    }
}
