//! What stands in a dead letter: the record as it was, and Kafka Connect's account of what went wrong.

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use sha2::{Digest, Sha256};
use smt_tests::host::run;
use smt_tests::{plugin, read_committed, world};
use std::time::Duration;

/// What a fault must be told as; the names and their order are those of Connect's `DeadLetterQueueReporter`.
struct Told {
    fault: &'static str,
    class: &'static str,
    message: String,
}

fn check(told: &Told) {
    let world = world();
    let topic = format!("letters-{}", told.fault);
    let (output, dead) = (format!("{topic}-out"), format!("{topic}-dead"));
    world.topic(&topic, 2);
    let producer: BaseProducer = world.settings().idempotent().create().unwrap();
    for (number, value) in ["fine", "FAULT", "fine too"].iter().enumerate() {
        let headers = OwnedHeaders::new().insert(Header { key: "trace", value: Some("a1") });
        let headers = headers.insert(Header { key: "empty", value: None::<&[u8]> });
        let record = BaseRecord::to(&topic).partition(1).key("k").payload(*value).headers(headers);
        producer.send(record.timestamp(world.begun_ms + number as i64)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
    let (file, fault) = (plugin("faults"), format!("fault={}", told.fault));
    let names = ["--plugin", file.to_str().unwrap(), "--input", &topic, "--output", &output, "--group", &topic];
    run(world, &[&names[..], &["--set", &fault, "--dead-letter-topic", &dead, "--until-end"]].concat());

    assert_eq!(read_committed(&output).len(), 2, "{topic}: the others");
    let [letter] = read_committed(&dead).try_into().unwrap();
    assert_eq!(letter.key.as_deref(), Some(b"k".as_slice()));
    assert_eq!(letter.value.as_deref(), Some(b"FAULT".as_slice()));
    assert_eq!(letter.timestamp_ms, Some(world.begun_ms + 1));
    let hash: String = Sha256::digest(std::fs::read(&file).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = [
        ("trace", "a1"),
        ("empty", ""),
        ("__connect.errors.topic", &topic),
        ("__connect.errors.partition", "1"),
        ("__connect.errors.offset", "1"),
        ("__connect.errors.connector.name", "faults"),
        ("__connect.errors.task.id", "0"),
        ("__connect.errors.stage", "TRANSFORMATION"),
        ("__connect.errors.class.name", told.class),
        ("__connect.errors.exception.class.name", told.class),
        ("__connect.errors.exception.message", &told.message),
        ("smt.plugin.name", "faults"),
        ("smt.plugin.version", "0.1.0"),
        ("smt.plugin.sha256", &hash),
    ];
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
    let headers: Vec<(String, String)> =
        letter.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers, expected, "{topic}");
}

#[test]
fn a_rejected_record_tells_the_plugins_reason_cut_to_what_a_broker_takes() {
    check(&Told { fault: "reject", class: "smt_host.Rejected", message: "x".repeat(4096) });
}

#[test]
fn an_output_that_is_not_of_its_schema_names_the_topic_and_what_is_wrong() {
    let what = "the plugin's output for topic letters-bad-schema-out is not of the schema that it declared: ";
    check(&Told {
        fault: "bad-schema",
        class: "smt_host.PluginBrokeContract",
        message: format!("{what}50 bytes are due and 2 are left, at byte 1"),
    });
}

#[test]
fn a_trap_tells_where_the_plugin_was() {
    let world = world();
    world.topic("letters-trap", 1);
    smt_tests::produce("letters-trap", 0, &[Some(b"FAULT".to_vec())]);
    let file = plugin("faults");
    let names = ["--plugin", file.to_str().unwrap(), "--input", "letters-trap", "--group", "letters-trap"];
    run(
        world,
        &[&names[..], &["--set", "fault=trap", "--dead-letter-topic", "letters-trap-dead", "--until-end"]].concat(),
    );
    let [letter] = read_committed("letters-trap-dead").try_into().unwrap();
    assert_eq!(letter.header("__connect.errors.exception.class.name"), Some("smt_host.PluginTrapped"));
    let message = letter.header("__connect.errors.exception.message").unwrap();
    assert!(message.contains("this plugin was told to trap") && message.contains("fault.rs"), "{message}");
    let trace = letter.header("__connect.errors.exception.stacktrace").unwrap();
    assert!(trace.contains("faults"), "{trace}");
}
