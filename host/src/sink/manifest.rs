//! `smt.manifest`: beside each object a small JSON document of what is in it, for readers that list.
//!
//! Its name begins with an underscore, which Hive, Spark and Athena pass over.

use serde_json::json;

use super::boundaries::File;
use super::store::Body;

/// What an object says of itself, and its own key.
pub(super) struct Manifest {
    pub(super) key: String,
    pub(super) json: Vec<u8>,
}

impl Manifest {
    /// `schema_id`: the registry's, of the first record.
    pub(super) fn of(body: &Body, file: &File, delimiter: &str, format: &str, schema_id: Option<u32>) -> Manifest {
        let (front, name) = match body.key.rsplit_once(delimiter) {
            Some((front, name)) => (format!("{front}{delimiter}"), name),
            None => (String::new(), body.key.as_str()),
        };
        let document = json!({
            "name": body.key,
            "bytes": body.length,
            "records": file.records,
            "startOffset": file.first,
            "endOffset": file.last,
            "schemaId": schema_id,
            "format": format,
        });
        Manifest { key: format!("{front}_{name}.manifest.json"), json: format!("{document}\n").into_bytes() }
    }
}
