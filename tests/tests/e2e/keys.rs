//! Keys in each format that a plugin may ask for: what it is given, what goes out, and what becomes of a bad one.

use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use smt_host::registry::wire;
use smt_tests::host::run;
use smt_tests::{plugin, read_committed, world};

/// What the keys were written with. The plugin asks for `n` as a long, and for `of`, by default "a".
const WRITTEN: &str = r#"{"type":"record","name":"Id","fields":[{"name":"n","type":"int"}]}"#;

/// Key and value of each record that comes out; a key is behind the frame if the format has one.
fn check(format: &str, bad: &[u8], three: &[u8], out: &[u8]) {
    let world = world();
    let topic = format!("keys-{format}");
    let (output, dead) = (format!("{topic}-out"), format!("{topic}-dead"));
    world.topic(&topic, 1);
    let mut key = Vec::new();
    wire::frame(world.registry().register(&format!("{topic}-key"), WRITTEN).unwrap(), &mut key);
    key.push(6);
    let producer: BaseProducer = world.settings().idempotent().create().unwrap();
    for key in [Some(&key[..]), Some(bad), None, Some(&key)] {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&topic).payload(b"v".as_slice());
        record.key = key;
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
    let (file, format) = (plugin("keyed"), format!("format={format}"));
    let names = ["--plugin", file.to_str().unwrap(), "--input", &topic, "--output", &output, "--group", &topic];
    run(world, &[&names[..], &["--set", &format, "--dead-letter-topic", &dead, "--until-end"]].concat());

    let mut expected = Vec::new();
    if let Some((id, _, _)) = world.registry().latest(&format!("{output}-key")).unwrap() {
        wire::frame(id, &mut expected);
    }
    expected.extend_from_slice(out);
    let (whole, null) = ((Some(expected), Some(three.to_vec())), (None, None));
    let seen: Vec<_> = read_committed(&output).into_iter().map(|seen| (seen.key, seen.value)).collect();
    assert_eq!(seen, [whole.clone(), null, whole], "{topic}");
    let [letter] = read_committed(&dead).try_into().unwrap();
    assert_eq!((letter.key.as_deref(), letter.value.as_deref()), (Some(bad), Some(b"v".as_slice())));
    assert_eq!(letter.header("__connect.errors.stage"), Some("KEY_CONVERTER"));
}

#[test]
fn avro_keys_come_in_the_plugins_layout_and_go_out_behind_the_frame_of_the_key_subject() {
    check("avro", b"bare", &[6, 2, b'a'], &[6, 2, b'a']);
}

#[test]
fn avro_keys_come_and_go_as_json() {
    check("avro-as-json", b"\0\0\0\0\xff?", br#"{"n":3,"of":"a"}"#, &[6, 2, b'a']);
}

#[test]
fn json_keys_are_json_whatever_they_were_written_with() {
    check("json", b"\0\0\0\0\xff?", br#"{"n":3}"#, br#"{"n":3}"#);
}
