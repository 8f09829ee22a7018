//! One worker's producer and the transaction that it has open.
//!
//! Offsets go into the same transaction as the records that came of them, so either all is seen or nothing
//! (KIP-447). Nothing else in smt-host commits a worker's offsets.

use std::time::Duration;

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Settings;

/// How long a transaction's own requests may take; under the broker's `transaction.timeout.ms`.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Why a transaction did not commit.
#[derive(Debug)]
pub enum Failed {
    /// It was aborted: everything since the last commit is to be read again.
    Aborted(KafkaError),
    /// Another producer with this transactional id has begun.
    Fenced,
    /// The producer is of no use any more.
    Fatal(KafkaError),
}

/// What a transaction has read of one topic partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub topic: String,
    pub partition: i32,
    /// The first offset read since the last commit: where reading begins again after an abort.
    pub first: i64,
    /// The next offset to read.
    pub next: i64,
}

pub struct Transaction {
    producer: BaseProducer,
    open: bool,
    spans: Vec<Span>,
}

impl Transaction {
    /// Fences every older producer with this id and waits until its open transaction is done with.
    pub fn begin_with(settings: &Settings, id: &str) -> Result<Transaction, KafkaError> {
        let producer: BaseProducer = settings.transactional(id).create()?;
        producer.init_transactions(TIMEOUT)?;
        Ok(Transaction { producer, open: false, spans: Vec::new() })
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn ensure_open(&mut self) -> Result<(), Failed> {
        if !self.open {
            self.producer.begin_transaction().map_err(classify)?;
            self.open = true;
        }
        Ok(())
    }

    /// Queues one record; waits where the queue is full. The partition is the caller's choice.
    pub fn send(&mut self, record: Record<'_>) -> Result<(), Failed> {
        let mut to_send = record.into_base();
        loop {
            match self.producer.send(to_send) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.producer.poll(Duration::from_millis(10));
                    to_send = back;
                }
                Err((error, _)) => return Err(classify(error)),
            }
        }
    }

    /// Notes that a topic partition has been handled from `first` up to and without `next`.
    pub fn read(&mut self, topic: &str, partition: i32, first: i64, next: i64) {
        match self.spans.iter_mut().find(|span| span.partition == partition && span.topic == topic) {
            Some(span) => span.next = next,
            None => self.spans.push(Span { topic: topic.to_owned(), partition, first, next }),
        }
    }

    /// Commits records and offsets; on failure the transaction has been aborted, and the spans that it had read are
    /// to be read again.
    pub fn commit(&mut self, group: Option<ConsumerGroupMetadata>) -> Result<(), (Failed, Vec<Span>)> {
        if !self.open {
            return Ok(());
        }
        let result = self.try_commit(group);
        self.open = false;
        let spans = std::mem::take(&mut self.spans);
        result.map_err(|failed| (self.give_up(failed), spans))
    }

    /// Aborts; gives what is to be read again.
    pub fn abort(&mut self) -> Result<Vec<Span>, Failed> {
        let spans = std::mem::take(&mut self.spans);
        if self.open {
            self.open = false;
            self.producer.abort_transaction(TIMEOUT).map_err(classify)?;
        }
        Ok(spans)
    }

    fn try_commit(&mut self, group: Option<ConsumerGroupMetadata>) -> Result<(), Failed> {
        // With deliveries outstanding a commit takes 100 ms; with nothing in flight, 4 ms.
        self.producer.flush(TIMEOUT).map_err(classify)?;
        if let (Some(group), false) = (group, self.spans.is_empty()) {
            let mut offsets = TopicPartitionList::with_capacity(self.spans.len());
            for span in &self.spans {
                offsets
                    .add_partition_offset(&span.topic, span.partition, Offset::Offset(span.next))
                    .map_err(classify)?;
            }
            self.producer.send_offsets_to_transaction(&offsets, &group, TIMEOUT).map_err(classify)?;
        }
        loop {
            match self.producer.commit_transaction(TIMEOUT) {
                Err(KafkaError::Transaction(error)) if error.is_retriable() && !error.txn_requires_abort() => {}
                other => return other.map_err(classify),
            }
        }
    }

    fn give_up(&self, failed: Failed) -> Failed {
        let Failed::Aborted(error) = failed else { return failed };
        match self.producer.abort_transaction(TIMEOUT) {
            Ok(()) => Failed::Aborted(error),
            Err(second) => match classify(second) {
                Failed::Aborted(second) => Failed::Fatal(second),
                worse => worse,
            },
        }
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
    fn into_base(self) -> BaseRecord<'a, [u8], [u8]> {
        let mut base = BaseRecord::to(self.topic);
        base.partition = self.partition;
        base.key = self.key;
        base.payload = self.value;
        base.timestamp = self.timestamp_ms;
        base.headers = self.headers;
        base
    }
}

fn classify(error: KafkaError) -> Failed {
    let code = error.rdkafka_error_code();
    let fenced = matches!(
        code,
        Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch)
    );
    if fenced {
        return Failed::Fenced;
    }
    match &error {
        KafkaError::Transaction(inner) if inner.is_fatal() => Failed::Fatal(error),
        KafkaError::MessageProduction(RDKafkaErrorCode::Fatal) => Failed::Fatal(error),
        _ => Failed::Aborted(error),
    }
}
