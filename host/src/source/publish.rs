//! Records and offsets into Kafka, in one transaction a batch.
//!
//! A batch and the offset after it are committed together or not at all. It never decides where a batch ends.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::failure::Failure;
use crate::exit::Stop;

const PATIENCE: Duration = Duration::from_secs(30);

/// How to reach Kafka.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    pub brokers: String,
    pub offsets_topic: String,
    /// librdkafka properties, set before the ones that the guarantees need.
    pub properties: Vec<(String, String)>,
}

impl KafkaSettings {
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

pub(super) struct Publisher {
    producer: BaseProducer,
    settings: KafkaSettings,
    open: bool,
}

impl Publisher {
    /// Fences an older instance: after this, what that one had open is gone.
    pub(super) fn open(settings: &KafkaSettings, connector: &str) -> Result<Publisher, Stop> {
        let mut config = settings.client();
        config.set("transactional.id", format!("smt-source-{connector}"));
        // Java's partitioner, so that an offset record lands where a Connect worker's would.
        config.set("partitioner", "murmur2_random");
        let unusable = |error: KafkaError| Stop::usage(format!("the Kafka settings are not usable: {error}"));
        let producer: BaseProducer = config.create().map_err(unusable)?;
        producer
            .init_transactions(PATIENCE)
            .map_err(|error| Stop::dependency(format!("kafka at {} cannot be reached: {error}", settings.brokers)))?;
        Ok(Publisher { producer, settings: settings.clone(), open: false })
    }

    /// Sends a record with a null key; Kafka picks the partition.
    pub(super) fn send(&mut self, topic: &str, payload: &[u8]) -> Result<(), Failure> {
        self.begin()?;
        self.enqueue(|| BaseRecord::<'_, [u8], [u8]>::to(topic).payload(payload))
    }

    /// Ends the transaction with the offset record in it.
    pub(super) fn commit(&mut self, offset: Option<(&[u8], &[u8])>) -> Result<(), Failure> {
        if let Some((key, value)) = offset {
            self.begin()?;
            let topic = self.settings.offsets_topic.clone();
            self.enqueue(|| BaseRecord::<'_, [u8], [u8]>::to(&topic).key(key).payload(value))?;
        }
        if !self.open {
            return Ok(());
        }
        self.settle()?;
        let end = Instant::now() + PATIENCE;
        loop {
            match self.producer.commit_transaction(PATIENCE) {
                Ok(()) => break,
                Err(KafkaError::Transaction(error)) if error.is_retriable() && Instant::now() < end => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.open = false;
        Ok(())
    }

    /// Takes back what was sent since the last commit.
    pub(super) fn abort(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.open) {
            self.producer.abort_transaction(PATIENCE)?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Failure> {
        if !self.open {
            self.producer.begin_transaction()?;
            self.open = true;
        }
        Ok(())
    }

    fn enqueue<'a>(&self, record: impl Fn() -> BaseRecord<'a, [u8], [u8]>) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.producer.send(record()) {
                Ok(()) => {
                    self.producer.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) if Instant::now() < end => {
                    self.producer.poll(Duration::from_millis(50));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Waits for all deliveries: a commit with some outstanding takes 100 ms instead of 5.
    fn settle(&self) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while self.producer.in_flight_count() > 0 {
            if Instant::now() > end {
                return Err(Failure::Kafka("records were not delivered in time".into()));
            }
            self.producer.poll(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// Creates a topic unless it is there.
pub(super) async fn ensure_topic(
    settings: &KafkaSettings,
    name: &str,
    partitions: i32,
    replication: i32,
    compacted: bool,
) -> Result<(), Stop> {
    let failed = |why: String| Stop::start(format!("topic {name:?} cannot be made: {why}"));
    let admin: AdminClient<DefaultClientContext> =
        settings.client().create().map_err(|error: KafkaError| failed(error.to_string()))?;
    let metadata = admin.inner().fetch_metadata(None, PATIENCE);
    let metadata = metadata
        .map_err(|error| Stop::dependency(format!("kafka at {} cannot be reached: {error}", settings.brokers)))?;
    if metadata.topics().iter().any(|topic| topic.name() == name) {
        return Ok(());
    }
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication));
    if compacted {
        topic = topic.set("cleanup.policy", "compact");
    }
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let results = admin.create_topics([&topic], &options).await.map_err(|error| failed(error.to_string()))?;
    match results.into_iter().next() {
        None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
        Some(Err((_, code))) => Err(failed(code.to_string())),
    }
}
