//! The look-around commands as a user runs them, on fixed topics: what they show, and how they end.
#![allow(clippy::unwrap_used)]

mod mistakes;
mod print;
mod select;
mod status;
mod topics;

use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use smt_tests::customers::{CUSTOMERS, customer};
use smt_tests::host::binary;
use smt_tests::world;

/// 2021-04-12 23:26:03.655 UTC
const TIME: i64 = 1_618_269_963_655;
const WINDOW: i64 = 1_618_269_960_000;

/// A command on this world, by the directory that its addresses stand in.
fn command(args: &[&str]) -> Command {
    static DIR: LazyLock<String> = LazyLock::new(|| {
        let (dir, world) = (world().dir.path(), world());
        let endpoints = serde_json::json!({ "kafka": world.kafka.brokers(), "registry": world.registry_server.url(), "connect": null });
        std::fs::write(dir.join("endpoints.json"), endpoints.to_string()).unwrap();
        dir.display().to_string()
    });
    let mut command = binary();
    command.args(args).args(["--dir", &DIR]);
    command
}

fn output(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// What it prints, if it ends well.
fn seen(args: &[&str]) -> String {
    let output = output(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A topic that keeps records however old they are.
fn topic(name: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = world().settings().client("tests").create().unwrap();
    let new = NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap()[0].as_ref().unwrap();
}

/// Key and value.
type Record<'a> = (Option<&'a [u8]>, Option<Vec<u8>>);

/// Writes records a second apart, each with one header.
fn write(topic: &str, partition: i32, records: &[Record<'_>]) {
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for (i, (key, value)) in records.iter().enumerate() {
        let headers = OwnedHeaders::new().insert(Header { key: "from", value: Some("test") });
        let mut record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(topic).partition(partition).timestamp(TIME + 1000 * i as i64).headers(headers);
        (record.key, record.payload) = (*key, value.as_deref());
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

/// The workshop's customers, made once: three in one partition, one and a tombstone in the other.
fn customers() -> &'static str {
    static MADE: LazyLock<()> = LazyLock::new(|| {
        topic("look-customers", 2);
        let id = world().registry().register("look-customers-value", CUSTOMERS).unwrap();
        let one = |name: &str, born: Option<i32>| (None, customer(CUSTOMERS, id, name, born));
        write("look-customers", 0, &[one("Ana São João", Some(10_957)), one("Bo", Some(10_956)), one("Eva", None)]);
        write("look-customers", 1, &[one("Zé", Some(13_272)), (None, None)]);
    });
    LazyLock::force(&MADE);
    "look-customers"
}
