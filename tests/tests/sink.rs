//! The S3 sink as a user starts it, between a real Kafka and the embedded S3.
#![allow(clippy::unwrap_used, deprecated)]

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
    let group = format!("connect-{connector}");
    let consumer: BaseConsumer = world().settings().client("tests").set("group.id", &group).create().unwrap();
    let mut asked = TopicPartitionList::new();
    for partition in 0..partitions {
        asked.add_partition(topic, partition);
    }
    let answer = consumer.committed_offsets(asked, Duration::from_secs(10)).unwrap();
    answer.elements().iter().map(|element| element.offset().to_raw().filter(|offset| *offset >= 0)).collect()
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

#[test]
fn the_workshops_first_sink_writes_what_the_original_was_recorded_to_write_byte_for_byte() {
    let (topic, bucket) = ("postgres-customers", Bucket::new());
    world().topic(topic, 2);
    let id = register(topic, CUSTOMERS);
    let input = lines(include_str!("../data/s3-customers/input.jsonl"));
    let values = |partition: i64, from: i64| -> Vec<Option<Vec<u8>>> {
        let of = input.iter().filter(|r| r["partition"] == partition && r["offset"].as_i64().unwrap() >= from);
        let framed = of.map(|record| {
            let mut value = hex(record["value_hex"].as_str().unwrap());
            value[1..5].copy_from_slice(&id.to_be_bytes());
            Some(value)
        });
        framed.collect()
    };
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &[]));
    for partition in [0, 1] {
        produce(topic, partition, &values(partition.into(), 0)[..12]);
    }
    let recorded = lines(include_str!("../data/s3-customers/objects.jsonl"));
    eventually("offsets", SOON, || committed("customers-s3-sink", topic, 2) == [Some(12), Some(12)]);
    let mut recorded: Vec<Stored> = recorded
        .iter()
        .map(|object| Stored {
            key: object["key"].as_str().unwrap().to_owned(),
            bytes: object["body_text"].as_str().unwrap().as_bytes().to_vec(),
            tags: serde_json::from_value(object["tags"].clone()).unwrap(),
            content_type: object["content_type"].as_str().map(str::to_owned),
            encryption: object["sse"].as_str().map(str::to_owned),
        })
        .collect();
    recorded.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(objects(&bucket.s3), recorded);

    // B2.4: a tail never appears, and nothing of it is left at S3; after a restart it is read again.
    produce(topic, 0, &values(0, 0)[..1]);
    stop(sink);
    assert_eq!(bucket.keys().len(), recorded.len());
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &[]));
    produce(topic, 0, &values(0, 0)[1..2]);
    let key = "raw-data/kafka/postgres-customers/partition=0/postgres-customers+0+0000000012.json";
    eventually("the tail's object", SOON, || bucket.keys().iter().any(|found| found == key));
    eventually("offsets", SOON, || committed("customers-s3-sink", topic, 2) == [Some(14), Some(12)]);
    stop(sink);
}

#[test]
fn the_workshops_avro_sink_writes_ten_records_a_file_with_the_registrys_version() {
    let (topic, bucket) = ("jovens", Bucket::new());
    world().topic(topic, 2);
    let id = register(topic, CUSTOMERS);
    let values: Vec<_> = (0..25).map(|n| customers::customer(CUSTOMERS, id, &format!("n{n}"), Some(n))).collect();
    produce(topic, 0, &values[..9]);
    produce(topic, 1, &values);
    let sink = Running::start(&mut command(YOUNG_SINK, &bucket.s3, &[]));
    eventually("offsets", SOON, || committed("s3-jovens-sink", topic, 2) == [None, Some(20)]);
    stop(sink);
    let found = objects(&bucket.s3);
    let key = |offset: i64| format!("raw-data/kafka/jovens/partition=1/jovens+1+{offset:010}.avro");
    assert_eq!(bucket.keys(), [key(0), key(10)]);
    let seen = read_committed(topic);
    for (object, first) in found.iter().zip([0, 10]) {
        let reader = apache_avro::Reader::new(&object.bytes[..]).unwrap();
        assert!(String::from_utf8_lossy(&object.bytes).contains(r#""connect.version":1"#));
        let names: Vec<Value> = reader.map(|record| field(record.unwrap(), "nome")).collect();
        let wanted: Vec<Value> = (first..first + 10)
            .map(|offset| seen.iter().find(|seen| seen.partition == 1 && seen.offset == offset).unwrap())
            .map(|seen| customers::field(seen, "nome"))
            .collect();
        assert_eq!(names, wanted);
        assert_eq!(object.tags, tags(first, first + 9, 10));
        assert_eq!(object.encryption.as_deref(), Some("AES256"));
    }
}

fn field(record: Value, name: &str) -> Value {
    let Value::Record(fields) = record else { panic!("{record:?} is no record") };
    let found = fields.into_iter().find(|(field, _)| field == name).unwrap().1;
    if let Value::Union(_, inner) = found { *inner } else { found }
}

fn tags(first: i64, last: i64, records: i64) -> BTreeMap<String, String> {
    let tags = [("startOffset", first), ("endOffset", last), ("recordCount", records)];
    tags.into_iter().map(|(name, number)| (name.to_owned(), number.to_string())).collect()
}

#[test]
fn the_workshops_counting_sink_writes_keys_beside_values_and_tags_values_only() {
    let (topic, bucket) = ("idadecont", Bucket::new());
    world().topic(topic, 1);
    let schema =
        r#"{"type":"record","name":"Count","fields":[{"name":"CONTAGEM","type":["null","long"],"default":null}]}"#;
    let id = register(topic, schema);
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for n in 0..10_u8 {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        value.extend([2, n * 2]);
        // A windowed key: text, then the window's start in eight bytes, most of which are no text.
        let key = [b"JOVEM".as_slice(), &1_618_269_960_000_i64.to_be_bytes()].concat();
        producer.send(BaseRecord::to(topic).key(&key).payload(&value)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let sink = Running::start(&mut command(COUNT_SINK, &bucket.s3, &[]));
    eventually("offsets", SOON, || committed("s3-contagem-sink", topic, 1) == [Some(10)]);
    stop(sink);
    let found = objects(&bucket.s3);
    let key = |part: &str| format!("raw-data/kafka/idadecont/partition=0/idadecont+0+0000000000{part}.json");
    let keys: Vec<&str> = found.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, [key(""), key(".keys")]);
    let counts: String = (0..10).map(|n| format!("{{\"CONTAGEM\":{n}}}\n")).collect();
    assert_eq!(String::from_utf8(found[0].bytes.clone()).unwrap(), counts);
    let found_key = String::from_utf8(found[1].bytes.clone()).unwrap();
    let one = found_key.lines().next().unwrap();
    assert!(one.starts_with(r#""JOVEM\u0000\u0000\u0001x"#), "{one}");
    assert_eq!(found_key, format!("{one}\n").repeat(10));
    assert_eq!([&found[0].tags, &found[1].tags], [&tags(0, 9, 10), &BTreeMap::new()]);
}

/// A connector of texts as JSON, one a line.
fn texts<'a>(name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let converter = "org.apache.kafka.connect.storage.StringConverter";
    let mut keys = vec![("name", name), ("topics", name), ("value.converter", converter), ("flush.size", "10")];
    keys.extend(more);
    keys
}

/// All numbers that a load wrote are in the objects: once each, in order, each at its own offset.
fn check_all_numbers(bucket: &Bucket, topic: &str, written: usize, flush_size: usize) {
    let (seen, objects) = (read_committed(topic), objects(&bucket.s3));
    for partition in [0, 1] {
        let front = format!("raw-data/kafka/{topic}/partition={partition}/{topic}+{partition}+");
        let numbers: Vec<&[u8]> =
            seen.iter().filter(|seen| seen.partition == partition).map(|seen| seen.value.as_deref().unwrap()).collect();
        assert_eq!(numbers.len(), written);
        let mut found = 0;
        for object in objects.iter().filter(|object| object.key.starts_with(&front)) {
            let first: usize = object.key[front.len()..front.len() + 10].parse().unwrap();
            assert_eq!(first, found, "{}", object.key);
            let text: String = numbers[first..first + flush_size]
                .iter()
                .map(|number| format!("\"{}\"\n", std::str::from_utf8(number).unwrap()))
                .collect();
            assert_eq!(String::from_utf8_lossy(&object.bytes), text, "{}", object.key);
            let (first, last) = (first as i64, (first + flush_size - 1) as i64);
            assert_eq!(object.tags, tags(first, last, flush_size as i64), "{}", object.key);
            found += flush_size;
        }
        assert_eq!(found, written / flush_size * flush_size);
    }
}

/// Waits until every whole file of a load is there.
fn all_files(bucket: &Bucket, written: usize, flush_size: usize) {
    let wanted = 2 * (written / flush_size);
    eventually("all files", Duration::from_secs(120), || bucket.keys().len() >= wanted);
    assert_eq!(bucket.keys().len(), wanted);
}

#[test]
fn a_sink_killed_again_and_again_under_load_writes_each_record_into_exactly_one_object() {
    let (topic, bucket) = ("sink-killed", Bucket::new());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let load = Load::start(&world().settings(), topic, 2);
    for _ in 0..8 {
        let before = bucket.keys().len();
        let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
        eventually("objects", SOON, || bucket.keys().len() > before + 3);
        // Killed hard when dropped.
        drop(sink);
    }
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    let written = load.stop();
    all_files(&bucket, written, 200);
    stop(sink);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn whatever_s3_answers_for_a_while_costs_nothing() {
    let (topic, bucket) = ("sink-faults", Bucket::new());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let load = Load::start(&world().settings(), topic, 2);
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    let faults = bucket.s3.faults();
    let operations = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObjectTagging"];
    for fault in [Fault::SlowDown, Fault::InternalError, Fault::Reset, Fault::LoseReply] {
        // More than the client's own attempts.
        operations.iter().for_each(|operation| faults.next(operation, 6, fault));
        eventually("all faults are met", SOON, || faults.waiting() == 0);
        let before = bucket.keys().len();
        eventually("objects again", SOON, || bucket.keys().len() > before);
    }
    let written = load.stop();
    all_files(&bucket, written, 200);
    stop(sink);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn an_s3_that_goes_and_comes_back_under_load_costs_nothing() {
    let (topic, dir) = ("sink-away", Directory::open(None).unwrap());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let mut bucket = Bucket { s3: S3::start(dir.path(), BUCKET).unwrap(), _dir: Directory::open(None).unwrap() };
    let address = bucket.s3.endpoint();
    let load = Load::start(&world().settings(), topic, 2);
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    for _ in 0..2 {
        let before = bucket.keys().len();
        eventually("objects", SOON, || bucket.keys().len() > before + 3);
        drop(bucket);
        std::thread::sleep(Duration::from_secs(2));
        bucket = Bucket { s3: S3::start(dir.path(), BUCKET).unwrap(), _dir: Directory::open(None).unwrap() };
        assert_eq!(bucket.s3.endpoint(), address);
    }
    let written = load.stop();
    all_files(&bucket, written, 200);
    stop(sink);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn two_sinks_of_a_group_share_partitions_and_hand_over_in_mid_file() {
    let (topic, bucket) = ("sink-shared", Bucket::new());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let group = format!("connect-{topic}");
    let load = Load::start(&world().settings(), topic, 2);
    let start = || Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    let mut sinks = vec![start()];
    for _ in 0..3 {
        eventually("one member", SOON, || members(&world().settings(), &group) == 1);
        sinks.push(start());
        eventually("two members", SOON, || members(&world().settings(), &group) == 2);
        let before = bucket.keys().len();
        eventually("objects", SOON, || bucket.keys().len() > before + 3);
        stop(sinks.remove(0));
    }
    let written = load.stop();
    all_files(&bucket, written, 200);
    sinks.into_iter().for_each(stop);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn a_large_file_goes_in_parts_within_its_memory_and_a_part_of_it_is_aborted_when_asked_to_stop() {
    let (topic, bucket) = ("sink-large", Bucket::new());
    world().topic(topic, 1);
    let line = |number: usize| format!("{number}{}", "x".repeat(8_000));
    let values: Vec<_> = (0..3000).map(|number| Some(line(number).into_bytes())).collect();
    let least = [("s3.part.size", "5242880"), ("smt.buffer.max.bytes", "5242880"), ("flush.size", "2000")];
    produce(topic, 0, &values);
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &texts(topic, &least)));
    let found = bucket.arrived(1);
    let text: String = (0..2000).map(|number| format!("\"{}\"\n", line(number))).collect();
    assert!(found[0].bytes == text.as_bytes(), "{} bytes", found[0].bytes.len());
    // The rest fills one part: it is there, and goes when the sink goes.
    let parts = || bucket.s3.faults().requests("UploadPart");
    eventually("a part of the tail", SOON, || parts() == 5);
    assert_eq!(bucket.s3.faults().requests("AbortMultipartUpload"), 0);
    stop(sink);
    assert_eq!(bucket.s3.faults().requests("AbortMultipartUpload"), 1);
    assert_eq!(bucket.keys().len(), 1);
}

#[test]
fn b2_3_and_b4_7_a_clock_closes_a_tail_and_an_object_that_is_there_is_read_past() {
    let (topic, bucket) = ("sink-clock", Bucket::new());
    world().topic(topic, 1);
    let clock = [("rotate.schedule.interval.ms", "500"), ("timezone", "UTC"), ("flush.size", "1000")];
    let numbers = |from: i32, to: i32| (from..to).map(|n| Some(n.to_string().into_bytes())).collect::<Vec<_>>();
    let start = |name| {
        let keys = [&texts(topic, &clock)[..], &[("name", name)]].concat();
        Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys))
    };
    produce(topic, 0, &numbers(0, 3));
    let sink = start("sink-clock-one");
    eventually("offsets", SOON, || committed("sink-clock-one", topic, 1) == [Some(3)]);
    stop(sink);
    let before = objects(&bucket.s3);
    // Another group knows nothing of it, reads more, and finds the name taken.
    produce(topic, 0, &numbers(3, 5));
    let sink = start("sink-clock-other");
    eventually("offsets", SOON, || committed("sink-clock-other", topic, 1) == [Some(5)]);
    stop(sink);
    let after = objects(&bucket.s3);
    assert_eq!(after[0], before[0]);
    assert_eq!((after.len(), &after[1].tags), (2, &tags(3, 4, 2)));
    assert_eq!(after[1].bytes, b"\"3\"\n\"4\"\n");
}

#[test]
fn what_cannot_be_written_stops_the_sink_or_becomes_a_dead_letter() {
    let (topic, bucket) = ("sink-bad", Bucket::new());
    world().topic(topic, 1);
    let id = register(topic, CUSTOMERS);
    let good = |name: &str| customers::customer(CUSTOMERS, id, name, Some(1));
    produce(topic, 0, &[good("a"), Some(b"not framed".to_vec()), good("b")]);
    let keys = [("name", topic), ("topics", topic), ("flush.size", "2")];
    let output = command(CUSTOMERS_SINK, &bucket.s3, &keys).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(text.contains("record sink-bad-0 offset 1"), "{text}");
    let tolerant = [
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "sink-bad-letters"),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ];
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &[&keys[..], &tolerant].concat()));
    eventually("offsets", SOON, || committed(topic, topic, 1) == [Some(3)]);
    stop(sink);
    let found = objects(&bucket.s3);
    assert_eq!(found[0].tags, tags(0, 2, 2));
    assert_eq!(found[0].bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
    let letters = read_committed("sink-bad-letters");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].value.as_deref(), Some(&b"not framed"[..]));
    assert_eq!(letters[0].header("__connect.errors.offset"), Some("1"));
    assert_eq!(letters[0].header("__connect.errors.stage"), Some("VALUE_CONVERTER"));
}

#[test]
fn null_values_stop_the_sink_are_left_out_or_are_written_as_their_keys() {
    let (topic, bucket) = ("sink-nulls", Bucket::new());
    world().topic(topic, 1);
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for value in [Some("a"), None, Some("b")] {
        let mut record = BaseRecord::to(topic).key("k");
        record.payload = value;
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let output = command(CUSTOMERS_SINK, &bucket.s3, &texts(topic, &[("flush.size", "2")])).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(text.contains("behavior.on.null.values is fail"), "{text}");
    let check = |name: &str, more: &[(&str, &str)], wanted: &[(&str, &str)]| {
        let mut keys = texts(topic, more);
        keys.extend([("name", name), ("topics.dir", name)]);
        let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
        eventually("offsets", SOON, || committed(name, topic, 1) == [Some(3)]);
        stop(sink);
        let found: Vec<(String, String)> = objects(&bucket.s3)
            .into_iter()
            .filter(|object| object.key.starts_with(&format!("{name}/")))
            .map(|object| (object.key[name.len() + 1..].to_owned(), String::from_utf8(object.bytes).unwrap()))
            .collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        assert_eq!(found, wanted);
    };
    let value = "sink-nulls/partition=0/sink-nulls+0+0000000000.json";
    check("nulls-ignored", &[("flush.size", "2"), ("behavior.on.null.values", "ignore")], &[(value, "\"a\"\n\"b\"\n")]);
    let written = [("flush.size", "3"), ("behavior.on.null.values", "write"), ("store.kafka.keys", "true")];
    let wanted = [
        (value, "\"a\"\n\"b\"\n"),
        ("sink-nulls/partition=0/sink-nulls+0+0000000000.keys.json", "\"k\"\n\"k\"\n"),
        ("sink-nulls/tombstone/sink-nulls+0+0000000001.keys.json", "\"k\"\n"),
    ];
    check("nulls-written", &written, &wanted);
}

#[test]
fn a_mistake_says_what_and_what_instead() {
    let bucket = Bucket::new();
    let check = |keys: &[(&str, &str)], code: i32, wanted: &str| {
        let output = command(CUSTOMERS_SINK, &bucket.s3, keys).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(wanted), "{wanted:?} is not in: {text}");
        assert!(!text.contains(bucket.s3.secret_access_key()), "the secret is in: {text}");
    };
    check(&[("flush.siz", "2")], 2, "did you mean \"flush.size\"?");
    check(&[("s3.bucket.name", "absent")], 3, "bucket absent at http://127.0.0.1:");
    let wrong = [("aws.access.key.id", "AKIAWRONG"), ("aws.secret.access.key", "wrong")];
    check(&wrong, 3, "AWS_ACCESS_KEY_ID");
    let mut nobody = command(CUSTOMERS_SINK, &bucket.s3, &[]);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("HOME", "/nonexistent");
    let output = nobody.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("AWS_ACCESS_KEY_ID"), "{text}");
}

#[test]
fn b3_another_version_in_mid_file_is_projected_or_begins_a_file_as_the_compatibility_says() {
    let topic = "sink-versions";
    world().topic(topic, 1);
    let schema =
        |more: &str| format!(r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":"long"}}{more}]}}"#);
    let old = register(topic, &schema(""));
    let new = register(topic, &schema(r#",{"name":"b","type":["null","long"],"default":null}"#));
    let framed = |id: u32, datum: &[u8]| {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        value.extend(datum);
        Some(value)
    };
    // Three of the old version would fill a file: the second is of the new one.
    produce(topic, 0, &[framed(old, &[2]), framed(new, &[4, 2, 14]), framed(old, &[6]), framed(new, &[8, 0])]);
    let check = |compatibility: &str, wanted: &[(i64, &str)]| {
        let (name, bucket) = (format!("versions-{compatibility}"), Bucket::new());
        let keys =
            [("name", name.as_str()), ("topics", topic), ("flush.size", "2"), ("schema.compatibility", compatibility)];
        let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
        bucket.arrived(wanted.len());
        stop(sink);
        let text =
            |object: Stored| (object.tags["startOffset"].parse().unwrap(), String::from_utf8(object.bytes).unwrap());
        let found: Vec<(i64, String)> = objects(&bucket.s3).into_iter().map(text).collect();
        let found: Vec<(i64, &str)> = found.iter().map(|(offset, text)| (*offset, text.as_str())).collect();
        assert_eq!(found, wanted, "{compatibility}");
    };
    let (one, three) = ("{\"a\":1}\n", "{\"a\":3}\n");
    check("NONE", &[(0, one), (1, "{\"a\":2,\"b\":7}\n"), (2, three)]);
    let backward = [(0, one), (1, "{\"a\":2,\"b\":7}\n{\"a\":3,\"b\":null}\n")];
    check("BACKWARD", &backward);
    check("FULL", &backward);
    check("FORWARD", &[(0, "{\"a\":1}\n{\"a\":2}\n"), (2, "{\"a\":3}\n{\"a\":4}\n")]);
}

#[test]
fn b1_4_headers_stand_beside_values_and_gzip_is_undone_by_any_reader() {
    let (topic, bucket) = ("sink-headers", Bucket::new());
    world().topic(topic, 1);
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for value in ["a", "b"] {
        let headers = OwnedHeaders::new().insert(Header { key: "from", value: Some("test") });
        let record: BaseRecord<'_, str, str> = BaseRecord::to(topic).payload(value).headers(headers);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let more = [
        ("flush.size", "2"),
        ("store.kafka.headers", "true"),
        ("headers.format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("s3.compression.type", "gzip"),
    ];
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &texts(topic, &more)));
    bucket.arrived(2);
    stop(sink);
    let unzipped = |object: Stored| {
        let mut child = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&object.bytes).unwrap();
        (object.key, String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
    };
    let key = |part: &str| format!("raw-data/kafka/sink-headers/partition=0/sink-headers+0+0000000000{part}.json.gz");
    let headers = "{\"headers\":[{\"key\":\"from\",\"value\":\"test\"}]}\n".repeat(2);
    let found: Vec<_> = objects(&bucket.s3).into_iter().map(unzipped).collect();
    assert_eq!(found, [(key(".headers"), headers), (key(""), "\"a\"\n\"b\"\n".to_owned())]);
}

#[test]
fn a_configuration_file_may_run_sinks_alone() {
    let (topic, bucket) = ("sink-configured", Bucket::new());
    world().topic(topic, 1);
    produce(topic, 0, &[Some(b"a".to_vec()), Some(b"b".to_vec())]);
    let connector = format!("{}/../connectors/sink/{CUSTOMERS_SINK}", env!("CARGO_MANIFEST_DIR"));
    let (address, texts) = (bucket.s3.endpoint(), texts(topic, &[("flush.size", "2")]));
    let common = [("s3.bucket.name", BUCKET), ("s3.region", bucket.s3.region()), ("store.url", address.as_str())];
    let set: BTreeMap<&str, &str> = common.into_iter().chain(texts).collect();
    let set: Vec<String> = set.iter().map(|(key, value)| format!("{key:?} = {value:?}")).collect();
    let file = world().dir.path().join("sinks.toml");
    std::fs::write(&file, format!("[[sink]]\nconfig = {connector:?}\nset = {{ {} }}\n", set.join(", "))).unwrap();
    let mut command = smt_tests::host::command(world(), &["run", "--config", file.to_str().unwrap()]);
    command.env("AWS_ACCESS_KEY_ID", bucket.s3.access_key_id());
    command.env("AWS_SECRET_ACCESS_KEY", bucket.s3.secret_access_key());
    let sink = Running::start(&mut command);
    assert_eq!(bucket.arrived(1)[0].bytes, b"\"a\"\n\"b\"\n");
    stop(sink);
}
