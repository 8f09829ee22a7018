//! Records and offsets into Kafka, in one transaction a batch.
//!
//! A batch and the offset after it are committed together or not at all. It never decides where a batch ends, and
//! never waits longer than a moment once the connector is asked to stop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};

use super::failure::Failure;
use super::stored_offset;
use crate::exit::Stop;
use crate::kafka::topics::bad_client;
use crate::pipeline::Delivery;
use crate::shutdown::Shutdown;

/// How long Kafka is waited for before it counts as away.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same once the connector is asked to stop.
const GRACE: Duration = Duration::from_secs(1);
/// A single request's share, after which the wish to stop is looked at.
const SLICE: Duration = Duration::from_millis(500);
const METADATA_WITHIN: Duration = Duration::from_secs(5);

/// How to reach Kafka, and what is promised there.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    pub brokers: String,
    pub offsets_topic: String,
    /// librdkafka properties, set before the ones that the guarantees need.
    pub properties: Vec<(String, String)>,
    pub delivery: Delivery,
    /// Give up where Kafka, registry or database is away at start, instead of waiting for it.
    pub fail_fast: bool,
}

impl KafkaSettings {
    /// Exactly once, with the workshop's offsets topic.
    pub fn new(brokers: impl Into<String>) -> KafkaSettings {
        KafkaSettings {
            brokers: brokers.into(),
            offsets_topic: super::OFFSETS_TOPIC.to_owned(),
            properties: Vec::new(),
            delivery: Delivery::ExactlyOnce,
            fail_fast: false,
        }
    }

    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        // A broker that is back is found within a second, not ten.
        config.set("reconnect.backoff.max.ms", "1000");
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

/// Counts what Kafka refused: without transactions nothing else would notice.
#[derive(Default)]
struct Refused(AtomicU64);

impl ClientContext for Refused {}

impl ProducerContext for Refused {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How long is left: less, once the connector is asked to stop.
struct Patience<'a> {
    end: Instant,
    shutdown: &'a Shutdown,
}

impl Patience<'_> {
    fn is_over(&mut self) -> bool {
        let now = Instant::now();
        if self.shutdown.is_requested() {
            self.end = self.end.min(now + GRACE);
        }
        now >= self.end
    }
}

pub(super) struct Publisher<'a> {
    producer: BaseProducer<Refused>,
    settings: &'a KafkaSettings,
    shutdown: &'a Shutdown,
    open: bool,
}

impl<'a> Publisher<'a> {
    /// Fences an older instance, and settles what that one (or a predecessor of this one) had open.
    pub(super) fn open(
        settings: &'a KafkaSettings,
        connector: &str,
        shutdown: &'a Shutdown,
    ) -> Result<Publisher<'a>, Failure> {
        let mut config = settings.client();
        match settings.delivery {
            Delivery::ExactlyOnce => config.set("transactional.id", stored_offset::transactional_id(connector)),
            Delivery::AtLeastOnce => config.set("enable.idempotence", "true"),
        };
        // Java's partitioner, so that an offset record lands where a Connect worker's would.
        config.set("partitioner", "murmur2_random");
        let producer = config.create_with_context(Refused::default()).map_err(|error| bad_client(&error))?;
        let publisher = Publisher { producer, settings, shutdown, open: false };
        if publisher.is_transactional() {
            publisher.request(|slice| publisher.producer.init_transactions(slice))?;
        }
        Ok(publisher)
    }

    /// Sends a record with a null key; Kafka picks the partition.
    pub(super) fn send(&mut self, topic: &str, payload: &[u8]) -> Result<(), Failure> {
        self.begin()?;
        self.enqueue(|| BaseRecord::<'_, [u8], [u8]>::to(topic).payload(payload))
    }

    /// Ends the transaction with the offset record in it. Without transactions the offset follows its records.
    pub(super) fn commit(&mut self, offset: Option<(&[u8], &[u8])>) -> Result<(), Failure> {
        if !self.is_transactional() {
            self.settle()?;
        }
        if let Some((key, value)) = offset {
            self.begin()?;
            let topic = self.settings.offsets_topic.as_str();
            self.enqueue(|| BaseRecord::<'_, [u8], [u8]>::to(topic).key(key).payload(value))?;
        }
        if !self.open {
            return Ok(());
        }
        self.settle()?;
        if self.is_transactional() {
            self.request(|slice| self.producer.commit_transaction(slice))?;
        }
        self.open = false;
        Ok(())
    }

    fn is_transactional(&self) -> bool {
        self.settings.delivery == Delivery::ExactlyOnce
    }

    fn patience(&self) -> Patience<'a> {
        Patience { end: Instant::now() + PATIENCE, shutdown: self.shutdown }
    }

    fn begin(&mut self) -> Result<(), Failure> {
        if !self.open {
            if self.is_transactional() {
                self.producer.begin_transaction()?;
            }
            self.open = true;
        }
        Ok(())
    }

    /// Repeats a transaction's request while it may still succeed.
    fn request(&self, request: impl Fn(Duration) -> KafkaResult<()>) -> Result<(), Failure> {
        let mut patience = self.patience();
        loop {
            match request(SLICE) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error))
                    if error.is_retriable() && !error.txn_requires_abort() && !patience.is_over() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn enqueue<'r>(&self, record: impl Fn() -> BaseRecord<'r, [u8], [u8]>) -> Result<(), Failure> {
        let mut patience = self.patience();
        loop {
            match self.producer.send(record()) {
                Ok(()) => {
                    self.producer.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) if !patience.is_over() => {
                    self.producer.poll(Duration::from_millis(50));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Waits for all deliveries: a commit with some outstanding takes 100 ms instead of 5.
    fn settle(&self) -> Result<(), Failure> {
        let mut patience = self.patience();
        while self.producer.in_flight_count() > 0 {
            if patience.is_over() {
                return Err(Failure::Kafka("records were not delivered in time".into()));
            }
            self.producer.poll(Duration::from_millis(1));
        }
        match self.producer.context().0.swap(0, Ordering::Relaxed) {
            0 => Ok(()),
            refused => Err(Failure::Kafka(format!("{refused} records were not taken"))),
        }
    }
}

impl Drop for Publisher<'_> {
    /// What is open is taken back now if it can be, else by the next producer with this id.
    fn drop(&mut self) {
        if self.open && self.is_transactional() && self.producer.abort_transaction(GRACE).is_err() {
            tracing::debug!("the open transaction is left to the next producer");
        }
    }
}

/// Creates a topic unless it is there.
pub(super) async fn ensure_topic(
    settings: &KafkaSettings,
    name: &str,
    partitions: i32,
    replication: i32,
    compacted: bool,
) -> Result<(), Failure> {
    let failed = |why: String| Stop::start(format!("topic {name:?} cannot be made: {why}"));
    let admin: AdminClient<DefaultClientContext> =
        settings.client().create().map_err(|error: KafkaError| bad_client(&error))?;
    let metadata = admin.inner().fetch_metadata(None, METADATA_WITHIN)?;
    if metadata.topics().iter().any(|topic| topic.name() == name) {
        return Ok(());
    }
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication));
    if compacted {
        topic = topic.set("cleanup.policy", "compact");
    }
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let results = admin.create_topics([&topic], &options).await?;
    match results.into_iter().next() {
        None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
        Some(Err((_, code))) => Err(failed(code.to_string()).into()),
    }
}
