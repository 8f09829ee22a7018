//! What becomes of keys and values, against a registry of the test's own.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::registry::{Config, server};

const OLD: &str = r#"{"type":"record","name":"Id","fields":[{"name":"n","type":"int"}]}"#;
const NEW: &str = r#"{"type":"record","name":"Id","fields":[{"name":"n","type":"long"},
    {"name":"of","type":"string","default":"a"}]}"#;

/// Pushes each, and gives what then stands in the column, or why it does not.
fn check(part: Part, format: &Format, pushed: &[Option<&[u8]>], expected: &[Result<Option<&[u8]>, &str>]) {
    let dir = tempfile::tempdir().unwrap();
    let server = server::start(([127, 0, 0, 1], 0).into(), dir.path()).unwrap();
    let registry = Registry::new(Config::new(&server.url()));
    assert_eq!(registry.register("t-key", OLD).unwrap(), 1);
    assert_eq!(registry.register("u-key", "\"string\"").unwrap(), 2);
    let mut resolver = Resolver::new(part, format, registry, "p").unwrap();
    let mut column = Column { data: Vec::new(), lengths: Vec::new() };
    for (bytes, expected) in pushed.iter().zip(expected) {
        let (start, entries) = (column.data.len(), column.lengths.len());
        match (resolver.push(*bytes, &mut column), expected) {
            (Ok(()), Ok(expected)) => {
                assert_eq!(column.lengths[entries..], [expected.map_or(-1, |bytes| bytes.len() as i32)], "{bytes:?}");
                assert_eq!(column.data[start..], *expected.unwrap_or_default(), "{bytes:?}");
            }
            (Err(Ok(reason)), Err(part_of)) => {
                assert!(reason.contains(part_of), "{bytes:?}: {reason}");
                assert_eq!((column.data.len(), column.lengths.len()), (start, entries), "{bytes:?} left something");
            }
            (found, expected) => panic!("{bytes:?}: {found:?} is not {expected:?}"),
        }
    }
    assert_eq!(pushed.len(), expected.len());
}

/// The number 3, written with the schema of this id.
const fn framed(id: u8) -> [u8; 6] {
    [0, 0, 0, 0, id, 6]
}

#[test]
fn keys_are_resolved_by_the_schema_that_they_were_written_with() {
    let pushed: [Option<&[u8]>; 6] =
        [Some(&framed(1)), None, Some(&framed(2)), Some(b"bare"), Some(&framed(9)), Some(&framed(1)[..5])];
    let bad = [
        Err("cannot be read as the plugin asks"),
        Err("a key cannot be read: it begins with byte 0x62"),
        Err("schema id 9"),
        Err("key with schema id 1"),
    ];
    let all = |three: &'static [u8]| [&[Ok(Some(three)), Ok(None)], &bad[..]].concat();
    check(Part::Key, &Format::Avro(NEW.into()), &pushed, &all(&[6, 2, b'a']));
    check(Part::Key, &Format::AvroAsJson(NEW.into()), &pushed, &all(br#"{"n":3,"of":"a"}"#));
}

#[test]
fn json_is_what_stands_there_or_is_made_of_framed_avro_and_bytes_are_let_be() {
    let pushed: [Option<&[u8]>; 4] = [Some(&framed(1)), Some(b"\"k\""), None, Some(&framed(9))];
    let json = [Ok(Some(&br#"{"n":3}"#[..])), Ok(Some(b"\"k\"")), Ok(None), Err("schema id 9")];
    check(Part::Key, &Format::Json, &pushed, &json);
    check(Part::Key, &Format::Bytes, &pushed, &pushed.map(Ok));
}

#[test]
fn a_value_is_called_a_value_and_a_schema_that_is_none_names_what_it_is_of() {
    check(Part::Value, &Format::Avro(NEW.into()), &[Some(&framed(1)[..5])], &[Err("value with schema id 1")]);
    let registry = || Registry::new(Config::new("http://127.0.0.1:1"));
    for (part, what) in [(Part::Key, "the schema of its keys is not Avro"), (Part::Value, "the input schema is not")] {
        let stop = Resolver::new(part, &Format::Avro("{".into()), registry(), "p").err().unwrap();
        assert!(stop.what.contains(what), "{stop}");
    }
}

#[test]
fn schema_id_0_is_rejected_by_a_registry_that_is_away_and_other_ids_wait_for_it() {
    let away = Registry::new(Config { deadline: std::time::Duration::ZERO, ..Config::new("http://127.0.0.1:1") });
    for format in [Format::Avro(NEW.into()), Format::AvroAsJson(NEW.into()), Format::Json] {
        let mut resolver = Resolver::new(Part::Value, &format, away.clone(), "p").unwrap();
        let mut column = Column { data: Vec::new(), lengths: Vec::new() };
        let reason = resolver.push(Some(&framed(0)), &mut column).unwrap_err().unwrap();
        assert!(reason.contains("schema id 0 is no schema's"), "{reason}");
        assert!(resolver.learn(9).is_err(), "an id that only the registry can tell of");
    }
}

#[test]
fn thousands_of_unknown_ids_are_forgotten_and_known_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = server::start(([127, 0, 0, 1], 0).into(), dir.path()).unwrap();
    let registry = Registry::new(Config::new(&server.url()));
    assert_eq!(registry.register("t-key", OLD).unwrap(), 1);
    let mut resolver = Resolver::new(Part::Value, &Format::Avro(NEW.into()), registry, "p").unwrap();
    resolver.learn(1).unwrap();
    for id in 1000..1000 + REFUSED_MAX as u32 {
        resolver.learn(id).unwrap();
    }
    assert_eq!(resolver.refused.len(), REFUSED_MAX);
    for id in 10_000..12_000 {
        resolver.learn(id).unwrap();
    }
    assert_eq!(resolver.refused.len(), REFUSED_MAX);
    assert_eq!(resolver.refused.back().unwrap().0, 11_999);
    assert!(resolver.plans.len() == 1 && resolver.plans[0].0 == 1);
}
