//! Whether everything that was in the input at start is done, by whichever member of the group.
//!
//! Committed offsets alone do not tell: behind the last record there may be transaction markers, which are never
//! committed. So what lies between is read, without joining the group.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Spec;
use crate::exit::Stop;
use crate::kafka::{From, REQUEST_TIMEOUT, topics};

/// How long reading what is left may take before it counts as not yet done.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// The ends of partitions at one moment.
pub struct End {
    topics: Vec<String>,
    /// Where a group without committed offsets begins.
    from: From,
    ends: Vec<(String, i32, i64)>,
}

impl End {
    /// Of the input, when the pipeline starts.
    pub fn at_start(spec: &Spec) -> Result<End, Stop> {
        End::of(spec, &spec.inputs, spec.from, &consumer(spec, spec.from)?)
    }

    /// Of topics between the halves of aggregations, now: with what is committed and its markers are not written yet.
    pub fn made(spec: &Spec, repartitions: &[String]) -> Result<End, Stop> {
        let mut all = spec.kafka.consumer(&spec.group, From::Earliest);
        let all = all.set("isolation.level", "read_uncommitted").create();
        End::of(spec, repartitions, From::Earliest, &all.map_err(|error| topics::bad_client(&error))?)
    }

    fn of(spec: &Spec, names: &[String], from: From, consumer: &BaseConsumer) -> Result<End, Stop> {
        let mut ends = Vec::new();
        for topic in names {
            let partitions = topics::shape(&spec.kafka, topic)?.map_or(0, |shape| shape.partitions);
            for partition in 0..partitions {
                let (_, high) = consumer
                    .fetch_watermarks(topic, partition, REQUEST_TIMEOUT)
                    .map_err(|error| topics::away(&spec.kafka, &error))?;
                ends.push((topic.clone(), partition, high));
            }
        }
        Ok(End { topics: names.to_vec(), from, ends })
    }

    /// True: no record before an end is uncommitted.
    pub fn is_reached(&self, spec: &Spec) -> Result<bool, Stop> {
        let away = |error: KafkaError| topics::away(&spec.kafka, &error);
        let consumer = consumer(spec, self.from)?;
        let mut all = TopicPartitionList::new();
        for (topic, partition, _) in &self.ends {
            all.add_partition(topic, *partition);
        }
        let committed = consumer.committed_offsets(all, REQUEST_TIMEOUT).map_err(away)?;
        // Topic by topic: an end of partition names no topic.
        for topic in &self.topics {
            let mut left = TopicPartitionList::new();
            for (_, partition, end) in self.ends.iter().filter(|(name, _, _)| name == topic) {
                let from = match committed.find_partition(topic, *partition).map(|found| found.offset()) {
                    Some(Offset::Offset(next)) if next >= *end => continue,
                    Some(Offset::Offset(next)) => Offset::Offset(next),
                    _ if *end == 0 || self.from == From::Latest => continue,
                    _ => Offset::Beginning,
                };
                // What lies behind an open transaction cannot be seen yet.
                if consumer.fetch_watermarks(topic, *partition, REQUEST_TIMEOUT).map_err(away)?.1 < *end {
                    return Ok(false);
                }
                left.add_partition_offset(topic, *partition, from).map_err(away)?;
            }
            if left.count() > 0 {
                consumer.assign(&left).map_err(away)?;
                if !self.nothing_before_the_end(&consumer, left.count()) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn nothing_before_the_end(&self, consumer: &BaseConsumer, partitions: usize) -> bool {
        let deadline = Instant::now() + LOOK_MAX;
        // One end may be told twice, before and after a transaction marker.
        let mut ended = BTreeSet::new();
        while ended.len() < partitions && Instant::now() < deadline {
            match consumer.poll(Duration::from_millis(50)) {
                Some(Ok(message)) => {
                    let before = |(topic, partition, end): &(String, i32, i64)| {
                        topic == message.topic() && *partition == message.partition() && message.offset() < *end
                    };
                    if self.ends.iter().any(before) {
                        return false;
                    }
                    ended.insert(message.partition());
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    ended.insert(partition);
                }
                _ => {}
            }
        }
        ended.len() >= partitions
    }
}

fn consumer(spec: &Spec, from: From) -> Result<BaseConsumer, Stop> {
    spec.kafka.consumer(&spec.group, from).create().map_err(|error| topics::bad_client(&error))
}
