//! A group's offsets and state, written by hand: what a pipeline with a windowed plugin leaves in Kafka.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::kafka::From;
use smt_host::kafka::standing::{Offsets, Standing};
use smt_host::window::wire::{self, Entry};
use smt_host::window::{Late, Metadata, Progress};
use smt_tests::{read_committed, world};

/// Partitions of every topic.
pub(crate) const PARTITIONS: i32 = 2;
pub(crate) const PLUGIN: &str = "count";

/// One group with its own input.
pub(crate) struct Kept {
    pub(crate) group: String,
    pub(crate) input: String,
}

impl Kept {
    /// The topics, still empty.
    pub(crate) fn new(name: &str) -> Kept {
        let kept = Kept { group: format!("kept-{name}"), input: format!("kept-{name}-input") };
        for topic in [kept.input.clone(), kept.changelog(), kept.repartition()] {
            world().topic(&topic, PARTITIONS);
        }
        kept
    }

    pub(crate) fn changelog(&self) -> String {
        format!("{}-{PLUGIN}-changelog", self.group)
    }

    pub(crate) fn repartition(&self) -> String {
        format!("{}-{PLUGIN}-repartition", self.group)
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing::of(&world().settings(), &self.group).unwrap()
    }

    /// All that the group has committed.
    pub(crate) fn offsets(&self) -> Offsets {
        let standing = self.standing();
        standing.committed(&standing.topics().unwrap()).unwrap()
    }

    /// As a simple consumer would.
    pub(crate) fn commit(&self, offsets: &[(&str, i32, i64, &str)]) {
        let consumer: BaseConsumer = world().settings().consumer(&self.group, From::Earliest).create().unwrap();
        let mut list = TopicPartitionList::new();
        for (topic, partition, offset, metadata) in offsets {
            let mut element = list.add_partition(topic, *partition);
            element.set_offset(Offset::Offset(*offset)).unwrap();
            element.set_metadata(metadata);
        }
        consumer.commit(&list, CommitMode::Sync).unwrap();
    }

    /// Groups of the plugin: (partition, window start, key, count).
    pub(crate) fn groups(&self, groups: &[(i32, i64, &str, u64)]) {
        let record = |(partition, start, key, count): &(i32, i64, &str, u64)| {
            let entry = Entry { count: *count, greatest: *start, accumulator: b"" };
            (*partition, wire::group_key(*start, key.as_bytes()), Some(wire::encode_entry(&entry)))
        };
        write(&self.changelog(), &groups.iter().map(record).collect::<Vec<_>>());
    }

    /// Keys that the changelog still has, after compaction.
    pub(crate) fn keys(&self) -> usize {
        let mut keys = BTreeMap::new();
        for seen in read_committed(&self.changelog()) {
            keys.insert((seen.partition, seen.key), seen.value.is_some());
        }
        keys.into_values().filter(|there| *there).count()
    }
}

/// (partition, key, value)
type Written = (i32, Vec<u8>, Option<Vec<u8>>);

/// Stamped with the present: the broker deletes what is old.
pub(crate) fn write(topic: &str, records: &[Written]) {
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for (partition, key, value) in records {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(*partition).key(key);
        record.payload = value.as_deref();
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

/// What stands beside an input partition's offset.
pub(crate) fn metadata(stream_time: Option<i64>, at_ms: i64, late: Late) -> String {
    let mut metadata = Metadata::default();
    metadata.plugins.insert(PLUGIN.to_owned(), Progress { stream_time, at_ms, sent: stream_time, late });
    metadata.encode()
}
