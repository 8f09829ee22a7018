//! A topic's records in order of each partition: up to where the topic ends now, or on and on.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{no_topic, reach};
use crate::exit::Stop;
use crate::kafka::{From, REQUEST_TIMEOUT, Settings, patience, topics};
use crate::shutdown::Shutdown;

const POLL: Duration = Duration::from_millis(100);
/// So long without a record or an end, a partition is given up.
const SILENCE_MAX: Duration = Duration::from_secs(60);

pub(super) struct Tail {
    settings: Settings,
    topic: String,
    consumer: BaseConsumer,
    /// Where each partition began and ended when it was opened.
    ends: Vec<(i64, i64)>,
}

/// Whether more is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Enough,
}

impl Tail {
    pub(super) fn open(settings: &Settings, topic: &str, uncommitted: bool) -> Result<Tail, Stop> {
        reach(settings)?;
        let shape = topics::shape(settings, topic)?.ok_or_else(|| no_topic(settings, topic))?;
        // A group id is needed to read at all; nothing is ever committed under it.
        let mut config = settings.consumer("smt-host-reading", From::Earliest);
        if uncommitted {
            config.set("isolation.level", "read_uncommitted");
        }
        let consumer: BaseConsumer = config.create().map_err(|error| topics::bad_client(&error))?;
        let away = |error: KafkaError| topics::away(settings, &error);
        let end = |partition| consumer.fetch_watermarks(topic, partition, REQUEST_TIMEOUT).map_err(away);
        let ends = (0..shape.partitions).map(end).collect::<Result<_, Stop>>()?;
        Ok(Tail { settings: settings.clone(), topic: topic.to_owned(), consumer, ends })
    }

    /// What was there when it was opened, one partition after the other.
    pub(super) fn to_end(
        &self,
        stop: &Shutdown,
        mut each: impl FnMut(&BorrowedMessage<'_>) -> Result<Go, Stop>,
    ) -> Result<(), Stop> {
        for (partition, (first, end)) in self.ends.iter().enumerate() {
            if first < end && self.one(partition as i32, *first, *end, stop, &mut each)? == Go::Enough {
                break;
            }
        }
        Ok(())
    }

    fn one(
        &self,
        partition: i32,
        first: i64,
        end: i64,
        stop: &Shutdown,
        each: &mut impl FnMut(&BorrowedMessage<'_>) -> Result<Go, Stop>,
    ) -> Result<Go, Stop> {
        self.assign([(partition, first)])?;
        let mut heard = Instant::now();
        while !stop.is_requested() {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    if message.offset() < end && each(&message)? == Go::Enough {
                        return Ok(Go::Enough);
                    }
                    if message.offset() >= end - 1 {
                        return Ok(Go::On);
                    }
                    heard = Instant::now();
                }
                Some(Err(KafkaError::PartitionEOF(ended))) if ended == partition => return Ok(Go::On),
                Some(Err(error)) if !is_passing(&error) => return Err(self.away(&error)),
                _ if heard.elapsed() > SILENCE_MAX => {
                    let (topic, seconds) = (&self.topic, SILENCE_MAX.as_secs());
                    let what = format!("topic {topic} could not be read to its end: nothing came for {seconds} s");
                    return Err(Stop::dependency(what));
                }
                _ => {}
            }
        }
        Ok(Go::Enough)
    }

    /// On and on, until asked to stop; brokers may go and come back. `quiet` is told whenever nothing came for a moment.
    pub(super) fn follow(
        &self,
        from: From,
        stop: &Shutdown,
        mut each: impl FnMut(&BorrowedMessage<'_>) -> Result<Go, Stop>,
        mut quiet: impl FnMut() -> Go,
    ) -> Result<(), Stop> {
        let at = |(first, end): &(i64, i64)| if from == From::Earliest { *first } else { *end };
        self.assign(self.ends.iter().enumerate().map(|(partition, ends)| (partition as i32, at(ends))))?;
        while !stop.is_requested() {
            let go = match self.consumer.poll(POLL) {
                Some(Ok(message)) => each(&message)?,
                Some(Err(KafkaError::PartitionEOF(_))) => Go::On,
                Some(Err(error)) if !patience::is_unanswered(&error) => return Err(self.away(&error)),
                _ => quiet(),
            };
            if go == Go::Enough {
                break;
            }
        }
        Ok(())
    }

    fn assign(&self, from: impl IntoIterator<Item = (i32, i64)>) -> Result<(), Stop> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in from {
            let added = list.add_partition_offset(&self.topic, partition, Offset::Offset(offset));
            added.map_err(|error| self.away(&error))?;
        }
        self.consumer.assign(&list).map_err(|error| self.away(&error))
    }

    fn away(&self, error: &KafkaError) -> Stop {
        topics::away(&self.settings, error)
    }
}

/// An end that was told before, or brokers that are away.
fn is_passing(error: &KafkaError) -> bool {
    matches!(error, KafkaError::PartitionEOF(_)) || patience::is_unanswered(error)
}
