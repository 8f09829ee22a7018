//! Where a consumer group stands, seen from outside: its members, and what it has committed of which topics.
//!
//! Never joins the group, and never commits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{From, REQUEST_TIMEOUT, Settings, patience, topics};
use crate::exit::Stop;

/// Between two attempts of a request that has no answer.
const PAUSE: Duration = Duration::from_millis(200);

/// What the group has committed in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The next record to be read.
    pub offset: i64,
    pub metadata: String,
}

/// By topic and partition.
pub type Offsets = BTreeMap<(String, i32), Committed>;

/// The first record that is there, and the one behind the last committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    pub first: i64,
    pub end: i64,
}

pub struct Standing {
    settings: Settings,
    group: String,
    consumer: BaseConsumer,
}

impl Standing {
    pub fn of(settings: &Settings, group: &str) -> Result<Standing, Stop> {
        let consumer = settings.consumer(group, From::Earliest).create().map_err(|error| topics::bad_client(&error))?;
        Ok(Standing { settings: settings.clone(), group: group.to_owned(), consumer })
    }

    /// A client with the group's id, for transactions on its behalf.
    pub fn consumer(&self) -> &BaseConsumer {
        &self.consumer
    }

    /// The members, for people.
    pub fn members(&self) -> Result<Vec<String>, Stop> {
        let list = self.ask(|wait| self.consumer.fetch_group_list(Some(&self.group), wait))?;
        let members = list.groups().iter().filter(|group| group.name() == self.group).flat_map(|group| group.members());
        let name = |member: &rdkafka::groups::GroupMemberInfo| {
            format!("{} at {}", member.id(), member.client_host().trim_start_matches('/'))
        };
        Ok(members.map(name).collect())
    }

    /// All groups of the cluster, with the number of their members.
    pub fn groups(&self) -> Result<BTreeMap<String, usize>, Stop> {
        let list = self.ask(|wait| self.consumer.fetch_group_list(None, wait))?;
        Ok(list.groups().iter().map(|group| (group.name().to_owned(), group.members().len())).collect())
    }

    /// All topics but Kafka's own, with the number of their partitions.
    pub fn topics(&self) -> Result<BTreeMap<String, i32>, Stop> {
        let metadata = self.consumer.fetch_metadata(None, REQUEST_TIMEOUT).map_err(|error| self.away(&error))?;
        let topics =
            metadata.topics().iter().filter(|topic| topic.error().is_none() && !topic.name().starts_with("__"));
        Ok(topics.map(|topic| (topic.name().to_owned(), topic.partitions().len() as i32)).collect())
    }

    /// What the group has committed in any of these topics. Waits for transactions that are about to change it.
    pub fn committed(&self, topics: &BTreeMap<String, i32>) -> Result<Offsets, Stop> {
        let mut asked = TopicPartitionList::new();
        for (topic, partitions) in topics {
            asked.add_partition_range(topic, 0, partitions - 1);
        }
        let answer = self.ask(|wait| self.consumer.committed_offsets(asked.clone(), wait))?;
        let found = answer.elements().into_iter().filter_map(|element| {
            // A topic that this client may not read is none of the group's.
            let Offset::Offset(offset) = element.offset() else { return None };
            let committed = Committed { offset, metadata: element.metadata().to_owned() };
            Some(((element.topic().to_owned(), element.partition()), committed))
        });
        Ok(found.collect())
    }

    pub fn ends(&self, topic: &str, partition: i32) -> Result<Ends, Stop> {
        let ends = self.consumer.fetch_watermarks(topic, partition, REQUEST_TIMEOUT);
        ends.map(|(first, end)| Ends { first, end }).map_err(|error| self.away(&error))
    }

    /// The first record of each partition from a time on; `None` where there is none yet.
    pub fn at_time(&self, partitions: &[(String, i32)], time_ms: i64) -> Result<Vec<Option<i64>>, Stop> {
        let mut asked = TopicPartitionList::new();
        for (topic, partition) in partitions {
            let added = asked.add_partition_offset(topic, *partition, Offset::Offset(time_ms));
            added.map_err(|error| self.away(&error))?;
        }
        let answer = self.consumer.offsets_for_times(asked, REQUEST_TIMEOUT).map_err(|error| self.away(&error))?;
        let offset = |(topic, partition): &(String, i32)| match answer.find_partition(topic, *partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        Ok(partitions.iter().map(offset).collect())
    }

    /// A group's coordinator may just be moving, or begin with this very request.
    fn ask<T>(&self, request: impl Fn(Duration) -> KafkaResult<T>) -> Result<T, Stop> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match request(left.max(PAUSE)) {
                Err(error) if patience::is_unanswered(&error) && !left.is_zero() => std::thread::sleep(PAUSE),
                answer => return answer.map_err(|error| self.away(&error)),
            }
        }
    }

    fn away(&self, error: &KafkaError) -> Stop {
        topics::away(&self.settings, error)
    }
}
