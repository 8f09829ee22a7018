#![allow(clippy::unwrap_used)]
//! Avro with a real registry.

use std::sync::Arc;
use std::time::Duration;

use crate::connect::{Converter, Reason, Value};
use crate::registry::{Config, Registry, server, wire};

#[test]
fn b3_5_avro_has_the_subjects_version_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let running = server::start("127.0.0.1:0".parse().unwrap(), dir.path()).unwrap();
    let registry = Registry::new(Config::new(&running.url()));
    let one = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}"#;
    let two =
        r#"{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]}"#;
    let ids = [one, two].map(|schema| registry.register("t-value", schema).unwrap());
    let mut converter = Converter::avro(registry.clone(), false);
    let mut convert = |topic: &str, id: u32, datum: &[u8]| {
        let mut bytes = Vec::new();
        wire::frame(id, &mut bytes);
        bytes.extend_from_slice(datum);
        converter.to_connect(topic, Some(&bytes))
    };
    let first = convert("t", ids[0], &[2]).unwrap();
    let second = convert("t", ids[1], &[2, 4]).unwrap();
    assert_eq!(first.schema.as_ref().unwrap().version, Some(1));
    assert_eq!(second.schema.unwrap().version, Some(2));
    assert_eq!(second.value, Value::Struct(vec![Value::Int32(1), Value::Int32(2)]));
    assert!(Arc::ptr_eq(&convert("t", ids[0], &[4]).unwrap().schema.unwrap(), &first.schema.unwrap()));
    // Another topic's subject does not have it.
    assert_eq!(convert("other", ids[0], &[2]).unwrap().schema.unwrap().version, None);
    for (id, datum, why) in [(ids[0], &[][..], "schema id 1: a number is cut short"), (9, &[2], "schema id 9")] {
        let error = convert("t", id, datum).unwrap_err();
        assert!(matches!(&error, Reason::Record(text) if text.contains(why)), "{error}");
    }
    drop(running);
    let away = registry.with_deadline(Duration::from_millis(200));
    let error = Converter::avro(away, true).to_connect("t", Some(&[0, 0, 0, 0, 7, 2])).unwrap_err();
    assert!(matches!(error, Reason::Away(_)), "{error}");
}
