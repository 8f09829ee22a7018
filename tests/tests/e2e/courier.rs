//! All that a plugin can set of a record, by the SDK, through host and Kafka.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use smt_host::kafka::partition;
use smt_host::registry::wire;
use smt_tests::host::run;
use smt_tests::{Seen, plugin, read_committed, world};

const PARTITIONS: i32 = 2;
/// Where the input stands; of the keys below, one belongs elsewhere.
const PARTITION: i32 = 1;

/// Sends texts to the plugin and gives what came of them.
fn sent(topic: &str, texts: &[Option<&str>]) -> Vec<Seen> {
    let world = world();
    world.topic(topic, PARTITIONS);
    let producer: BaseProducer = world.settings().idempotent().create().unwrap();
    for text in texts {
        let headers = OwnedHeaders::new().insert(Header { key: "kept", value: Some("a") });
        let headers = headers.insert(Header { key: "replaced", value: Some("b") });
        let headers = headers.insert(Header { key: "removed", value: Some("c") });
        let mut record = BaseRecord::to(topic).partition(PARTITION).key("k").headers(headers);
        record.payload = text.map(str::as_bytes);
        producer.send(record.timestamp(world.begun_ms)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
    let (file, output, dead) = (plugin("courier"), format!("{topic}-out"), format!("{topic}-dead"));
    let numbered = format!("numbered={topic}-numbered");
    let names = ["--plugin", file.to_str().unwrap(), "--input", topic, "--output", &output, "--group", topic];
    run(world, &[&names[..], &["--output", &numbered, "--dead-letter-topic", &dead, "--until-end"]].concat());
    read_committed(&output)
}

/// Every record is that of its own command; the rest of it is the input's.
fn check(command: &str, change: impl FnOnce(&mut Seen)) {
    let topic = format!("courier-{}", command.split(['=', ' ']).next().unwrap());
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let mut expected = Seen {
        partition: PARTITION,
        offset: 1,
        timestamp_ms: Some(world().begun_ms),
        key: Some(b"k".to_vec()),
        value: Some(command.as_bytes().to_vec()),
        headers: vec![header("kept", "a"), header("replaced", "b"), header("removed", "c")],
    };
    let plain = Seen { value: Some(b"plain".to_vec()), ..expected.clone() };
    change(&mut expected);
    let seen = sent(&topic, &[Some(&format!("plain;{command};plain"))]);
    let position = |seen: &Seen| Seen { offset: 0, ..seen.clone() };
    let (changed, plains): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| seen.value != plain.value);
    assert_eq!(changed.into_iter().map(position).collect::<Vec<_>>(), [position(&expected)], "{command}");
    assert_eq!(plains.into_iter().map(position).collect::<Vec<_>>(), [position(&plain), position(&plain)], "{command}");
}

#[test]
fn a_new_key_chooses_the_partition_and_no_key_stays_in_the_inputs() {
    let elsewhere =
        (0..).map(|n| n.to_string()).find(|key| partition::of_key(key.as_bytes(), PARTITIONS) == 0).unwrap();
    check(&format!("key={elsewhere}"), |seen| {
        (seen.key, seen.partition) = (Some(elsewhere.clone().into_bytes()), 0);
    });
    check("no key", |seen| seen.key = None);
}

#[test]
fn an_avro_key_is_registered_and_stands_behind_the_frame_of_its_schema() {
    sent("courier-number", &[Some("number=1;plain;number=-3")]);
    let registry = world().registry();
    let (id, _, schema) = registry.latest("courier-number-numbered-key").unwrap().unwrap();
    assert!(schema.contains(r#""name":"Id""#), "{schema}");
    for (command, number) in [("number=1", 2), ("number=-3", 5)] {
        let mut key = Vec::new();
        wire::frame(id, &mut key);
        key.push(number);
        let all = read_committed("courier-number-numbered");
        let seen = all.iter().find(|seen| seen.value.as_deref() == Some(command.as_bytes())).unwrap();
        assert_eq!((seen.key.as_ref(), seen.partition), (Some(&key), partition::of_key(&key, PARTITIONS)));
    }
}

#[test]
fn a_timestamp_takes_the_place_of_the_inputs() {
    let later = world().begun_ms + 5000;
    check(&format!("timestamp={later}"), |seen| seen.timestamp_ms = Some(later));
}

#[test]
fn headers_are_added_replaced_and_removed() {
    check("headers", |seen| {
        seen.headers = vec![
            ("kept".to_owned(), b"a".to_vec()),
            ("added".to_owned(), b"1".to_vec()),
            ("replaced".to_owned(), vec![0xff]),
        ];
    });
}

#[test]
fn a_tombstone_goes_out_with_its_key_and_comes_in_where_it_is_asked_for() {
    let inside = (0..).map(|n| n.to_string()).find(|key| partition::of_key(key.as_bytes(), PARTITIONS) == 1).unwrap();
    check(&format!("tombstone={inside}"), |seen| (seen.key, seen.value) = (Some(inside.clone().into_bytes()), None));
    let [seen] = sent("courier-null", &[None]).try_into().unwrap();
    assert_eq!(seen.value.as_deref(), Some(b"a tombstone".as_slice()));
}

#[test]
fn a_record_rejected_midway_sends_nothing_and_costs_its_neighbours_nothing() {
    let seen = sent("courier-rejected", &[Some("plain"), Some("key=x;timestamp=soon"), Some("headers")]);
    let values: Vec<_> = seen.iter().map(|seen| String::from_utf8(seen.value.clone().unwrap()).unwrap()).collect();
    assert_eq!(values, ["plain", "headers"]);
    let [letter] = read_committed("courier-rejected-dead").try_into().unwrap();
    assert_eq!(letter.header("__connect.errors.exception.message"), Some("invalid digit found in string"));
}
