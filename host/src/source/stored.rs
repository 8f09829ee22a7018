//! Reads the offsets topic to its end, once, at start. Never joins a group and never commits anything.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset as Position, TopicPartitionList};

use super::failure::Failure;
use super::offset::{Offset, key_protocol};
use super::publish::KafkaSettings;
use crate::kafka::topics::{bad_client, reason};
use crate::shutdown::Shutdown;

const PATIENCE: Duration = Duration::from_secs(60);
const METADATA_WITHIN: Duration = Duration::from_secs(5);

/// The stored offset of each origin (a table by its full name; none: the query). Committed ones only.
pub(super) fn read(
    settings: &KafkaSettings,
    connector: &str,
    origins: &[Option<String>],
    shutdown: &Shutdown,
) -> Result<Vec<Option<Offset>>, Failure> {
    let topic = &settings.offsets_topic;
    let failed =
        |error: KafkaError| Failure::Kafka(format!("offsets topic {topic:?} cannot be read: {}", reason(&error)));
    let mut config = settings.client();
    config.set("group.id", format!("smt-source-{connector}-offsets"));
    config.set("enable.auto.commit", "false");
    config.set("enable.partition.eof", "true");
    config.set("isolation.level", "read_committed");
    config.set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().map_err(|error| bad_client(&error))?;
    let mut unread = partitions(&consumer, topic).map_err(failed)?;
    let mut list = TopicPartitionList::new();
    for partition in &unread {
        list.add_partition_offset(topic, *partition, Position::Beginning).map_err(failed)?;
    }
    consumer.assign(&list).map_err(failed)?;
    let mut found = Found::default();
    let end = Instant::now() + PATIENCE;
    while !unread.is_empty() {
        if Instant::now() > end || shutdown.is_requested() {
            return Err(Failure::Kafka(format!("offsets topic {topic:?} was not read in {} s", PATIENCE.as_secs())));
        }
        match consumer.poll(Duration::from_millis(200)) {
            None => {}
            Some(Err(KafkaError::PartitionEOF(partition))) => unread.retain(|other| *other != partition),
            Some(Err(error)) => return Err(failed(error)),
            Some(Ok(message)) => found.take(message.key(), message.payload(), connector, origins),
        }
    }
    Ok(found.offsets(origins.len()))
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<Vec<i32>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), METADATA_WITHIN)?;
    Ok(metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect())
}

/// By origin and protocol: the newest protocol is preferred, not the newest record.
#[derive(Clone, Default)]
struct Found(HashMap<(usize, u8), Offset>);

impl Found {
    fn take(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, connector: &str, origins: &[Option<String>]) {
        let Some(key) = key else { return };
        for (index, origin) in origins.iter().enumerate() {
            let Some(protocol) = key_protocol(key, connector, origin.as_deref()) else { continue };
            match value.and_then(Offset::from_bytes) {
                Some(offset) => self.0.insert((index, protocol), offset),
                None => self.0.remove(&(index, protocol)),
            };
        }
    }

    fn offsets(self, count: usize) -> Vec<Option<Offset>> {
        let best = |index| [1, 0].into_iter().find_map(|protocol| self.0.get(&(index, protocol)).copied());
        (0..count).map(best).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_1_wins_over_protocol_0_whatever_came_last_and_a_tombstone_forgets() {
        let tables = [Some("public.t".to_owned())];
        let mut found = Found::default();
        let (new, old) = (br#"["c",{"protocol":"1","table":"public.t"}]"#, br#"["c",{"table":"t"}]"#);
        found.take(Some(new), Some(br#"{"timestamp":2}"#), "c", &tables);
        found.take(Some(old), Some(br#"{"timestamp":1}"#), "c", &tables);
        let at = |found: Found| found.offsets(1)[0].and_then(|offset| offset.timestamp);
        assert_eq!(at(found.clone()), Some(2000));
        found.take(Some(new), None, "c", &tables);
        assert_eq!(at(found), Some(1000));
    }
}
