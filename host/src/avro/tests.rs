//! What a plan does to a datum, case by case.
#![allow(clippy::unwrap_used)]

use super::{FromJson, Plan, Schema, ToJson};

const WRITER: &str = r#"{"type":"record","name":"Customer","fields":[
 {"name":"id","type":"long"},{"name":"nome","type":["null","string"]},{"name":"nascimento","type":{"type":"int","logicalType":"date"}}]}"#;

fn plan(writer: &str, reader: &str) -> Plan {
    Plan::compile(&Schema::parse(writer).unwrap(), &Schema::parse(reader).unwrap()).unwrap()
}

/// Writes one JSON document by the writer's schema, and says what it is by the reader's.
fn check(writer: &str, reader: &str, before: &str, after: &str) {
    let (mut datum, mut out, mut json) = (Vec::new(), Vec::new(), Vec::new());
    let schema = Schema::parse(writer).unwrap();
    FromJson::compile(&schema).run(before.as_bytes(), &mut datum).unwrap();
    plan(writer, reader).run(&datum, &mut out).unwrap();
    ToJson::compile(&Schema::parse(reader).unwrap()).run(&out, &mut json).unwrap();
    assert_eq!(String::from_utf8(json).unwrap(), after);
}

fn mismatch(writer: &str, reader: &str) -> String {
    let (writer, reader) = (Schema::parse(writer).unwrap(), Schema::parse(reader).unwrap());
    Plan::compile(&writer, &reader).unwrap_err().to_string()
}

#[test]
fn a_view_takes_some_fields_in_another_order_and_adds_a_default() {
    let view = r#"{"type":"record","name":"View","fields":[{"name":"nascimento","type":"int"},
        {"name":"pais","type":"string","default":"BR"},{"name":"name","aliases":["nome"],"type":["null","string"]}]}"#;
    let before = r#"{"id":7,"nome":"Ana","nascimento":10957}"#;
    check(WRITER, view, before, r#"{"nascimento":10957,"pais":"BR","name":"Ana"}"#);
}

#[test]
fn numbers_are_promoted() {
    check(r#""int""#, r#""long""#, "-3", "-3");
    check(r#""int""#, r#""double""#, "100", "100.0");
    check(r#""long""#, r#""double""#, "10000000000", "1.0E10");
    check(r#""float""#, r#""double""#, "0.5", "0.5");
    check(r#""int""#, r#"["string","double","int"]"#, "1", r#"{"string":null,"double":null,"int":1}"#);
    check(r#"["null","int"]"#, r#"["string","null","long"]"#, "1", r#"{"string":null,"long":1}"#);
}

#[test]
fn collections_are_rewritten_item_by_item() {
    check(r#"{"type":"array","items":"int"}"#, r#"{"type":"array","items":"double"}"#, "[1,2]", "[1.0,2.0]");
    check(r#"{"type":"map","values":"int"}"#, r#"{"type":"map","values":"float"}"#, r#"{"a":1}"#, r#"{"a":1.0}"#);
}

#[test]
fn an_unknown_symbol_becomes_the_readers_default() {
    let writer = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    check(writer, r#"{"type":"enum","name":"E","symbols":["C","A"],"default":"C"}"#, r#""B""#, r#""C""#);
}

#[test]
fn recursive_types_are_followed_under_another_name() {
    let list = |name: &str, value: &str| {
        format!(
            r#"{{"type":"record","name":"{name}","fields":[{{"name":"v","type":"{value}"}},
            {{"name":"next","type":["null","{name}"]}}]}}"#
        )
    };
    let before = r#"{"v":1,"next":{"v":2,"next":null}}"#;
    check(&list("L", "int"), &list("M", "double"), before, r#"{"v":1.0,"next":{"v":2.0,"next":null}}"#);
    assert!(plan(&list("L", "int"), &list("M", "long")).is_identity());
}

#[test]
fn a_mismatch_names_the_path_both_types_and_the_reason() {
    let reader = r#"{"type":"record","name":"customers","fields":[{"name":"nascimento","type":"string"}]}"#;
    let due = "customers.nascimento: written as int, read as string: the one is not promoted to the other";
    assert_eq!(mismatch(WRITER, reader), due);
    let reader = r#"{"type":"record","name":"customers","fields":[{"name":"uf","type":"string"}]}"#;
    assert!(mismatch(WRITER, reader).contains("no default"));
}

#[test]
fn hostile_data_are_refused_and_leave_no_trace() {
    let array = r#"{"type":"array","items":"null"}"#;
    let plan = plan(array, array);
    for datum in [
        &b""[..],
        b"\x00\x00",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00",
        b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",
    ] {
        let mut out = vec![1];
        plan.run(datum, &mut out).unwrap_err();
        assert_eq!(out, [1]);
    }
}

#[test]
fn doubles_are_printed_as_java_prints_them() {
    let cases = [
        (1e10, "1.0E10"),
        (100.0, "100.0"),
        (0.001, "0.001"),
        (9.99e-4, "9.99E-4"),
        (5e-324, "4.9E-324"),
        (1234567.5, "1234567.5"),
        (1e7, "1.0E7"),
        (-0.0, "-0.0"),
        (f64::NAN, "\"NaN\""),
        (-12.25, "-12.25"),
    ];
    for (value, text) in cases {
        let mut out = Vec::new();
        super::number::double(value, &mut out);
        assert_eq!(out, text.as_bytes());
    }
}

#[test]
fn a_record_within_itself_is_not_taken_for_a_copy() {
    let tree = |value: &str| {
        format!(
            r#"{{"type":"record","name":"A","fields":[{{"name":"v","type":"{value}"}},{{"name":"x","type":["null",
            {{"type":"record","name":"B","fields":[{{"name":"y","type":"A"}}]}}]}}]}}"#
        )
    };
    let before = r#"{"v":1,"x":{"y":{"v":2,"x":null}}}"#;
    check(&tree("int"), &tree("double"), before, r#"{"v":1.0,"x":{"y":{"v":2.0,"x":null}}}"#);
}

#[test]
fn a_datum_nested_too_deep_is_refused() {
    let list = |value: &str| {
        format!(
            r#"{{"type":"record","name":"L","fields":[{{"name":"v","type":"{value}"}},
            {{"name":"next","type":["null","L"]}}]}}"#
        )
    };
    let datum = b"\x00\x02".repeat(100_000);
    let mut out = Vec::new();
    plan(&list("int"), &list("double")).run(&datum, &mut out).unwrap_err();
    plan(&list("int"), &list("int")).run(&datum, &mut out).unwrap_err();
    ToJson::compile(&Schema::parse(&list("int")).unwrap()).run(&datum, &mut out).unwrap_err();
}

#[test]
fn a_branch_the_reader_does_not_take_fails_when_it_is_met() {
    let plan = plan(r#"["null","string"]"#, r#""string""#);
    let mut out = Vec::new();
    plan.run(b"\x02\x02a", &mut out).unwrap();
    assert_eq!(out, b"\x02a");
    plan.run(b"\x00", &mut out).unwrap_err();
    assert_eq!(mismatch(r#"["null","string"]"#, r#""int""#).matches("no branch").count(), 1);
}

#[test]
fn blocks_with_a_size_are_read() {
    let plan = plan(r#"{"type":"array","items":"int"}"#, r#"{"type":"array","items":"double"}"#);
    let mut out = Vec::new();
    plan.run(b"\x01\x02\x00\x00", &mut out).unwrap();
    assert_eq!(out, b"\x02\0\0\0\0\0\0\0\0\x00");
}

#[test]
fn a_decimals_digits_must_agree() {
    let decimal = |scale: u8| format!(r#"{{"type":"bytes","logicalType":"decimal","precision":9,"scale":{scale}}}"#);
    check(&decimal(2), &decimal(2), r#""AQI=""#, r#""AQI=""#);
    assert!(mismatch(&decimal(2), &decimal(3)).contains("decimal(9, 2) is not decimal(9, 3)"));
}
