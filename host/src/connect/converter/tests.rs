#![allow(clippy::unwrap_used)]
//! Bytes of a topic as Connect's converters see them.

use std::sync::Arc;

use super::*;
use crate::connect::{Field, logical, project};

fn json(schemas_enable: bool, text: &str) -> Result<Datum, Reason> {
    Converter::json(schemas_enable).to_connect("t", Some(text.as_bytes()))
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn b9_1_a_string_is_what_java_reads_and_bytes_are_bytes() {
    let key = Converter::String.to_connect("t", Some(b"JOVEM\x00\xed\xa0\x80")).unwrap();
    assert_eq!(key.value, text("JOVEM\u{0}\u{fffd}"));
    assert!(key.schema.unwrap().optional);
    let bytes = Converter::ByteArray.to_connect("t", Some(b"\xff")).unwrap();
    assert_eq!(bytes.value, Value::Bytes(b"\xff".as_slice().into()));
    for mut converter in [Converter::String, Converter::ByteArray, Converter::json(false), Converter::json(true)] {
        assert!(converter.to_connect("t", None).unwrap().is_null());
    }
}

#[test]
fn g_b6_6_schemaless_json_has_javas_numbers() {
    for (written, value) in [
        ("null", Value::Null),
        ("true", Value::Bool(true)),
        ("7", Value::Int64(7)),
        ("1e3", Value::Float64(1000.0)),
        ("0.1", Value::Float64(0.1)),
        ("9007199254740993.0", Value::Float64(9007199254740992.0)),
        // Beyond 64 bits the low ones stay.
        ("14083847773837265618", Value::Int64(-4362896299872285998)),
        ("-14083847773837265618", Value::Int64(4362896299872285998)),
        ("\"a\\u00e9\"", text("aé")),
        ("[1,[2.5],null]", Value::Array(vec![Value::Int64(1), Value::Array(vec![Value::Float64(2.5)]), Value::Null])),
        ("{\"b\":1,\"a\":2,\"b\":3}", Value::Map(vec![(text("a"), Value::Int64(2)), (text("b"), Value::Int64(3))])),
    ] {
        assert_eq!(json(false, written).unwrap(), Datum { schema: None, value }, "{written}");
    }
    for written in ["", "{", "1 2", "NaN", "'a'"] {
        assert!(json(false, written).unwrap_err().to_string().contains("not JSON"), "{written}");
    }
}

#[test]
fn json_is_not_followed_deeper_than_it_may_be_nested() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json(false, &nested(200)).is_ok());
    for depth in [201, 1_000_000] {
        assert!(json(false, &nested(depth)).unwrap_err().to_string().contains("nested more than 200 deep"));
    }
    assert_eq!(json(false, &format!("\"\\\"{}\"", "[".repeat(300))).unwrap().value.kind(), "STRING");
}

const ENVELOPE: &str = r#"{"schema":{"type":"struct","name":"row","optional":false,"fields":[
    {"field":"a","type":"int8"},
    {"field":"d","type":"int32","optional":true,"default":5},
    {"field":"s","type":"string","optional":true},
    {"field":"n","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},
    {"field":"m","type":"map","keys":{"type":"int32"},"values":{"type":"float"}}]},
    "payload":{"a":300,"n":"AeJA","m":[[1,0.1]],"s":null,"d":null}}"#;

#[test]
fn json_with_its_schema_becomes_data_of_it() {
    let row = json(true, ENVELOPE).unwrap();
    let schema = row.schema.unwrap();
    assert_eq!((schema.name.as_deref(), schema.fields().len()), (Some("row"), 5));
    assert!(schema.fields()[3].schema.is(logical::DECIMAL));
    let decimal = Value::Bytes(b"\x01\xe2\x40".as_slice().into());
    let map = Value::Map(vec![(Value::Int32(1), Value::Float32(0.1))]);
    // G, B6.4: the default takes the place of null here already. Numbers wrap as in Java.
    assert_eq!(row.value, Value::Struct(vec![Value::Int8(44), Value::Int32(5), Value::Null, decimal.clone(), map]));
    let Value::Struct(values) = json(true, &ENVELOPE.replace("\"AeJA\"", "1234.56")).unwrap().value else { panic!() };
    assert_eq!(values[3], decimal);
    let Value::Struct(values) = json(true, &ENVELOPE.replace("\"AeJA\"", "12.3456e2")).unwrap().value else { panic!() };
    assert_eq!(values[3], decimal);
}

#[test]
fn one_schema_is_made_once() {
    let mut converter = Converter::json(true);
    let mut schema = || converter.to_connect("t", Some(ENVELOPE.as_bytes())).unwrap().schema.unwrap();
    assert!(Arc::ptr_eq(&schema(), &schema()));
}

#[test]
fn json_that_does_not_fit_is_said() {
    for (written, why) in [
        ("{\"a\":1}", "exactly \"schema\" and \"payload\""),
        (&*ENVELOPE.replace("\"a\":300,", ""), "a: null for a required INT8"),
        (&*ENVELOPE.replace("300", "\"x\""), "a: \"x\" where INT8 is due"),
        (&*ENVELOPE.replace("\"AeJA\"", "1.234"), "n: 1.234 does not have the scale 2"),
        (&*ENVELOPE.replace("\"AeJA\"", "1e999999999"), "n: 1e999999999 does not have the scale 2"),
        (&*ENVELOPE.replace("\"int8\"", "\"int7\""), "\"int7\" is unknown"),
    ] {
        let error = json(true, written).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

fn row(fields: &[(&str, Schema)]) -> Arc<Schema> {
    let fields = fields.iter().map(|(name, of)| Field { name: (*name).into(), schema: Arc::new(of.clone()) });
    Arc::new(Schema::new(Kind::Struct(fields.collect())).named("row"))
}

#[test]
fn b3_6_projection_drops_fills_and_promotes() {
    let int = || Schema::new(Kind::Int32);
    let source = row(&[("a", int()), ("gone", int()), ("b", int().optional())]);
    let target = row(&[
        ("a", Schema::new(Kind::Int64)),
        ("b", int().optional()),
        ("new", int().optional()),
        ("filled", Schema { default: Some(Value::Int32(7)), ..int() }),
    ]);
    let datum = Datum {
        schema: Some(source.clone()),
        value: Value::Struct(vec![Value::Int32(1), Value::Int32(2), Value::Null]),
    };
    let projected = project(&datum, &target).unwrap();
    assert_eq!(projected.value, Value::Struct(vec![Value::Int64(1), Value::Null, Value::Null, Value::Int32(7)]));
    assert!(Arc::ptr_eq(&projected.schema.unwrap(), &target));
    for (target, why) in [
        (row(&[("a", Schema::new(Kind::Int16))]), "a: INT32 does not become INT16"),
        (row(&[("missing", int())]), "the required field \"missing\" is missing"),
        (row(&[("b", int())]), "b: null, where"),
        (Arc::new(Schema::new(Kind::Struct(vec![])).named("other")), "the schema Some(\"row\") does not become"),
    ] {
        let error = project(&datum, &target).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn b3_2_schemas_are_equal_as_connects_are() {
    let base = Schema::new(Kind::Int32);
    let with = |change: fn(&mut Schema)| {
        let mut schema = base.clone();
        change(&mut schema);
        schema
    };
    assert_eq!(base, base.clone());
    for changed in [
        with(|schema| schema.version = Some(1)),
        with(|schema| schema.doc = Some("d".into())),
        with(|schema| schema.name = Some("n".into())),
        with(|schema| schema.optional = true),
        with(|schema| schema.default = Some(Value::Int32(1))),
        with(|schema| schema.parameters.push(("k".into(), "v".into()))),
        with(|schema| schema.kind = Kind::Int64),
    ] {
        assert_ne!(base, changed);
    }
    let pair =
        |a: &str, b: &str| Schema { parameters: vec![(a.into(), "1".into()), (b.into(), "1".into())], ..base.clone() };
    assert_eq!(pair("a", "b"), pair("b", "a"));
}
