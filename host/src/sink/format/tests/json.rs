//! JSON lines, byte for byte.

use proptest::prelude::*;

use super::*;
use crate::connect::{Converter, logical};

fn lines(json: Json, data: &[Datum]) -> String {
    String::from_utf8(file(&Format::Json(json), Compression::None, data)).unwrap()
}

fn check_line(datum: Datum, expected: &str) {
    assert_eq!(lines(Json::default(), &[datum]), format!("{expected}\n"));
}

#[test]
fn b6_the_recorded_edge_cases_are_written_byte_for_byte() {
    let written = lines(Json::default(), &edge());
    let recorded = include_str!("../testdata/json-edge.json");
    for (number, (ours, theirs)) in written.lines().zip(recorded.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {number}");
    }
    assert_eq!(written, recorded);
}

#[test]
fn b6_the_recorded_customers_are_written_byte_for_byte() {
    assert_eq!(lines(Json::default(), &customers()), include_str!("../testdata/s3-customers.json"));
}

#[test]
fn b6_6_what_is_no_struct_is_written_by_a_plain_mapper() {
    let with = |kind: Kind, name: &str| Some(Arc::new(Schema::new(kind).named(name)));
    let text = |text: &str| Value::String(text.into());
    let decimal = |scale: &str| {
        let parameters = vec![("scale".to_string(), scale.to_string())];
        Some(Arc::new(Schema { parameters, ..Schema::new(Kind::Bytes).named(logical::DECIMAL) }))
    };
    let number = |bytes: &[u8]| Value::Bytes(bytes.into());
    for (schema, value, expected) in [
        (None, text("JOVEM\u{0}\u{1}x\u{fffd}"), "\"JOVEM\\u0000\\u0001x\u{fffd}\""),
        (None, text("\u{8}\u{c}\r\u{1f}\u{7f}\"\\/"), "\"\\b\\f\\r\\u001F\u{7f}\\\"\\\\/\""),
        (None, text("é東\u{2028}\u{ffff}😀!"), "\"é東\u{2028}\u{ffff}\\uD83D\\uDE00!\""),
        (None, Value::Null, "null"),
        (None, Value::Float64(1000.0), "1000.0"),
        (None, Value::Float64(f64::INFINITY), "\"Infinity\""),
        (None, Value::Array(vec![Value::Int64(1), Value::Null, text("a")]), "[1,null,\"a\"]"),
        (
            None,
            Value::Map(vec![(text("k"), Value::Bool(true)), (Value::Int32(3), Value::Null)]),
            "{\"k\":true,\"3\":null}",
        ),
        (None, Value::Bytes(b"\x00\xff\xfe".as_slice().into()), "\"AP/+\""),
        // java.util.Date and BigDecimal, which JsonConverter never sees here.
        (with(Kind::Int32, logical::DATE), Value::Int32(-1), "-86400000"),
        (with(Kind::Int64, logical::TIMESTAMP), Value::Int64(1), "1"),
        (decimal("2"), number(b"\x01\xe2\x40"), "1234.56"),
        (decimal("0"), number(b"\x05"), "5"),
        (decimal("2"), number(b"\x00"), "0.00"),
        (decimal("2"), number(b"\xff"), "-0.01"),
        (decimal("10"), number(b"\xff"), "-1E-10"),
        (decimal("10"), number(b"\x04\xd2"), "1.234E-7"),
        (decimal("-2"), number(b"\x7b"), "1.23E+4"),
    ] {
        check_line(Datum { schema, value }, expected);
    }
}

#[test]
fn b6_3_decimals_are_base64_unless_numbers_are_asked_for() {
    let parameters = vec![("scale".to_string(), "2".to_string())];
    let decimal = Schema { parameters, ..Schema::new(Kind::Bytes).named(logical::DECIMAL) };
    let row = datum(&structure(vec![field("d", decimal)]), vec![Value::Bytes(b"\x01\xe2\x40".as_slice().into())]);
    check_line(row.clone(), "{\"d\":\"AeJA\"}");
    assert_eq!(lines(Json { numeric_decimals: true, ..Json::default() }, &[row]), "{\"d\":1234.56}\n");
}

#[test]
fn b6_4_a_missing_optional_is_its_default_unless_that_is_switched_off() {
    let of = Schema { default: Some(Value::Int32(5)), ..Schema::new(Kind::Int32).optional() };
    let row = datum(&structure(vec![field("a", of)]), vec![Value::Null]);
    check_line(row.clone(), "{\"a\":5}");
    assert_eq!(lines(Json { null_as_default: false, ..Json::default() }, &[row]), "{\"a\":null}\n");
}

#[test]
fn a_record_that_does_not_fit_its_schema_leaves_the_file_as_it_was() {
    let schema = structure(vec![field("a", Schema::new(Kind::Int32)), field("b", Schema::new(Kind::String))]);
    let good = datum(&schema, vec![Value::Int32(1), Value::String("x".into())]);
    let mut open = Format::Json(Json::default()).open(Compression::None, &good).unwrap();
    open.append(&good).unwrap();
    for (second, why) in
        [(Value::Null, "b: null where a value is required"), (Value::Int8(1), "b: a INT8 where STRING")]
    {
        let error = open.append(&datum(&schema, vec![Value::Int32(1), second])).unwrap_err();
        assert!(error.to_string().starts_with(why), "{error}");
    }
    assert_eq!(open.finish().unwrap(), b"{\"a\":1,\"b\":\"x\"}\n");
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int64),
        any::<f64>().prop_filter("JSON has it", |value| value.is_finite()).prop_map(Value::Float64),
        any::<String>().prop_map(|text| Value::String(text.into())),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let entry = (any::<String>().prop_map(|key| Value::String(key.into())), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::Array),
            prop::collection::vec(entry, 0..6).prop_map(Value::Map),
        ]
    })
}

/// What a reader of JSON sees in a value.
fn seen(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int64(value) => (*value).into(),
        // The reader may be off by a bit; the text is compared with Java's elsewhere.
        Value::Float64(_) => "a number".into(),
        Value::String(text) => (**text).into(),
        Value::Array(items) => items.iter().map(seen).collect(),
        Value::Map(entries) => serde_json::Value::Object(
            entries.iter().map(|(key, value)| (seen(key).as_str().unwrap().to_string(), seen(value))).collect(),
        ),
        _ => serde_json::Value::Null,
    }
}

fn without_floats(json: serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Number(number) if number.is_f64() => "a number".into(),
        serde_json::Value::Array(items) => items.into_iter().map(without_floats).collect(),
        serde_json::Value::Object(members) => {
            serde_json::Value::Object(members.into_iter().map(|(key, json)| (key, without_floats(json))).collect())
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn another_reader_of_json_sees_the_same_data(value in any_value()) {
        let line = lines(Json::default(), &[Datum { schema: None, value: value.clone() }]);
        let read = without_floats(serde_json::from_str(&line).unwrap());
        prop_assert_eq!(read, seen(&value), "{}", line);
    }

    #[test]
    fn the_digits_of_a_number_give_it_back(value in any::<f64>(), small in any::<f32>()) {
        let mut out = Vec::new();
        crate::connect::number::double(value, &mut out);
        let text = String::from_utf8(out).unwrap();
        prop_assert!(text.parse::<f64>().unwrap() == value || value.is_nan(), "{}", text);
        let mut out = Vec::new();
        crate::connect::number::float(small, &mut out);
        let text = String::from_utf8(out).unwrap();
        prop_assert!(text.parse::<f32>().unwrap() == small || small.is_nan(), "{}", text);
    }
}

/// Generated data of every type, as Kafka's own JsonConverter and an ObjectMapper wrote them.
#[test]
fn b6_2_lines_are_those_of_kafkas_json_converter() {
    let input = include_str!("../testdata/json-converter.in");
    for (numeric_decimals, expected) in [
        (false, include_str!("../testdata/json-converter.base64")),
        (true, include_str!("../testdata/json-converter.numeric")),
    ] {
        let json = Json { numeric_decimals, ..Json::default() };
        let mut converter = Converter::json(true);
        for (from, to) in input.lines().zip(expected.lines()) {
            let datum = converter.to_connect("t", Some(from.as_bytes())).unwrap();
            assert_eq!(lines(json, &[datum]).trim_end_matches('\n'), to, "{from}");
        }
    }
}
