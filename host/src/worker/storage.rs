//! The config and the status topic: read from their beginning on and on into one `State`, and written to.
//!
//! A write returns once this worker has read it back, so whoever asks next sees it. Nothing is kept elsewhere.

/// What is wanted, changed by one worker at a time.
mod changes;
/// Records on their way.
mod write;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::records::Record;
use super::state::State;
use super::topics::Topics;
use crate::exit::Stop;
use crate::kafka::reading::Reading;
use crate::kafka::topics;
use crate::kafka::{From, Settings};
use crate::shutdown::Shutdown;
pub(super) use changes::Changes;
use write::{Producer, Undelivered};

/// How long a request waits for Kafka.
const PATIENCE: Duration = Duration::from_secs(10);
/// The whole of both topics, at start.
const FIRST_READ_MAX: Duration = Duration::from_secs(60);
/// Connect's own text.
const TIMED_OUT: &str = "Request timed out";
const POLL: Duration = Duration::from_millis(100);

pub(super) struct Storage {
    topics: Topics,
    kafka: Settings,
    producer: Producer,
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

impl Storage {
    /// Returns once everything that is there was read.
    pub(super) fn open(kafka: &Settings, topics: Topics, shutdown: &Shutdown) -> Result<Storage, Stop> {
        topics.ensure(kafka)?;
        let producer = write::producer(kafka)?;
        let readers = [Reader::open(kafka, &topics.configs)?, Reader::open(kafka, &topics.statuses)?];
        let partitions: usize = readers.iter().map(|reader| reader.partitions).sum();
        let shared = Arc::new(Shared { view: Mutex::default(), changed: Condvar::new() });
        let started = readers.into_iter().map(|reader| reader.start(shared.clone(), shutdown.clone()));
        let readers = Mutex::new(started.collect::<Result<_, _>>()?);
        let storage = Storage { topics, kafka: kafka.clone(), producer, shared, readers };
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
        let delivered = write::deliver(&self.producer, &self.topics, records).map_err(Undelivered::into_stop)?;
        self.read_back(&delivered)
    }

    /// Waits until this worker has read these offsets.
    fn read_back(&self, offsets: &write::Offsets) -> Result<(), Stop> {
        let read = |view: &View| offsets.iter().all(|(at, last)| view.next.get(at).is_some_and(|next| next > last));
        if self.wait(PATIENCE, read) {
            return Ok(());
        }
        tracing::warn!("what stands in the worker's topics could not be read in time");
        Err(Stop::dependency(TIMED_OUT))
    }

    /// Waits until this worker has read whatever stands in the config topic now.
    fn catch_up(&self) -> Result<(), Stop> {
        let mut last = write::Offsets::new();
        Reading::open(&self.kafka, &self.topics.configs)?.to_end(|message| {
            last.insert((message.topic().to_owned(), message.partition()), message.offset());
        })?;
        self.read_back(&last)
    }

    /// Whether what was written to the config topic at these offsets is no longer open, and not undone.
    fn has_committed(&self, offsets: &write::Offsets) -> Result<bool, Stop> {
        let mut found = false;
        Reading::open(&self.kafka, &self.topics.configs)?.to_end(|message| {
            let at = (message.topic().to_owned(), message.partition());
            found |= offsets.get(&at) == Some(&message.offset());
        })?;
        Ok(found)
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
        for partition in 0..topics::wait_for(kafka, topic)?.partitions {
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
