//! `schema.compatibility`: whether a record may go into a file that began with another schema.
//!
//! Where Confluent's sink would fail its task (no version, records with and without a schema), a new file begins.

use std::sync::Arc;

use crate::connect::{Kind, Schema};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Compatibility {
    #[default]
    None,
    /// FULL too: the original has one code for both.
    Backward,
    Forward,
}

pub(super) type Of<'a> = Option<&'a Arc<Schema>>;

impl Compatibility {
    /// The file has to close before a record of `schema` is written.
    pub(super) fn closes(self, schema: Of<'_>, file: Of<'_>) -> bool {
        let (schema, file) = match (schema, file) {
            (None, None) => return false,
            (Some(schema), Some(file)) => (schema, file),
            _ => return true,
        };
        if Arc::ptr_eq(schema, file) {
            return false;
        }
        let (Some(version), Some(file_version)) = (schema.version, file.version) else { return schema != file };
        match self {
            Compatibility::None => schema != file,
            Compatibility::Backward => version > file_version || !fits(schema, file),
            Compatibility::Forward => version < file_version || !fits(schema, file),
        }
    }

    /// A record that may go into the file is written with the file's schema.
    pub(super) fn projects(self, schema: Of<'_>, file: Of<'_>) -> bool {
        match (schema, file) {
            (Some(schema), Some(file)) => self != Compatibility::None && !Arc::ptr_eq(schema, file),
            _ => false,
        }
    }
}

/// Data of `source` can be written as `target`.
fn fits(source: &Schema, target: &Schema) -> bool {
    if source == target {
        return true;
    }
    let null_has_a_place = !source.optional || target.optional || target.default.is_some();
    null_has_a_place && source.name == target.name && same_parameters(source, target) && kinds_fit(source, target)
}

fn kinds_fit(source: &Schema, target: &Schema) -> bool {
    match (&source.kind, &target.kind) {
        (Kind::Struct(fields), Kind::Struct(wanted)) => {
            wanted.iter().all(|field| match fields.iter().find(|other| other.name == field.name) {
                Some(found) => fits(&found.schema, &field.schema),
                None => field.schema.optional || field.schema.default.is_some(),
            })
        }
        (Kind::Array(source), Kind::Array(target)) => fits(source, target),
        (Kind::Map(keys, values), Kind::Map(wanted, target)) => fits(keys, wanted) && fits(values, target),
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other) || promotes(one, other),
    }
}

fn promotes(from: &Kind, to: &Kind) -> bool {
    let rank = |kind: &Kind| match kind {
        Kind::Int8 => Some(0),
        Kind::Int16 => Some(1),
        Kind::Int32 => Some(2),
        Kind::Int64 => Some(3),
        Kind::Float32 => Some(4),
        Kind::Float64 => Some(5),
        _ => None,
    };
    rank(from).zip(rank(to)).is_some_and(|(from, to)| from < to)
}

/// But for those that hold documentation.
fn same_parameters(one: &Schema, other: &Schema) -> bool {
    let is_documentation = |key: &str| key.contains(".doc");
    let among = |all: &Schema, some: &Schema| {
        let mut counted = some.parameters.iter().filter(|(key, _)| !is_documentation(key));
        counted.all(|(key, value)| all.parameter(key) == Some(value))
    };
    among(one, other) && among(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Field;

    fn record(version: Option<i32>, fields: &[(&str, Schema)]) -> Arc<Schema> {
        let field = |(name, schema): &(&str, Schema)| Field { name: (*name).into(), schema: Arc::new(schema.clone()) };
        let kind = Kind::Struct(fields.iter().map(field).collect());
        Arc::new(Schema { version, ..Schema::new(kind) })
    }

    fn int() -> Schema {
        Schema::new(Kind::Int32)
    }

    fn long() -> Schema {
        Schema::new(Kind::Int64)
    }

    fn check(schema: &Arc<Schema>, file: &Arc<Schema>, [none, backward, forward]: [bool; 3]) {
        let modes = [Compatibility::None, Compatibility::Backward, Compatibility::Forward];
        let found = modes.map(|mode| mode.closes(Some(schema), Some(file)));
        assert_eq!(found, [none, backward, forward], "{schema:?} into {file:?}");
    }

    #[test]
    fn b3_2_and_b3_3_none_asks_for_equality_backward_for_no_newer_and_forward_for_no_older_version() {
        let versions = |version| record(Some(version), &[("a", int())]);
        check(&versions(1), &versions(1), [false, false, false]);
        check(&versions(2), &versions(1), [true, true, false]);
        check(&versions(1), &versions(2), [true, false, true]);
    }

    #[test]
    fn b3_4_types_names_parameters_and_missing_required_fields_close_a_file_whatever_the_versions() {
        let (one, two) = (|field| record(Some(1), &[("a", field)]), |field| record(Some(2), &[("a", field)]));
        // An older int goes into a file of longs, an older long not into one of ints.
        check(&one(int()), &two(long()), [true, false, true]);
        check(&one(long()), &two(int()), [true, true, true]);
        check(&one(int()), &two(Schema::new(Kind::String)), [true, true, true]);
        check(&one(int().named("x")), &two(int()), [true, true, true]);
        let parameter = |key: &str| Schema { parameters: vec![(key.into(), "v".into())], ..int() };
        check(&one(parameter("scale")), &two(int()), [true, true, true]);
        check(&one(parameter("io.confluent.connect.avro.field.doc.a")), &two(int()), [true, false, true]);
        // A null has no place in a required field.
        check(&one(int().optional()), &two(int()), [true, true, true]);
        check(&one(int()), &two(int().optional()), [true, false, true]);
        let more = |schema| record(Some(2), &[("a", int()), ("b", schema)]);
        check(&one(int()), &more(int()), [true, true, true]);
        check(&one(int()), &more(int().optional()), [true, false, true]);
    }

    #[test]
    fn b3_5_without_versions_only_equality_counts_and_the_same_schema_object_never_closes() {
        let without = record(None, &[("a", int())]);
        check(&without, &without, [false, false, false]);
        check(&without, &record(None, &[("a", int())]), [false, false, false]);
        check(&without, &record(Some(1), &[("a", int())]), [true, true, true]);
        assert!(Compatibility::Backward.closes(None, Some(&without)));
        assert!(!Compatibility::Backward.closes(None, None));
    }
}
