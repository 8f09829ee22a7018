//! Compatibility levels, and the check of a new schema against earlier ones.
//!
//! Only "always readable" counts: what Avro calls partial (a nullable field that becomes required, an enum that loses a
//! symbol) is refused, as the original registry refuses it.

use apache_avro::Schema;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    None,
    Backward,
    BackwardTransitive,
    Forward,
    ForwardTransitive,
    Full,
    FullTransitive,
}

const NAMES: [(&str, Level); 7] = [
    ("NONE", Level::None),
    ("BACKWARD", Level::Backward),
    ("BACKWARD_TRANSITIVE", Level::BackwardTransitive),
    ("FORWARD", Level::Forward),
    ("FORWARD_TRANSITIVE", Level::ForwardTransitive),
    ("FULL", Level::Full),
    ("FULL_TRANSITIVE", Level::FullTransitive),
];

impl Level {
    pub fn parse(name: &str) -> Option<Level> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
    }

    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, level)| *level == self).map_or("NONE", |(name, _)| name)
    }

    fn reads_old(self) -> bool {
        matches!(self, Level::Backward | Level::BackwardTransitive | Level::Full | Level::FullTransitive)
    }

    fn old_reads(self) -> bool {
        matches!(self, Level::Forward | Level::ForwardTransitive | Level::Full | Level::FullTransitive)
    }

    fn is_transitive(self) -> bool {
        matches!(self, Level::BackwardTransitive | Level::ForwardTransitive | Level::FullTransitive)
    }
}

/// Why `new` may not follow `earlier` (version and schema, oldest first). Empty: it may.
pub fn objections(level: Level, new: &Schema, earlier: &[(u32, Schema)]) -> Vec<String> {
    let skip = if level.is_transitive() { 0 } else { earlier.len().saturating_sub(1) };
    let mut out = Vec::new();
    for (version, old) in earlier.iter().skip(skip).rev() {
        if level.reads_old() {
            out.extend(objection(old, new, &format!("the new schema cannot read data of version {version}")));
        }
        if level.old_reads() {
            out.extend(objection(new, old, &format!("version {version} cannot read data of the new schema")));
        }
    }
    out
}

fn objection(writer: &Schema, reader: &Schema, what: &str) -> Option<String> {
    match SchemaCompatibility::can_read(writer, reader) {
        Ok(Compatibility::Full) => None,
        Ok(Compatibility::Partial) => Some(format!("{what}: some values of a union or enum would not fit")),
        // That it is incompatible is said already.
        Err(error) => Some(format!("{what}: {}", error.to_string().trim_start_matches("Incompatible schemata! "))),
    }
}
