//! Any plan against the apache-avro crate, which decodes and resolves values, as the oracle.
//!
//! Where apache-avro 0.22 deviates from the specification it is not asked: it looks up fields by name only (no reader
//! aliases), it takes a union's branch by the value and not by the writer's type, and it reads a truncated boolean as
//! null. The schemas made here leave these out.
#![allow(clippy::unwrap_used)]

use apache_avro::types::Value;
use proptest::prelude::*;

use super::{FromJson, Plan, Schema, ToJson};

/// A writer's type, a reader's, and a value of the former.
type Case = (String, String, Value);

fn leaf() -> impl Strategy<Value = Case> {
    let number = prop_oneof![Just("int"), Just("long"), Just("float"), Just("double")];
    let quoted = |name: &str| format!("\"{name}\"");
    prop_oneof![
        (any::<i32>(), number).prop_map(move |(n, to)| (quoted("int"), quoted(to), Value::Int(n))),
        any::<i64>().prop_map(move |n| (quoted("long"), quoted("double"), Value::Long(n))),
        any::<bool>().prop_map(move |b| (quoted("boolean"), quoted("boolean"), Value::Boolean(b))),
        any::<f32>().prop_map(move |f| (quoted("float"), quoted("double"), Value::Float(f))),
        ".{0,8}".prop_map(move |s| (quoted("string"), quoted("string"), Value::String(s))),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    leaf().prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|(w, r, v)| {
                let array = |items: &str| format!(r#"{{"type":"array","items":{items}}}"#);
                (array(&w), array(&r), Value::Array(vec![v.clone(), v]))
            }),
            inner.prop_map(|(w, r, v)| {
                let map = |values: &str| format!(r#"{{"type":"map","values":{values}}}"#);
                (map(&w), map(&r), Value::Map([("k".to_owned(), v)].into()))
            }),
        ]
    })
}

fn record(name: &str, fields: &[(usize, &String)], added: bool) -> String {
    let mut fields: Vec<_> =
        fields.iter().map(|(index, schema)| format!(r#"{{"name":"f{index}","type":{schema}}}"#)).collect();
    if added {
        fields.push(r#"{"name":"added","type":"string","default":"é"}"#.to_owned());
    }
    format!(r#"{{"type":"record","name":"{name}","fields":[{}]}}"#, fields.join(","))
}

type Evolution = (Vec<Case>, Vec<usize>, bool);

/// Some fields, those of them the reader keeps, in its order, and whether it adds one.
fn evolution() -> impl Strategy<Value = Evolution> {
    prop::collection::vec(case(), 1..6).prop_flat_map(|cases| {
        let indexes: Vec<_> = (0..cases.len()).collect();
        let kept = prop::sample::subsequence(indexes, 0..=cases.len());
        let order = prop_oneof![kept.clone().boxed(), kept.prop_shuffle().boxed()];
        (Just(cases), order, any::<bool>())
    })
}

fn schemas((cases, kept, added): &Evolution) -> (Schema, Schema) {
    let written: Vec<_> = cases.iter().enumerate().map(|(index, case)| (index, &case.0)).collect();
    let read: Vec<_> = kept.iter().map(|&index| (index, &cases[index].1)).collect();
    let parse = |text: String| Schema::parse(&text).unwrap();
    (parse(record("R", &written, false)), parse(record("R", &read, *added)))
}

#[expect(deprecated, reason = "the short way to a bare datum")]
fn oracle(writer: &Schema, reader: &Schema, evolution: &Evolution) -> (Vec<u8>, Vec<u8>) {
    let fields = evolution.0.iter().enumerate().map(|(index, case)| (format!("f{index}"), case.2.clone()));
    let datum = apache_avro::to_avro_datum(writer.avro(), Value::Record(fields.collect())).unwrap();
    let value = apache_avro::from_avro_datum(writer.avro(), &mut &datum[..], Some(reader.avro())).unwrap();
    let due = apache_avro::to_avro_datum(reader.avro(), value).unwrap();
    (datum, due)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_gives_what_apache_avro_gives(evolution in evolution()) {
        let (writer, reader) = schemas(&evolution);
        let (datum, due) = oracle(&writer, &reader, &evolution);
        let mut out = Vec::new();
        Plan::compile(&writer, &reader).unwrap().run(&datum, &mut out).unwrap();
        prop_assert_eq!(out, due);
    }

    #[test]
    fn any_bytes_are_refused_or_taken_without_a_panic(
        evolution in evolution(),
        bytes in prop::collection::vec(prop_oneof![0..8u8, any::<u8>()], 0..64),
    ) {
        let (writer, reader) = schemas(&evolution);
        let mut out = vec![7];
        let plan = Plan::compile(&writer, &reader).unwrap();
        if plan.run(&bytes, &mut out).is_err() {
            prop_assert_eq!(&out, &[7]);
        }
        drop(ToJson::compile(&writer).run(&bytes, &mut out));
        drop(FromJson::compile(&writer).run(&bytes, &mut out));
    }
}
