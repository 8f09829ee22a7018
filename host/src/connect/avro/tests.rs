#![allow(clippy::unwrap_used)]
//! Schemas both ways, as AvroData maps them, and data through both.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::connect::{Field, Kind, Schema, Value, logical};

fn reader(text: &str) -> Reader {
    Reader::compile(text, Some(3)).unwrap()
}

fn record(field: &str) -> String {
    format!("{{\"type\":\"record\",\"name\":\"r\",\"namespace\":\"n\",\"fields\":[{field}]}}")
}

fn written(schema: &Arc<Schema>) -> String {
    Writer::compile(schema, Metadata::default()).unwrap().text()
}

/// What becomes of a field of an Avro schema that goes through Connect.
fn check_field(field: &str, expected: &str) {
    let text = written(&reader(&record(field)).schema);
    let head = "{\"type\":\"record\",\"name\":\"r\",\"namespace\":\"n\",\"fields\":[";
    let fields = text.strip_prefix(head).unwrap();
    assert_eq!(&fields[..fields.rfind("],\"connect.version\":3").unwrap()], expected);
}

#[test]
fn a6_9_the_table_schema_comes_back_letter_by_letter() {
    let text = include_str!("../../source/testdata/customers.avsc").trim_end();
    let reader = Reader::compile(text, None).unwrap();
    assert_eq!(written(&reader.schema), text);
}

/// A decimal of the default precision keeps it to itself; a logical type that Connect does not know is its base; the
/// default of a type and null does not survive the converter (G, B6.4); a type that is written down once is named from
/// then on.
#[test]
fn b7_fields_are_written_with_connects_metadata() {
    for both in include_str!("../testdata/avro-fields.txt").trim_end().split("\n\n") {
        let (field, expected) = both.split_once('\n').unwrap();
        check_field(field, expected);
    }
}

#[test]
fn b3_5_the_subject_version_is_connects_unless_the_schema_has_its_own() {
    let own = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"int"}],"connect.version":9}"#;
    assert_eq!(reader(own).schema.version, Some(9));
    assert_eq!(reader(&own.replace(",\"connect.version\":9", "")).schema.version, Some(3));
}

#[test]
fn connects_metadata_can_be_left_out() {
    let schema = reader(&record(r#"{"name":"f","type":{"type":"enum","name":"e","symbols":["A"]}}"#)).schema;
    let text = Writer::compile(&schema, Metadata { connect: false, enhanced: false }).unwrap().text();
    assert_eq!(text, record(r#"{"name":"f","type":"string"}"#));
}

#[test]
fn what_cannot_be_mapped_is_said() {
    for (text, why) in [
        (r#""null""#, "a null outside a union"),
        (
            r#"{"type":"record","name":"r","fields":[{"name":"next","type":["null","r"]}]}"#,
            "the type r contains itself",
        ),
        (r#"{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"int","connect.type":"int9"}}]}"#, "int9"),
        ("{", "not an Avro schema"),
    ] {
        let error = Reader::compile(text, None).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let one = |kind| Schema::new(Kind::Struct(vec![Field { name: "a".into(), schema: Arc::new(Schema::new(kind)) }]));
    let field = |name: &str, of: Schema| Field { name: name.into(), schema: Arc::new(of.named("same")) };
    let fields =
        vec![field("x", one(Kind::Int32)), field("y", Schema { doc: Some("other".into()), ..one(Kind::Int32) })];
    let error = Writer::compile(&Arc::new(Schema::new(Kind::Struct(fields))), Metadata::default()).unwrap_err();
    assert!(error.to_string().contains("two different types are called \"same\""), "{error}");
}

#[test]
fn c1_bytes_that_are_the_whole_value_come_without_their_length() {
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.into());
    assert_eq!(reader("\"bytes\"").read_framed(b"\x04ab").unwrap(), bytes(b"\x04ab"));
    assert_eq!(reader("\"bytes\"").read(b"\x04ab").unwrap(), bytes(b"ab"));
    assert_eq!(reader("\"string\"").read_framed(b"\x04ab").unwrap(), Value::String("ab".into()));
}

#[test]
fn a_short_schema_cannot_ask_for_more_than_it_may() {
    let chain = |count: usize, field: &dyn Fn(String) -> String| {
        let records = (1..=count).map(|n| {
            let inside = if n == 1 { field("\"int\"".into()) } else { field(format!("\"r{}\"", n - 1)) };
            format!("{{\"name\":\"f{n}\",\"type\":{{\"type\":\"record\",\"name\":\"r{n}\",\"fields\":[{inside}]}}}}")
        });
        record(&records.collect::<Vec<_>>().join(","))
    };
    let one = |of: String| format!("{{\"name\":\"a\",\"type\":{of}}}");
    let two = |of: String| format!("{{\"name\":\"a\",\"type\":{of}}},{{\"name\":\"b\",\"type\":{of}}}");
    assert!(Reader::compile(&chain(127, &one), None).is_ok());
    assert!(Reader::compile(&chain(10, &two), None).is_ok());
    for text in [chain(129, &one), chain(2000, &one), chain(40, &two)] {
        assert!(Reader::compile(&text, None).unwrap_err().contains("more than"));
    }
}

#[test]
fn hostile_bytes_are_an_error() {
    let list = r#"{"name":"f","type":{"type":"array","items":"string"}}"#;
    let decimal = r#"{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}}"#;
    let reader = reader(&record(&format!("{list},{decimal}")));
    for datum in [&[][..], &[2], &[2, 4, 97], &[0, 0], &[0, 2, 1, 9], &[0xff; 20]] {
        assert!(reader.read(datum).is_err(), "{datum:?}");
    }
    assert!(reader.read(&[0, 2, 1]).is_ok());
}

/// A schema with data of it.
fn any_datum() -> impl Strategy<Value = (Schema, Value)> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| (Schema::new(Kind::Bool), Value::Bool(value))),
        any::<i8>().prop_map(|value| (Schema::new(Kind::Int8), Value::Int8(value))),
        any::<i16>().prop_map(|value| (Schema::new(Kind::Int16), Value::Int16(value))),
        any::<i32>().prop_map(|value| (Schema::new(Kind::Int32), Value::Int32(value))),
        any::<i64>().prop_map(|value| (Schema::new(Kind::Int64), Value::Int64(value))),
        any::<f32>()
            .prop_map(|value| (Schema::new(Kind::Float32), Value::Float32(if value.is_nan() { 0.0 } else { value }))),
        any::<f64>()
            .prop_map(|value| (Schema::new(Kind::Float64), Value::Float64(if value.is_nan() { 0.0 } else { value }))),
        any::<String>().prop_map(|text| (Schema::new(Kind::String), Value::String(text.into()))),
        any::<Vec<u8>>().prop_map(|bytes| (Schema::new(Kind::Bytes), Value::Bytes(bytes.into()))),
        any::<i32>().prop_map(|days| {
            (Schema { version: Some(1), ..Schema::new(Kind::Int32).named(logical::DATE) }, Value::Int32(days))
        }),
        any::<String>().prop_map(|text| (Schema::new(Kind::String).optional(), Value::String(text.into()))),
        Just((Schema::new(Kind::Int64).optional(), Value::Null)),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        let array = |schema: Schema, value: Value, count: usize| {
            (Schema::new(Kind::Array(Arc::new(schema))), Value::Array(vec![value; count]))
        };
        let map = |schema: Schema, value: Value, key: Option<String>| {
            let kind = Kind::Map(Arc::new(Schema::new(Kind::String)), Arc::new(schema));
            let entries = key.into_iter().map(|key| (Value::String(key.into()), value.clone())).collect();
            (Schema::new(kind), Value::Map(entries))
        };
        let pairs = |schema: Schema, value: Value, key: i32| {
            let kind = Kind::Map(Arc::new(Schema::new(Kind::Int32)), Arc::new(schema));
            (Schema::new(kind), Value::Map(vec![(Value::Int32(key), value)]))
        };
        prop_oneof![
            (inner.clone(), 0..4usize).prop_map(move |((schema, value), count)| array(schema, value, count)),
            (inner.clone(), any::<Option<String>>()).prop_map(move |((schema, value), key)| map(schema, value, key)),
            (inner.clone(), any::<i32>()).prop_map(move |((schema, value), key)| pairs(schema, value, key)),
            prop::collection::vec(inner, 1..5).prop_map(|fields| {
                let (schemas, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
                let fields = schemas.into_iter().enumerate();
                let fields = fields.map(|(index, of)| Field { name: format!("f{index}"), schema: Arc::new(of) });
                (Schema::new(Kind::Struct(fields.collect())), Value::Struct(values))
            }),
        ]
    })
}

/// Maps of two shapes would both be called MapEntry, and structs need names of their own.
fn named(schema: &mut Schema, next: &mut usize) {
    *next += 1;
    let part = |part: &mut Arc<Schema>, next: &mut usize| named(Arc::make_mut(part), next);
    match &mut schema.kind {
        Kind::Struct(fields) => {
            schema.name = Some(format!("space.s{next}"));
            fields.iter_mut().for_each(|field| part(&mut field.schema, next));
        }
        Kind::Map(key, value) => {
            if !matches!(key.kind, Kind::String) {
                schema.name = Some(format!("space.m{next}"));
            }
            part(value, next);
        }
        Kind::Array(item) => part(item, next),
        _ => {}
    }
}

proptest! {
    #[test]
    fn data_and_schema_come_back_through_avro((mut schema, value) in any_datum()) {
        named(&mut schema, &mut 0);
        let schema = Arc::new(schema);
        let writer = Writer::compile(&schema, Metadata::default()).unwrap();
        let mut bytes = Vec::new();
        writer.write(&value, &mut bytes).unwrap();
        let reader = Reader::compile(&writer.text(), None).unwrap();
        prop_assert_eq!(&*reader.schema, &*schema, "{}", writer.text());
        prop_assert_eq!(reader.read(&bytes).unwrap(), value);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in any::<Vec<u8>>()) {
        let text = include_str!("../../sink/format/testdata/json-edge.avsc");
        Reader::compile(text, None).unwrap().read(&bytes).ok();
    }
}
