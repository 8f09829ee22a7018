//! A worker's producer, and what its errors mean.
//!
//! Never decides what is to be done about an error.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use super::Settings;
use super::patience::Patience;

const ABORT_TRY: Duration = Duration::from_millis(200);
const POLL: Duration = Duration::from_millis(50);
const LOOK: Duration = Duration::from_millis(1);

/// Keeps the first failed delivery: without transactions nothing else tells of it.
#[derive(Default)]
pub struct Deliveries {
    failed: Mutex<Option<KafkaError>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
        }
    }
}

impl Deliveries {
    /// The first failure since the last call.
    pub fn check(&self) -> KafkaResult<()> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

pub type Client = BaseProducer<Deliveries>;

/// A producer with a transactional id fences every older one, and waits until its open transaction is done with.
pub fn open(settings: &Settings, id: Option<&str>, patience: &Patience) -> KafkaResult<Client> {
    let Some(id) = id else { return settings.idempotent().create_with_context(Deliveries::default()) };
    let client: Client = settings.transactional(id).create_with_context(Deliveries::default())?;
    patience.ask(|wait| client.init_transactions(wait))?;
    Ok(client)
}

/// Queues one record; where the queue is full, waits for room.
pub fn send(client: &Client, record: Record<'_>) -> KafkaResult<()> {
    let mut to_send = record.into_base();
    loop {
        match client.send(to_send) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                client.poll(Duration::from_millis(10));
                to_send = back;
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// Waits until nothing is in flight. After a fatal error librdkafka neither sends nor fails what is queued.
pub fn flush(client: &Client, wait: Duration) -> KafkaResult<()> {
    let until = Instant::now() + wait;
    loop {
        // The client's own wait looks again only every 100 ms, which would be most of a record's latency.
        let flushed = client.flush(Duration::ZERO);
        if let Some((code, _)) = client.client().fatal_error() {
            return Err(KafkaError::Flush(code));
        }
        if flushed.is_ok() || Instant::now() >= until {
            return flushed;
        }
        client.poll(LOOK);
    }
}

/// Aborting purges what is queued, and ends only when its delivery reports were polled: in short tries.
pub fn abort(client: &Client) -> KafkaResult<()> {
    let aborted = client.abort_transaction(ABORT_TRY);
    if aborted.is_err() {
        client.poll(POLL);
    }
    aborted
}

/// What is left of a producer after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The transaction is to be aborted; the producer goes on.
    Abortable,
    /// Its epoch is over. The brokers' codes do not tell another producer with the id from a transaction that was
    /// open for too long, and librdkafka makes both one.
    Fenced,
    Fatal,
}

pub fn kind<C: ProducerContext>(client: &BaseProducer<C>, error: &KafkaError) -> Kind {
    let fatal = client.client().fatal_error();
    let code = fatal.as_ref().map(|(code, _)| *code).or_else(|| error.rdkafka_error_code());
    match code {
        Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch) => {
            Kind::Fenced
        }
        _ if fatal.is_some() => Kind::Fatal,
        _ => match error {
            KafkaError::Transaction(inner) if inner.is_fatal() => Kind::Fatal,
            _ => Kind::Abortable,
        },
    }
}

/// One record to be produced. `None` for the partition leaves the choice to the client.
#[derive(Clone)]
pub struct Record<'a> {
    pub topic: &'a str,
    pub partition: Option<i32>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub timestamp_ms: Option<i64>,
    pub headers: Option<OwnedHeaders>,
}

impl<'a> Record<'a> {
    pub(super) fn into_base(self) -> BaseRecord<'a, [u8], [u8]> {
        let mut base = BaseRecord::to(self.topic);
        base.partition = self.partition;
        base.key = self.key;
        base.payload = self.value;
        base.timestamp = self.timestamp_ms;
        base.headers = self.headers;
        base
    }
}
