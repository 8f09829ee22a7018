//! Records on their way to the worker's topics: sent in order, and waited for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext};

use super::{PATIENCE, TIMED_OUT};
use crate::exit::Stop;
use crate::kafka::{Settings, topics};
use crate::worker::records::{Record, Written};
use crate::worker::topics::Topics;

pub(super) type Producer = BaseProducer<Deliveries>;

/// The newest offset of each partition.
pub(super) type Offsets = HashMap<(String, i32), i64>;

/// Why records are not there.
pub(super) enum Undelivered {
    TimedOut,
    Refused(KafkaError),
}

impl Undelivered {
    pub(super) fn into_stop(self) -> Stop {
        match self {
            Undelivered::TimedOut => Stop::dependency(TIMED_OUT),
            Undelivered::Refused(error) => {
                Stop::dependency(format!("Kafka did not take a record: {}", topics::reason(&error)))
            }
        }
    }
}

/// What became of the records of one write.
#[derive(Default)]
pub(super) struct Delivered {
    count: usize,
    last: Offsets,
    failed: Option<KafkaError>,
}

pub(super) struct Deliveries;

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

pub(super) fn producer(kafka: &Settings) -> Result<Producer, Stop> {
    let mut config = kafka.client("connect");
    config.set("enable.idempotence", "true").set("linger.ms", "0");
    // Known to have failed before anybody stops waiting.
    config.set("message.timeout.ms", "8000");
    // Java's partitioner, so that a key has one partition whoever writes it.
    config.set("partitioner", "murmur2_random");
    config.create_with_context(Deliveries).map_err(|error| topics::bad_client(&error))
}

/// How far each partition reaches with these records.
pub(super) fn deliver(producer: &Producer, topics: &Topics, records: &[Record]) -> Result<Offsets, Undelivered> {
    let (write, end) = (Arc::<Mutex<Delivered>>::default(), Instant::now() + PATIENCE);
    for record in records {
        send(producer, topics, record, &write).map_err(Undelivered::Refused)?;
    }
    loop {
        // The client's own wait for all looks only every 100 ms.
        producer.poll(Duration::from_millis(1));
        let mut write = write.lock().unwrap_or_else(PoisonError::into_inner);
        match write.failed.take() {
            Some(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)) => {
                return Err(Undelivered::TimedOut);
            }
            Some(error) => return Err(Undelivered::Refused(error)),
            None if write.count == records.len() => return Ok(std::mem::take(&mut write.last)),
            None if Instant::now() > end => return Err(Undelivered::TimedOut),
            None => {}
        }
    }
}

fn send(
    producer: &Producer,
    topics: &Topics,
    record: &Record,
    write: &Arc<Mutex<Delivered>>,
) -> Result<(), KafkaError> {
    let topic = match record {
        Record::ConnectorStatus(..) | Record::TaskStatus(..) | Record::Topic(..) => &topics.statuses,
        _ => &topics.configs,
    };
    let Written { key, value } = record.written();
    let mut to_send = BaseRecord::<'_, [u8], [u8], _>::with_opaque_to(topic, write.clone()).key(key.as_bytes());
    to_send.payload = value.as_deref().map(str::as_bytes);
    producer.send(to_send).map_err(|(error, _)| error)
}
