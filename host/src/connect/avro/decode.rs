//! Data from Avro's bytes. Hostile bytes are an error, never a panic.

use crate::avro::Malformed;
use crate::avro::wire::Cursor;
use crate::connect::{Value, hash_order, text};

/// What lies at a place of a datum, and what becomes of it.
#[derive(Debug)]
pub(super) enum Node {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    String,
    Bytes,
    Fixed(usize),
    Decimal,
    FixedDecimal(usize),
    Enum(Vec<Box<str>>),
    Array(Box<Node>),
    Map(Box<Node>),
    /// An array of key-value records.
    Entries(Box<Record>),
    Struct(Record),
    Optional {
        null: usize,
        some: Box<Node>,
    },
    /// For each branch its place among the fields, but for null.
    Union {
        branches: Vec<Option<(usize, Node)>>,
        fields: usize,
    },
}

/// Fields in the order of the bytes, each with its place in the struct.
#[derive(Debug)]
pub(super) struct Record(pub(super) Vec<Node>);

impl Node {
    pub(super) fn read(&self, datum: &[u8]) -> Result<Value, Malformed> {
        let mut cursor = Cursor::new(datum);
        let value = self.value(&mut cursor)?;
        cursor.end()?;
        Ok(value)
    }

    fn value(&self, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
        Ok(match self {
            Node::Bool => Value::Bool(cursor.boolean()?),
            // As Java's byteValue and shortValue.
            Node::Int8 => Value::Int8(cursor.int()? as i8),
            Node::Int16 => Value::Int16(cursor.int()? as i16),
            Node::Int32 => Value::Int32(cursor.int()?),
            Node::Int64 => Value::Int64(cursor.long()?),
            Node::Float32 => Value::Float32(cursor.float()?),
            Node::Float64 => Value::Float64(cursor.double()?),
            Node::String => string(cursor.blob()?),
            Node::Bytes => Value::Bytes(cursor.blob()?.into()),
            Node::Fixed(size) => Value::Bytes(cursor.take(*size)?.into()),
            Node::Decimal => decimal(cursor.blob()?, cursor)?,
            Node::FixedDecimal(size) => decimal(cursor.take(*size)?, cursor)?,
            Node::Enum(symbols) => Value::String(symbols[cursor.index(symbols.len())?].clone()),
            Node::Array(item) => {
                let mut items = Vec::new();
                each(cursor, |cursor| {
                    items.push(item.value(cursor)?);
                    Ok(())
                })?;
                Value::Array(items)
            }
            Node::Map(value) => {
                let mut entries = Vec::new();
                each(cursor, |cursor| {
                    let key = string(cursor.blob()?);
                    entries.push((key, value.value(cursor)?));
                    Ok(())
                })?;
                Value::Map(hash_order::arrange_avro(entries))
            }
            Node::Entries(entry) => {
                let mut entries = Vec::new();
                each(cursor, |cursor| {
                    let [key, value] = &entry.0[..] else { return Ok(()) };
                    let key = key.value(cursor)?;
                    entries.push((key, value.value(cursor)?));
                    Ok(())
                })?;
                let capacity = entries.len();
                Value::Map(hash_order::arrange(entries, capacity))
            }
            Node::Struct(record) => {
                let mut fields = Vec::with_capacity(record.0.len());
                for field in &record.0 {
                    fields.push(field.value(cursor)?);
                }
                Value::Struct(fields)
            }
            Node::Optional { null, some } => {
                if cursor.index(2)? == *null {
                    Value::Null
                } else {
                    some.value(cursor)?
                }
            }
            Node::Union { branches, fields } => match &branches[cursor.index(branches.len())?] {
                None => Value::Null,
                Some((place, branch)) => {
                    let mut values = vec![Value::Null; *fields];
                    values[*place] = branch.value(cursor)?;
                    Value::Struct(values)
                }
            },
        })
    }
}

fn string(bytes: &[u8]) -> Value {
    Value::String(text::decode(bytes).into())
}

/// The unscaled value in as few bytes as it takes, as a BigInteger gives it back.
fn decimal(bytes: &[u8], cursor: &Cursor<'_>) -> Result<Value, Malformed> {
    match shortest(bytes) {
        [] => Err(cursor.malformed("a decimal has no bytes")),
        bytes => Ok(Value::Bytes(bytes.into())),
    }
}

/// A two's complement number without the bytes that only repeat its sign.
pub(crate) fn shortest(mut bytes: &[u8]) -> &[u8] {
    while let [first, second, ..] = bytes
        && ((*first == 0 && *second < 0x80) || (*first == 0xff && *second >= 0x80))
    {
        bytes = &bytes[1..];
    }
    bytes
}

/// Items of an array or a map, block by block.
fn each<'a>(
    cursor: &mut Cursor<'a>,
    mut item: impl FnMut(&mut Cursor<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    loop {
        let count = cursor.block()?;
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count {
            let start = cursor.at;
            item(cursor)?;
            cursor.item_since(start)?;
        }
    }
}
