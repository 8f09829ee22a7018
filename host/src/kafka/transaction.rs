//! What one worker has read and written since its last commit.
//!
//! Exactly once: offsets go into the same Kafka transaction as the records that came of them, so either all is seen
//! or nothing (KIP-447). At least once: records are delivered first, then offsets are committed. Nothing else in
//! smt-host commits a worker's offsets.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{Producer, PurgeConfig};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Settings;
use super::patience::{Patience, Thing};
use super::producer::{self, Client, Kind};

pub use super::producer::Record;

/// So many producers in a row may fail without a commit between them.
const PRODUCERS_MAX: usize = 3;

/// Why a transaction did not commit.
#[derive(Debug)]
pub enum Failed {
    /// Everything since the last commit is to be read again.
    Aborted(KafkaError),
    /// Another producer with this transactional id has begun.
    Fenced,
    /// One new producer after the other was of no use.
    Fatal(KafkaError),
}

/// What has been read of one topic partition since the last commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub topic: String,
    pub partition: i32,
    pub first: i64,
    /// The next offset to read.
    pub next: i64,
    /// Committed with the offset, and given back to whoever the partition is assigned to next.
    pub metadata: Option<String>,
}

impl Span {
    /// Nothing read of it yet.
    pub fn at(topic: &str, partition: i32, offset: i64) -> Span {
        Span { topic: topic.to_owned(), partition, first: offset, next: offset, metadata: None }
    }

    fn is(&self, topic: &str, partition: i32) -> bool {
        self.partition == partition && self.topic == topic
    }
}

pub struct Transaction {
    settings: Settings,
    /// The transactional id; without one, at least once.
    id: Option<String>,
    patience: Patience,
    producer: Client,
    opened: Option<Instant>,
    /// The coordinator aborts what has been open for so long.
    open_max: Duration,
    spans: Vec<Span>,
    producers_in_row: usize,
}

impl Transaction {
    /// Waits for brokers that are away, until stopping is asked for.
    pub fn begin_with(settings: &Settings, id: Option<String>, patience: Patience) -> KafkaResult<Transaction> {
        let producer = producer::open(settings, id.as_deref(), &patience)?;
        let config = settings.transactional("");
        let open_max = config.get("transaction.timeout.ms").and_then(|ms| ms.parse().ok()).unwrap_or(60_000);
        Ok(Transaction {
            settings: settings.clone(),
            id,
            patience,
            producer,
            opened: None,
            open_max: Duration::from_millis(open_max),
            spans: Vec::new(),
            producers_in_row: 0,
        })
    }

    pub fn is_open(&self) -> bool {
        self.opened.is_some()
    }

    /// How long it has been open.
    pub fn age(&self) -> Duration {
        self.opened.map_or(Duration::ZERO, |opened| opened.elapsed())
    }

    pub fn ensure_open(&mut self) -> KafkaResult<()> {
        if self.opened.is_none() {
            if self.id.is_some() {
                self.producer.begin_transaction()?;
            }
            self.opened = Some(Instant::now());
        }
        Ok(())
    }

    /// Queues one record; waits where the queue is full. After an error, `undo`.
    pub fn send(&mut self, record: Record<'_>) -> KafkaResult<()> {
        let mut to_send = record.into_base();
        loop {
            match self.producer.send(to_send) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if !self.patience.is_over() => {
                    self.producer.poll(Duration::from_millis(10));
                    to_send = back;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Notes that a topic partition has been handled from `first` up to and without `next`. Once a run of records.
    pub fn read(&mut self, topic: &str, partition: i32, first: i64, next: i64) {
        match self.spans.iter_mut().find(|span| span.is(topic, partition)) {
            Some(span) => span.next = next,
            None => self.spans.push(Span { next, ..Span::at(topic, partition, first) }),
        }
    }

    /// Notes where reading stands, unless that is known.
    pub fn touch(&mut self, span: Span) {
        if !self.spans.iter().any(|known| known.is(&span.topic, span.partition)) {
            self.spans.push(span);
        }
    }

    /// What has been read since the last commit.
    pub fn spans(&mut self) -> &mut [Span] {
        &mut self.spans
    }

    /// Commits records and offsets; after an error, `undo`.
    /// `group` is the membership under which was read what is committed: the consumer's own, taken now, would pass the
    /// brokers' fence although the partitions were lost since (one that was expired has none, which fences nothing).
    pub fn commit<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        group: Option<&ConsumerGroupMetadata>,
    ) -> KafkaResult<()> {
        if self.opened.is_none() {
            return Ok(());
        }
        // With deliveries outstanding a commit takes 100 ms; with nothing in flight, 4 ms.
        self.patience.ask(|wait| producer::flush(&self.producer, wait))?;
        let offsets = self.offsets()?;
        if self.id.is_some() {
            self.commit_together(group, &offsets)?;
        } else {
            self.producer.context().check()?;
            if offsets.count() > 0 {
                self.patience.ask(|_| consumer.commit(&offsets, CommitMode::Sync))?;
            }
        }
        self.opened = None;
        self.spans.clear();
        self.producers_in_row = 0;
        self.patience.outage().back(&Thing::Brokers);
        Ok(())
    }

    fn commit_together(&self, group: Option<&ConsumerGroupMetadata>, offsets: &TopicPartitionList) -> KafkaResult<()> {
        if offsets.count() > 0 {
            let lost = KafkaError::ConsumerCommit(RDKafkaErrorCode::AssignmentLost);
            let group = group.ok_or(lost)?;
            self.patience.ask(|wait| self.producer.send_offsets_to_transaction(offsets, group, wait))?;
        }
        self.patience.ask(|wait| self.producer.commit_transaction(wait))
    }

    fn offsets(&self) -> KafkaResult<TopicPartitionList> {
        let mut offsets = TopicPartitionList::with_capacity(self.spans.len());
        for span in &self.spans {
            let mut element = offsets.add_partition(&span.topic, span.partition);
            element.set_offset(Offset::Offset(span.next))?;
            if let Some(metadata) = &span.metadata {
                element.set_metadata(metadata);
            }
        }
        Ok(offsets)
    }

    /// Aborts what is open, for good: the caller ends.
    pub fn abandon(&mut self) {
        if self.opened.take().is_some() {
            self.spans.clear();
            // Where it cannot, the successor with this id does.
            self.abort().ok();
        }
    }

    /// After an error: aborts, with a new producer where this one is of no use any more. Gives what was read and is
    /// to be read again, unless it turns out to be committed: ask the group.
    pub fn undo(&mut self, error: KafkaError) -> (Failed, Vec<Span>) {
        let age = self.age();
        self.opened = None;
        let spans = std::mem::take(&mut self.spans);
        // Whoever takes over aborts it.
        let failed = if self.patience.is_over() { Failed::Aborted(error) } else { self.recover(error, age) };
        (failed, spans)
    }

    fn recover(&mut self, error: KafkaError, age: Duration) -> Failed {
        match producer::kind(&self.producer, &error) {
            // Too young for the coordinator's time-out: it was another instance.
            Kind::Fenced if age < self.open_max => Failed::Fenced,
            Kind::Fenced | Kind::Fatal => self.renew(error),
            Kind::Abortable => match self.abort() {
                Ok(()) => Failed::Aborted(error),
                Err(second) => match producer::kind(&self.producer, &second) {
                    Kind::Fenced if age < self.open_max => Failed::Fenced,
                    _ => self.renew(second),
                },
            },
        }
    }

    fn abort(&self) -> KafkaResult<()> {
        if self.id.is_some() {
            return self.patience.ask(|_| producer::abort(&self.producer));
        }
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.patience.ask(|wait| producer::flush(&self.producer, wait))?;
        // What was purged counts as failed.
        self.producer.context().check().ok();
        Ok(())
    }

    /// The new producer's start ends what the old one had open.
    fn renew(&mut self, error: KafkaError) -> Failed {
        self.producers_in_row += 1;
        if self.producers_in_row > PRODUCERS_MAX {
            return Failed::Fatal(error);
        }
        match producer::open(&self.settings, self.id.as_deref(), &self.patience) {
            Ok(producer) => self.producer = producer,
            Err(error) if self.patience.is_over() => return Failed::Aborted(error),
            Err(error) => return Failed::Fatal(error),
        }
        Failed::Aborted(error)
    }
}
