//! Reading a topic from its beginning to its end, committed records only, and on from there. Commits nothing.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{From, Settings, topics};
use crate::exit::Stop;

/// So long without a record or an end, the topic is given up.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

pub struct Reading {
    settings: Settings,
    topic: String,
    consumer: BaseConsumer,
    partitions: i32,
}

/// How many records there are from one offset to before another. What transactions end with are none.
pub fn count_between(settings: &Settings, topic: &str, partition: i32, (from, end): (i64, i64)) -> Result<i64, Stop> {
    let away = |error: KafkaError| topics::away(settings, &error);
    let consumer: BaseConsumer =
        settings.consumer("smt-host-reading", From::Earliest).create().map_err(|error| topics::bad_client(&error))?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(from)).map_err(away)?;
    consumer.assign(&list).map_err(away)?;
    let (mut count, begun) = (0, Instant::now());
    while begun.elapsed() < SILENCE_MAX {
        match consumer.poll(POLL) {
            Some(Ok(message)) if message.offset() >= end => return Ok(count),
            Some(Ok(_)) => count += 1,
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(count),
            Some(Err(error)) => return Err(away(error)),
            None => {}
        }
    }
    Ok(end - from)
}

impl Reading {
    /// From the beginning.
    pub fn open(settings: &Settings, topic: &str) -> Result<Reading, Stop> {
        let shape =
            topics::shape(settings, topic)?.ok_or_else(|| Stop::start(format!("topic {topic} does not exist")))?;
        // A group id is needed to read at all; nothing is ever committed under it.
        let consumer: BaseConsumer = settings
            .consumer("smt-host-reading", From::Earliest)
            .create()
            .map_err(|error| topics::bad_client(&error))?;
        let mut list = TopicPartitionList::new();
        for partition in 0..shape.partitions {
            let added = list.add_partition_offset(topic, partition, Offset::Beginning);
            added.map_err(|error| topics::away(settings, &error))?;
        }
        consumer.assign(&list).map_err(|error| topics::away(settings, &error))?;
        Ok(Reading { settings: settings.clone(), topic: topic.to_owned(), consumer, partitions: shape.partitions })
    }

    pub fn partitions(&self) -> i32 {
        self.partitions
    }

    /// Up to the end of every partition, once.
    pub fn to_end(&self, mut each: impl FnMut(&BorrowedMessage<'_>)) -> Result<(), Stop> {
        // One end may be told twice, before and after a transaction marker.
        let (mut ended, mut heard) = (BTreeSet::new(), Instant::now());
        while ended.len() < self.partitions as usize {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => each(&message),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    ended.insert(partition);
                }
                Some(Err(error)) => return Err(topics::away(&self.settings, &error)),
                None if heard.elapsed() > SILENCE_MAX => {
                    let (topic, seconds) = (&self.topic, SILENCE_MAX.as_secs());
                    return Err(Stop::dependency(format!(
                        "topic {topic} could not be read to its end: nothing came for {seconds} s"
                    )));
                }
                None => continue,
            }
            heard = Instant::now();
        }
        Ok(())
    }

    /// What has come since; until nothing came for so long.
    pub fn further(&self, wait: Duration, mut each: impl FnMut(&BorrowedMessage<'_>)) -> Result<(), Stop> {
        while let Some(polled) = self.consumer.poll(wait) {
            match polled {
                Ok(message) => each(&message),
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => return Err(topics::away(&self.settings, &error)),
            }
        }
        Ok(())
    }
}
