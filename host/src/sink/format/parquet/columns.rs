//! The values of one column of a row group, with their levels. A record's values can be taken back.

use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type,
};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;

use crate::connect::Value;

#[derive(Debug)]
pub(super) enum Values {
    Bool(Vec<bool>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(usize, Vec<FixedLenByteArray>),
}

#[derive(Debug)]
pub(super) struct Column {
    values: Values,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    /// The highest levels there are.
    defined: i16,
    repeated: i16,
    /// Bytes of texts and blobs.
    blob_bytes: usize,
    /// How many values, levels and bytes whole records have.
    kept: (usize, usize, usize),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Values::Bool(values) => values.len(),
            Values::Int(values) => values.len(),
            Values::Long(values) => values.len(),
            Values::Float(values) => values.len(),
            Values::Double(values) => values.len(),
            Values::Bytes(values) => values.len(),
            Values::Fixed(_, values) => values.len(),
        }
    }

    fn truncate(&mut self, length: usize) {
        match self {
            Values::Bool(values) => values.truncate(length),
            Values::Int(values) => values.truncate(length),
            Values::Long(values) => values.truncate(length),
            Values::Float(values) => values.truncate(length),
            Values::Double(values) => values.truncate(length),
            Values::Bytes(values) => values.truncate(length),
            Values::Fixed(_, values) => values.truncate(length),
        }
    }
}

impl Column {
    pub(super) fn new(values: Values, defined: i16, repeated: i16) -> Column {
        let (definitions, repetitions) = (Vec::new(), Vec::new());
        Column { values, definitions, repetitions, defined, repeated, blob_bytes: 0, kept: (0, 0, 0) }
    }

    pub(super) fn push(&mut self, value: &Value, repetition: i16) -> std::result::Result<(), String> {
        match (&mut self.values, value) {
            (Values::Bool(values), Value::Bool(value)) => values.push(*value),
            (Values::Int(values), Value::Int8(value)) => values.push((*value).into()),
            (Values::Int(values), Value::Int16(value)) => values.push((*value).into()),
            (Values::Int(values), Value::Int32(value)) => values.push(*value),
            (Values::Long(values), Value::Int64(value)) => values.push(*value),
            (Values::Float(values), Value::Float32(value)) => values.push(*value),
            (Values::Double(values), Value::Float64(value)) => values.push(*value),
            (Values::Bytes(values), Value::String(text)) => {
                self.blob_bytes += text.len();
                values.push(text.as_bytes().to_vec().into());
            }
            (Values::Bytes(values), Value::Bytes(bytes)) => {
                self.blob_bytes += bytes.len();
                values.push(bytes.to_vec().into());
            }
            (Values::Fixed(size, values), Value::Bytes(bytes)) if bytes.len() == *size => {
                self.blob_bytes += bytes.len();
                values.push(bytes.to_vec().into());
            }
            (_, Value::Null) => return Err("null where a value is required".into()),
            (_, value) => return Err(format!("a {} where another type is due", value.kind())),
        }
        self.push_levels(self.defined, repetition);
        Ok(())
    }

    /// Nothing is here, from this level on.
    pub(super) fn push_levels(&mut self, definition: i16, repetition: i16) {
        self.definitions.push(definition);
        self.repetitions.push(repetition);
    }

    pub(super) fn keep(&mut self) {
        self.kept = (self.values.len(), self.definitions.len(), self.blob_bytes);
    }

    pub(super) fn take_back(&mut self) {
        let (values, levels, bytes) = self.kept;
        self.values.truncate(values);
        self.definitions.truncate(levels);
        self.repetitions.truncate(levels);
        self.blob_bytes = bytes;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        let width = match &self.values {
            Values::Bool(_) => 1,
            Values::Int(_) | Values::Float(_) => 4,
            Values::Long(_) | Values::Double(_) => 8,
            Values::Bytes(_) | Values::Fixed(..) => size_of::<ByteArray>(),
        };
        self.blob_bytes + self.values.len() * width + self.definitions.len() * 4
    }

    /// Writes everything as a chunk, and is empty again.
    pub(super) fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let definitions = (self.defined > 0).then_some(&self.definitions[..]);
        let repetitions = (self.repeated > 0).then_some(&self.repetitions[..]);
        match &self.values {
            Values::Bool(values) => writer.typed::<BoolType>().write_batch(values, definitions, repetitions)?,
            Values::Int(values) => writer.typed::<Int32Type>().write_batch(values, definitions, repetitions)?,
            Values::Long(values) => writer.typed::<Int64Type>().write_batch(values, definitions, repetitions)?,
            Values::Float(values) => writer.typed::<FloatType>().write_batch(values, definitions, repetitions)?,
            Values::Double(values) => writer.typed::<DoubleType>().write_batch(values, definitions, repetitions)?,
            Values::Bytes(values) => writer.typed::<ByteArrayType>().write_batch(values, definitions, repetitions)?,
            Values::Fixed(_, values) => {
                writer.typed::<FixedLenByteArrayType>().write_batch(values, definitions, repetitions)?
            }
        };
        writer.close()?;
        self.kept = (0, 0, 0);
        self.take_back();
        Ok(())
    }
}
