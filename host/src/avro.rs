//! Avro, without values: a datum is rewritten from one schema's layout to another's, or to and from JSON.
//!
//! For every pair of schemas a [`Plan`] is compiled once and run over the bytes of each datum. Nothing here ever
//! decodes a record into a tree of values, talks to a registry, or knows of Confluent's five-byte header.

mod encode;
mod json;
mod number;
mod plan;
mod resolve;
mod run;
mod shape;
pub(crate) mod wire;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

pub use json::{FromJson, ToJson};
pub use plan::Plan;
pub use resolve::Mismatch;
use shape::Shapes;

/// A parsed schema. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Schema(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    text: String,
    avro: apache_avro::Schema,
    shapes: Arc<Shapes>,
}

/// A text that is no Avro schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("not an Avro schema: {0}")]
    Syntax(Box<apache_avro::Error>),
    #[error("not an Avro schema: the type {0} is nowhere defined")]
    Undefined(String),
    #[error("not an Avro schema: its types are nested more than {limit} deep", limit = shape::MAX_DEPTH)]
    Deep,
}

impl Schema {
    pub fn parse(json: &str) -> Result<Schema, SchemaError> {
        let avro = apache_avro::Schema::parse_str(json).map_err(|error| SchemaError::Syntax(Box::new(error)))?;
        let shapes = Arc::new(Shapes::of(&avro)?);
        Ok(Schema(Arc::new(Parsed { text: json.to_owned(), avro, shapes })))
    }

    /// The text it was parsed from, letter by letter.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    pub fn avro(&self) -> &apache_avro::Schema {
        &self.0.avro
    }

    fn shapes(&self) -> &Arc<Shapes> {
        &self.0.shapes
    }
}

/// Two schemas are equal if their texts are.
impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}

impl Eq for Schema {}

/// Bytes that are no datum of the schema they are said to be in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}, at byte {at}")]
pub struct Malformed {
    pub at: usize,
    pub why: Cow<'static, str>,
}

/// Runs `write`, and takes back what it appended to `out` if it fails.
fn whole(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>) -> Result<(), Malformed> {
    let length = out.len();
    let result = write(out);
    if result.is_err() {
        out.truncate(length);
    }
    result
}
