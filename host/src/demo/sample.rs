//! The last few records of a topic, as JSON, for people to look at. A sample that cannot be read is left out.

use std::collections::VecDeque;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::avro::{Schema, ToJson};
use crate::kafka::{From, Settings};
use crate::registry::{Registry, wire};

const KEPT: usize = 3;
/// So many records are looked at in one go: it must not hold the view up.
const AT_ONCE: usize = 200;

pub(super) struct Sample {
    consumer: Option<BaseConsumer>,
    registry: Registry,
    last: VecDeque<Vec<u8>>,
}

impl Sample {
    /// Follows `partitions` of `topic` from the last few records.
    pub(super) fn of(settings: &Settings, registry: &Registry, topic: &str, partitions: i32) -> Sample {
        let consumer = settings.consumer("smt-demo-sample", From::Latest).create::<BaseConsumer>().ok();
        let consumer = consumer.filter(|consumer| {
            let mut list = TopicPartitionList::new();
            let added = (0..partitions)
                .all(|partition| list.add_partition_offset(topic, partition, Offset::OffsetTail(KEPT as i64)).is_ok());
            added && consumer.assign(&list).is_ok()
        });
        Sample { consumer, registry: registry.clone(), last: VecDeque::new() }
    }

    /// The newest records so far.
    pub(super) fn newest(&mut self) -> Vec<String> {
        let Some(consumer) = &self.consumer else { return Vec::new() };
        for _ in 0..AT_ONCE {
            let Some(polled) = consumer.poll(Duration::ZERO) else { break };
            let Ok(message) = polled else { continue };
            self.last.push_back(message.payload().unwrap_or_default().to_vec());
            if self.last.len() > KEPT {
                self.last.pop_front();
            }
        }
        self.last.iter().filter_map(|value| json(&self.registry, value)).collect()
    }
}

/// A framed Avro value as JSON.
pub(super) fn json(registry: &Registry, value: &[u8]) -> Option<String> {
    let (id, datum) = wire::unframe(value).ok()?;
    let schema = Schema::parse(&registry.schema(id).ok()?).ok()?;
    let mut json = Vec::new();
    ToJson::compile(&schema).run(datum, &mut json).ok()?;
    String::from_utf8(json).ok()
}
