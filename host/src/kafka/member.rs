//! One member of a consumer group.
//!
//! Rebalances are events of the caller's loop, not call-backs: partitions come and go only when the caller says so,
//! after it has finished with what it has in hand. Never commits offsets.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata, RebalanceProtocol};
use rdkafka::error::KafkaResult;
use rdkafka::message::BorrowedMessage;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::patience::Patience;
use super::reach::{Looks, Reach};
use super::transaction::Span;
use super::{From, Settings, lag, topics};
use crate::exit::Stop;

/// A seek may meet a partition that is just being started.
const SEEK_TRIES: usize = 20;

/// Partitions that come or go.
#[derive(Debug, Clone)]
pub enum Change {
    Assigned(TopicPartitionList),
    Revoked(TopicPartitionList),
}

/// What librdkafka tells while it is polled.
pub struct Context {
    changes: Mutex<VecDeque<Change>>,
    /// Nobody will accept changes any more: partitions go at once.
    leaving: AtomicBool,
    looks: Looks,
    /// Up to where each partition has been read, markers included, as of the last second.
    reached: Mutex<Vec<(String, i32, i64)>>,
    lag: lag::Share,
    /// As of the last assignment; `None` if it was lost before it could be taken.
    membership: Mutex<Option<Arc<ConsumerGroupMetadata>>>,
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        self.looks.look(&statistics, jiff::Timestamp::now().as_second());
        self.lag.set(lag::of(&statistics));
        *lock(&self.reached) = lag::reached(&statistics);
    }
}

impl ConsumerContext for Context {
    /// The default would take partitions away inside of `poll`, before what was read of them is committed.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let change = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                *lock(&self.membership) = membership(consumer);
                Change::Assigned(partitions.clone())
            }
            _ => Change::Revoked(partitions.clone()),
        };
        if self.leaving.load(Ordering::Relaxed) {
            apply(consumer, &change).ok();
        } else {
            lock(&self.changes).push_back(change);
        }
    }
}

/// A member that its group has expired has neither id nor generation, and brokers fence nobody who has neither. The
/// order counts: a loss before the first line is seen by the second, one after it leaves what is fenced.
fn membership(consumer: &BaseConsumer<Context>) -> Option<Arc<ConsumerGroupMetadata>> {
    let membership = consumer.group_metadata();
    membership.filter(|_| !consumer.assignment_lost()).map(Arc::new)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn apply(consumer: &BaseConsumer<Context>, change: &Change) -> KafkaResult<()> {
    let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
    match change {
        Change::Assigned(partitions) if cooperative => consumer.incremental_assign(partitions),
        Change::Assigned(partitions) => consumer.assign(partitions),
        Change::Revoked(partitions) if cooperative => consumer.incremental_unassign(partitions),
        Change::Revoked(_) => consumer.unassign(),
    }
}

pub struct Member {
    consumer: BaseConsumer<Context>,
}

impl Member {
    pub fn join(
        settings: &Settings,
        group: &str,
        from: From,
        topics: &[&str],
        lag: lag::Share,
    ) -> Result<Member, Stop> {
        let context = Context {
            changes: Mutex::default(),
            leaving: AtomicBool::new(false),
            looks: Looks::default(),
            reached: Mutex::default(),
            lag,
            membership: Mutex::default(),
        };
        let consumer: BaseConsumer<Context> =
            settings.member(group, from).create_with_context(context).map_err(|error| topics::bad_client(&error))?;
        consumer.subscribe(topics).map_err(|error| topics::away(settings, &error))?;
        Ok(Member { consumer })
    }

    /// The client itself, for offsets and the group's metadata.
    pub fn consumer(&self) -> &BaseConsumer<Context> {
        &self.consumer
    }

    pub fn poll(&self, wait: Duration) -> Option<KafkaResult<BorrowedMessage<'_>>> {
        self.consumer.poll(wait)
    }

    /// The next change that waits to be accepted. Until then the partitions stay as they are.
    pub fn change(&self) -> Option<Change> {
        lock(&self.consumer.context().changes).pop_front()
    }

    pub fn accept(&self, change: &Change) -> KafkaResult<()> {
        apply(&self.consumer, change)
    }

    /// The membership under which the assigned partitions are read. Without one, nothing of them can be committed.
    pub fn membership(&self) -> Option<Arc<ConsumerGroupMetadata>> {
        lock(&self.consumer.context().membership).clone()
    }

    /// Up to where a partition was read when librdkafka last said so; markers count.
    pub fn reached(&self, topic: &str, partition: i32) -> Option<i64> {
        let reached = lock(&self.consumer.context().reached);
        reached.iter().find(|(name, number, _)| *number == partition && name == topic).map(|(_, _, offset)| *offset)
    }

    /// What the group has committed of these partitions. Waits for transactions that are about to change it.
    pub fn committed(&self, asked: &TopicPartitionList, patience: &Patience) -> KafkaResult<TopicPartitionList> {
        patience.ask(|wait| {
            let answer = self.consumer.committed_offsets(asked.clone(), wait)?;
            answer.elements().iter().try_for_each(|element| element.error())?;
            Ok(answer)
        })
    }

    /// Told by `poll`'s caller, since librdkafka says it there.
    pub fn lost(&self) {
        self.consumer.context().looks.lose();
    }

    /// Told by whoever got an answer on another way.
    pub fn answered(&self) {
        self.consumer.context().looks.answered();
    }

    /// Whether brokers are reached, as of the last second. Known only while it is polled.
    pub fn reach(&self) -> Reach {
        self.consumer.context().looks.reach()
    }

    /// Nothing is left to read.
    pub fn at_end(&self) {
        self.consumer.context().lag.set(0);
    }

    /// Back to what is committed, which it gives; where nothing is, to where the span began.
    pub fn rewind(&self, spans: &[Span], patience: &Patience) -> KafkaResult<TopicPartitionList> {
        let mut asked = TopicPartitionList::with_capacity(spans.len());
        for span in spans {
            asked.add_partition(&span.topic, span.partition);
        }
        let committed = self.committed(&asked, patience)?;
        for span in spans {
            let found = committed.find_partition(&span.topic, span.partition).map(|element| element.offset());
            let Some(Offset::Offset(next)) = found else {
                self.seek(span, span.first)?;
                continue;
            };
            self.seek(span, next)?;
        }
        Ok(committed)
    }

    /// Back to where each span began.
    pub fn seek_first(&self, spans: &[Span]) -> KafkaResult<()> {
        spans.iter().try_for_each(|span| self.seek(span, span.first))
    }

    /// A seek that fails on a partition that is ours would lose records, so it is never passed over.
    fn seek(&self, span: &Span, offset: i64) -> KafkaResult<()> {
        for _ in 1..SEEK_TRIES {
            let sought =
                self.consumer.seek(&span.topic, span.partition, Offset::Offset(offset), Duration::from_secs(2));
            if sought.is_ok() || !self.is_assigned(span)? {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.consumer.seek(&span.topic, span.partition, Offset::Offset(offset), Duration::from_secs(2))
    }

    fn is_assigned(&self, span: &Span) -> KafkaResult<bool> {
        Ok(self.consumer.assignment()?.find_partition(&span.topic, span.partition).is_some())
    }

    /// Stops fetching; rebalances go on.
    pub fn pause(&self) -> KafkaResult<()> {
        self.consumer.pause(&self.consumer.assignment()?)
    }

    pub fn resume(&self) -> KafkaResult<()> {
        self.consumer.resume(&self.consumer.assignment()?)
    }
}

impl Drop for Member {
    /// Leaves the group at once. The consumer's own end waits until partitions are given back.
    fn drop(&mut self) {
        self.consumer.context().leaving.store(true, Ordering::Relaxed);
        while let Some(change) = self.change() {
            self.accept(&change).ok();
        }
    }
}
