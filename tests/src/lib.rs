//! The harness of the end-to-end tests: one real Kafka and one registry for a test binary, and helpers in domain words.
//!
//! Nothing is mocked. Each test has its own topic and group names; a broker of its own only where it stops it.

pub mod customers;
pub mod host;
pub mod load;
pub mod s3;

pub mod simulation;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::kafka::topics::{self, Shape};
use smt_host::kafka::{From, Settings};
use smt_host::platform::dir::Directory;
use smt_host::platform::kafka::{Kafka, KafkaOptions};
use smt_host::registry::server::Server;
use smt_host::registry::{self, Registry, wire};

/// What every test of a binary shares.
pub struct World {
    pub kafka: Kafka,
    pub registry_server: Server,
    pub dir: Directory,
    /// The timestamp of a topic's first record. Not long past: the broker deletes what is older than its retention.
    pub begun_ms: i64,
}

static WORLD: LazyLock<Mutex<Option<&'static World>>> = LazyLock::new(|| Mutex::new(None));

/// The shared servers, started at first use. They end with the process: children never outlive it.
pub fn world() -> &'static World {
    let mut world = WORLD.lock().expect("no test panics while it starts the servers");
    world.get_or_insert_with(|| Box::leak(Box::new(World::start())))
}

impl World {
    /// Servers of a test's own.
    pub fn start() -> World {
        let dir = Directory::open(None).expect("a fresh directory");
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let registry_server = registry::server::start(listen, &dir.path().join("registry")).expect("the registry");
        // So that tests which kill members need not wait six seconds each time until the group notices.
        let properties = vec![("group.min.session.timeout.ms".to_owned(), "1000".to_owned())];
        let options = KafkaOptions { properties, ..KafkaOptions::default() };
        let kafka = Kafka::start(dir.path(), options).expect("Kafka starts (see `make setup`)");
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
        World { kafka, registry_server, dir, begun_ms: since.as_millis() as i64 }
    }

    pub fn settings(&self) -> Settings {
        Settings::new(self.kafka.brokers())
    }

    pub fn registry(&self) -> Registry {
        Registry::new(registry::Config::new(&self.registry_server.url()))
    }

    pub fn topic(&self, name: &str, partitions: i32) {
        topics::ensure(&self.settings(), name, Shape { partitions, replicas: 1 }).expect("the topic is made");
    }
}

/// A built plugin; a missing one fails with the command that makes it.
pub fn plugin(name: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../target/plugins/{name}.wasm"));
    assert!(file.is_file(), "{} is missing: run `make plugins`", file.display());
    file
}

/// The host as users run it.
pub fn release_host() -> PathBuf {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/smt-host");
    assert!(file.is_file(), "{} is missing: run `make build`", file.display());
    file
}

/// One record as a consumer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Seen {
    /// The Avro datum behind the frame.
    pub fn datum(&self) -> &[u8] {
        wire::unframe(self.value.as_deref().expect("a value")).expect("a framed value").1
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
}

/// Writes values to one partition, in order, and waits until all are there.
pub fn produce(topic: &str, partition: i32, values: &[Option<Vec<u8>>]) {
    let producer: BaseProducer = world().settings().idempotent().create().expect("a producer");
    for (i, value) in values.iter().enumerate() {
        let timestamp = world().begun_ms + i as i64;
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(partition).timestamp(timestamp);
        record.payload = value.as_deref();
        producer.send(record).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(Duration::from_secs(30)).expect("delivered");
}

/// Everything committed in a topic, partition after partition.
pub fn read_committed(topic: &str) -> Vec<Seen> {
    read_committed_of(&world().settings(), topic)
}

/// The same of any broker.
pub fn read_committed_of(settings: &Settings, topic: &str) -> Vec<Seen> {
    let Some(shape) = topics::shape(settings, topic).expect("the broker answers") else { return Vec::new() };
    let consumer: BaseConsumer = settings.consumer("smt-tests", From::Earliest).create().expect("a consumer");
    settle(settings, topic, shape.partitions);
    let mut partitions = TopicPartitionList::new();
    for partition in 0..shape.partitions {
        partitions.add_partition_offset(topic, partition, Offset::Beginning).expect("a partition");
    }
    consumer.assign(&partitions).expect("assigned");
    // One end may be told twice, before and after a transaction marker.
    let (mut seen, mut ended) = (Vec::new(), BTreeSet::new());
    let deadline = Instant::now() + Duration::from_secs(60);
    while ended.len() < shape.partitions as usize {
        assert!(Instant::now() < deadline, "{topic} could not be read to its end within 60 s");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => seen.push(Seen {
                partition: message.partition(),
                offset: message.offset(),
                timestamp_ms: message.timestamp().to_millis(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: message.headers().map_or_else(Vec::new, |headers| {
                    headers.iter().map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_vec())).collect()
                }),
            }),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => {}
        }
    }
    seen.sort_by_key(|seen| (seen.partition, seen.offset));
    let twice = seen.windows(2).find(|two| (two[0].partition, two[0].offset) == (two[1].partition, two[1].offset));
    assert!(twice.is_none(), "{topic}: the reader itself got one record twice: {:?}", twice.map(|two| two[0].offset));
    seen
}

/// Waits until no transaction is open in `topic`: a commit returns before its markers stand in every partition.
fn settle(settings: &Settings, topic: &str, partitions: i32) {
    eventually("the last transaction's marker", Duration::from_secs(60), || {
        let committed = ends(settings, topic, partitions, "read_committed");
        committed.is_some() && committed == ends(settings, topic, partitions, "read_uncommitted")
    });
}

/// Where each partition of a topic ends, markers included; `None` while the broker does not answer.
pub fn ends(settings: &Settings, topic: &str, partitions: i32, isolation: &str) -> Option<Vec<i64>> {
    let consumer: BaseConsumer =
        settings.client("tests").set("isolation.level", isolation).create().expect("a consumer");
    let end = |partition| consumer.fetch_watermarks(topic, partition, Duration::from_secs(5)).ok().map(|ends| ends.1);
    (0..partitions).map(end).collect()
}

/// Waits for a condition, with a deadline.
pub fn eventually(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {} s", limit.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}
