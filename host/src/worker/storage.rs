//! The config and the status topic: read from their beginning on and on into one `State`, and written to.
//!
//! A write returns once this worker has read it back, so whoever asks next sees it. Nothing is kept elsewhere.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientConfig, ClientContext};

use super::records::{Record, Written};
use super::state::State;
use super::topics::Topics;
use crate::exit::Stop;
use crate::kafka::topics;
use crate::kafka::{From, Settings};
use crate::shutdown::Shutdown;

/// How long a request waits for Kafka.
const PATIENCE: Duration = Duration::from_secs(10);
/// The whole of both topics, at start.
const FIRST_READ_MAX: Duration = Duration::from_secs(60);
/// Connect's own text.
const TIMED_OUT: &str = "Request timed out";
const POLL: Duration = Duration::from_millis(100);

pub(super) struct Storage {
    topics: Topics,
    producer: BaseProducer<Deliveries>,
    shared: Arc<Shared>,
    readers: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    view: Mutex<View>,
    changed: Condvar,
}

#[derive(Default)]
struct View {
    state: State,
    /// Counts records.
    version: u64,
    /// The next offset of each partition of each topic.
    next: HashMap<(String, i32), i64>,
    ended: BTreeSet<(String, i32)>,
}

/// What became of the records of one write.
#[derive(Default)]
struct Delivered {
    count: usize,
    /// The newest offset of each partition.
    last: HashMap<(String, i32), i64>,
    failed: Option<KafkaError>,
}

struct Deliveries;

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Arc<Mutex<Delivered>>;

    fn delivery(&self, result: &DeliveryResult<'_>, write: Arc<Mutex<Delivered>>) {
        let mut write = write.lock().unwrap_or_else(PoisonError::into_inner);
        write.count += 1;
        match result {
            Ok(message) => {
                write.last.insert((message.topic().to_owned(), message.partition()), message.offset());
            }
            Err((error, _)) => drop(write.failed.get_or_insert_with(|| error.clone())),
        }
    }
}

impl Storage {
    /// Returns once everything that is there was read.
    pub(super) fn open(kafka: &Settings, topics: Topics, shutdown: &Shutdown) -> Result<Storage, Stop> {
        topics.ensure(kafka)?;
        let producer = producer(kafka).create_with_context(Deliveries);
        let producer = producer.map_err(|error| topics::bad_client(&error))?;
        let readers = [Reader::open(kafka, &topics.configs)?, Reader::open(kafka, &topics.statuses)?];
        let partitions: usize = readers.iter().map(|reader| reader.partitions).sum();
        let shared = Arc::new(Shared { view: Mutex::default(), changed: Condvar::new() });
        let started = readers.into_iter().map(|reader| reader.start(shared.clone(), shutdown.clone()));
        let readers = Mutex::new(started.collect::<Result<_, _>>()?);
        let storage = Storage { topics, producer, shared, readers };
        if storage.wait(FIRST_READ_MAX, |view| view.ended.len() >= partitions) {
            return Ok(storage);
        }
        shutdown.request();
        storage.join();
        Err(Stop::dependency("the worker's topics could not be read to their ends")
            .hint("check that this client may read them, and that their partitions have leaders"))
    }

    /// Looks at what is known now.
    pub(super) fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.view().state)
    }

    /// Grows with every record.
    pub(super) fn version(&self) -> u64 {
        self.view().version
    }

    /// Waits until what is known satisfies a condition. False: it did not in time.
    pub(super) fn wait_for(&self, wait: Duration, condition: impl Fn(&State) -> bool) -> bool {
        self.wait(wait, |view| condition(&view.state))
    }

    /// Writes records, in order, and waits until they were read back.
    pub(super) fn write(&self, records: &[Record]) -> Result<(), Stop> {
        let delivered = self.deliver(records)?;
        let read = |view: &View| delivered.iter().all(|(at, last)| view.next.get(at).is_some_and(|next| next > last));
        if self.wait(PATIENCE, read) {
            return Ok(());
        }
        tracing::warn!("what was written to the worker's topics could not be read back");
        Err(Stop::dependency(TIMED_OUT))
    }

    /// How far each partition reaches with them.
    fn deliver(&self, records: &[Record]) -> Result<HashMap<(String, i32), i64>, Stop> {
        let (write, end) = (Arc::<Mutex<Delivered>>::default(), Instant::now() + PATIENCE);
        for record in records {
            self.send(record, &write)?;
        }
        loop {
            // The client's own wait for all looks only every 100 ms.
            self.producer.poll(Duration::from_millis(1));
            let mut write = write.lock().unwrap_or_else(PoisonError::into_inner);
            match write.failed.take() {
                Some(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)) => {
                    return Err(Stop::dependency(TIMED_OUT));
                }
                Some(error) => {
                    return Err(Stop::dependency(format!("Kafka did not take a record: {}", topics::reason(&error))));
                }
                None if write.count == records.len() => return Ok(std::mem::take(&mut write.last)),
                None if Instant::now() > end => return Err(Stop::dependency(TIMED_OUT)),
                None => {}
            }
        }
    }

    fn send(&self, record: &Record, write: &Arc<Mutex<Delivered>>) -> Result<(), Stop> {
        let topic = match record {
            Record::ConnectorStatus(..) | Record::TaskStatus(..) | Record::Topic(..) => &self.topics.statuses,
            _ => &self.topics.configs,
        };
        let Written { key, value } = record.written();
        let mut to_send = BaseRecord::<'_, [u8], [u8], _>::with_opaque_to(topic, write.clone()).key(key.as_bytes());
        to_send.payload = value.as_deref().map(str::as_bytes);
        let sent = self.producer.send(to_send);
        sent.map_err(|(error, _)| Stop::dependency(format!("a record cannot be sent: {}", topics::reason(&error))))
    }

    fn wait(&self, wait: Duration, condition: impl Fn(&View) -> bool) -> bool {
        let end = Instant::now() + wait;
        let mut view = self.view();
        while !condition(&view) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            view = self.shared.changed.wait_timeout(view, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// After its shutdown was requested.
    pub(super) fn join(&self) {
        let readers = std::mem::take(&mut *self.readers.lock().unwrap_or_else(PoisonError::into_inner));
        readers.into_iter().for_each(|thread| drop(thread.join()));
    }

    fn view(&self) -> MutexGuard<'_, View> {
        lock(&self.shared)
    }
}

/// Records are applied whole, so a panic elsewhere leaves them whole.
fn lock(shared: &Shared) -> MutexGuard<'_, View> {
    shared.view.lock().unwrap_or_else(PoisonError::into_inner)
}

fn producer(kafka: &Settings) -> ClientConfig {
    let mut config = kafka.client("connect");
    config.set("enable.idempotence", "true").set("linger.ms", "0");
    // Known to have failed before anybody stops waiting.
    config.set("message.timeout.ms", "8000");
    // Java's partitioner, so that a key has one partition whoever writes it.
    config.set("partitioner", "murmur2_random");
    config
}

/// Reads one topic on a thread of its own: an end of partition names no topic.
struct Reader {
    topic: String,
    consumer: BaseConsumer,
    partitions: usize,
}

impl Reader {
    /// Every partition, from the beginning.
    fn open(kafka: &Settings, topic: &str) -> Result<Reader, Stop> {
        // A group id is needed to read at all; nothing is ever committed under it.
        let mut config = kafka.consumer("smt-host-connect-storage", From::Earliest);
        // What a worker of Kafka's writes in transactions is left out until it is committed.
        config.set("isolation.level", "read_committed").set("fetch.wait.max.ms", "500");
        let consumer: BaseConsumer = config.create().map_err(|error| topics::bad_client(&error))?;
        let mut list = TopicPartitionList::new();
        for partition in 0..Topics::partitions(kafka, topic)? {
            let added = list.add_partition_offset(topic, partition, Offset::Beginning);
            added.map_err(|error| topics::away(kafka, &error))?;
        }
        consumer.assign(&list).map_err(|error| topics::away(kafka, &error))?;
        Ok(Reader { topic: topic.to_owned(), consumer, partitions: list.count() })
    }

    fn start(self, shared: Arc<Shared>, shutdown: Shutdown) -> Result<JoinHandle<()>, Stop> {
        std::thread::Builder::new()
            .name("connect-storage".into())
            .spawn(move || self.run(&shared, &shutdown))
            .map_err(|error| Stop::start(format!("no thread for the worker's topics: {error}")))
    }

    fn run(&self, shared: &Shared, shutdown: &Shutdown) {
        while !shutdown.is_requested() {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => take(shared, &message),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    lock(shared).ended.insert((self.topic.clone(), partition));
                    shared.changed.notify_all();
                }
                // librdkafka connects again by itself; requests say meanwhile that they timed out.
                Some(Err(error)) => tracing::debug!(topic = self.topic, "reading: {}", topics::reason(&error)),
                None => {}
            }
        }
    }
}

fn take(shared: &Shared, message: &BorrowedMessage<'_>) {
    let key = message.key().and_then(|key| std::str::from_utf8(key).ok());
    let record = key.and_then(|key| Record::read(key, message.payload()));
    let mut view = lock(shared);
    if let Some(record) = record {
        view.state.apply(message.offset(), record);
    }
    view.version += 1;
    view.next.insert((message.topic().to_owned(), message.partition()), message.offset() + 1);
    shared.changed.notify_all();
}
