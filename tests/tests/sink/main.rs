//! The S3 sink as a user starts it, between a real Kafka and the embedded S3.
#![allow(clippy::unwrap_used, deprecated)]

mod outages;
mod records;
mod stores;
mod tails;
mod workshop;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use apache_avro::types::Value;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use rustix::process::Signal;
use smt_host::platform::dir::Directory;
use smt_host::platform::s3::{Fault, S3};
use smt_host::registry::wire;
use smt_tests::customers::{self, CUSTOMERS};
use smt_tests::host::{Running, binary};
use smt_tests::load::{Load, members};
use smt_tests::s3::{Stored, client, keys_of, objects};
use smt_tests::{eventually, produce, read_committed, world};

const SOON: Duration = Duration::from_secs(60);
const BUCKET: &str = "workshop";

/// An S3 of a test's own; its files go with it.
struct Bucket {
    s3: S3,
    _dir: Directory,
}

impl Bucket {
    fn new() -> Bucket {
        let dir = Directory::open(None).unwrap();
        Bucket { s3: S3::start(dir.path(), BUCKET).unwrap(), _dir: dir }
    }

    fn keys(&self) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(keys_of(&client(&self.s3), BUCKET))
    }

    /// Waits until there are so many objects, and gives them.
    fn arrived(&self, count: usize) -> Vec<Stored> {
        eventually("objects", SOON, || self.keys().len() >= count);
        objects(&self.s3)
    }
}

/// `smt-host sink` of a connector file of the project, with keys set.
fn command(file: &str, s3: &S3, keys: &[(&str, &str)]) -> Command {
    let mut command = binary();
    let file = format!("{}/../connectors/sink/{file}", env!("CARGO_MANIFEST_DIR"));
    command.args(["sink", &file, "--brokers", &world().kafka.brokers()]);
    command.args(["--registry", &world().registry_server.url()]);
    // So that the group soon notices a member that was killed.
    command.args(["-X", "session.timeout.ms=1000", "-X", "heartbeat.interval.ms=200"]);
    let address = s3.endpoint();
    let common = [
        ("s3.bucket.name", s3.bucket()),
        ("s3.region", s3.region()),
        ("store.url", address.as_str()),
        ("retry.backoff.ms", "100"),
        ("s3.retry.backoff.ms", "10"),
    ];
    for (key, value) in common.iter().chain(keys) {
        command.args(["--set", &format!("{key}={value}")]);
    }
    command.env("AWS_ACCESS_KEY_ID", s3.access_key_id()).env("AWS_SECRET_ACCESS_KEY", s3.secret_access_key());
    command
}

const CUSTOMERS_SINK: &str = "connect_s3_sink.config";
const YOUNG_SINK: &str = "connect_s3_sink_jovens.config";
const COUNT_SINK: &str = "connect_s3_sink_count.config";

/// Asks it to stop, as a service manager does.
fn stop(mut sink: Running) {
    sink.signal(Signal::TERM);
    assert_eq!(sink.code_within(Duration::from_secs(10)), Some(0));
}

/// What the connector's group has committed of a topic's first partitions.
fn committed(connector: &str, topic: &str, partitions: i32) -> Vec<Option<i64>> {
    let answer = group_offsets(connector, topic, partitions);
    answer.elements().iter().map(|element| element.offset().to_raw().filter(|offset| *offset >= 0)).collect()
}

/// The same with metadata. The first to ask may find no coordinator yet.
fn group_offsets(connector: &str, topic: &str, partitions: i32) -> TopicPartitionList {
    let group = format!("connect-{connector}");
    let consumer: BaseConsumer = world().settings().client("tests").set("group.id", &group).create().unwrap();
    let mut asked = TopicPartitionList::new();
    for partition in 0..partitions {
        asked.add_partition(topic, partition);
    }
    let mut answer = None;
    eventually("the group's offsets", SOON, || {
        answer = consumer.committed_offsets(asked.clone(), Duration::from_secs(10)).ok();
        answer.is_some()
    });
    answer.unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn lines(file: &str) -> Vec<serde_json::Value> {
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn register(topic: &str, schema: &str) -> u32 {
    world().registry().register(&format!("{topic}-value"), schema).unwrap()
}

fn tags(first: i64, last: i64, records: i64) -> BTreeMap<String, String> {
    let tags = [("startOffset", first), ("endOffset", last), ("recordCount", records)];
    tags.into_iter().map(|(name, number)| (name.to_owned(), number.to_string())).collect()
}

/// A connector of texts as JSON, one a line.
fn texts<'a>(name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let converter = "org.apache.kafka.connect.storage.StringConverter";
    let mut keys = vec![("name", name), ("topics", name), ("value.converter", converter), ("flush.size", "10")];
    keys.extend(more);
    keys
}
