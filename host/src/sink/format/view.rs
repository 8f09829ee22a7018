//! Keys and headers as their own files hold them. Parquet holds only structs, and headers are in one in JSON, too.

use std::sync::Arc;

use super::Format;
use crate::connect::{Datum, Field, Kind, Schema, Value};

/// Which part of a record a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Value,
    Key,
    Headers,
}

impl Format {
    /// A part of a record, to be given to `open` and `append`.
    pub fn view(&self, view: View, datum: Datum) -> Datum {
        match (view, self) {
            (View::Key, Format::Parquet { .. }) => envelope("RecordKey", "key", datum),
            (View::Headers, Format::Parquet { .. } | Format::Json(_)) => envelope("RecordHeaders", "headers", datum),
            _ => datum,
        }
    }
}

/// Data without a schema stay as they are.
fn envelope(name: &str, field: &str, datum: Datum) -> Datum {
    let Some(schema) = datum.schema else { return datum };
    let fields = vec![Field { name: field.into(), schema }];
    let schema = Arc::new(Schema::new(Kind::Struct(fields)).named(name));
    Datum { schema: Some(schema), value: Value::Struct(vec![datum.value]) }
}
