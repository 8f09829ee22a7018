//! What a consumer group has committed, as Connect shows it; committed anew while the group has no members.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Map, Value, json};

use super::Change;
use crate::exit::Stop;
use crate::kafka::standing::{Committed, Offsets, Standing};
use crate::kafka::{Settings, topics};
use crate::state;
use crate::worker::refusal::Refusal;

/// A member that has just left may still be counted.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn read(kafka: &Settings, group: &str) -> Result<Vec<(Value, Value)>, Refusal> {
    // How far a windowed plugin's own topics were read is its own business.
    let is_input = |((topic, _), _): &((String, i32), Committed)| state::plugin_of(group, topic).is_none();
    let show = |((topic, partition), committed): ((String, i32), Committed)| {
        (json!({ "kafka_partition": partition, "kafka_topic": topic }), json!({ "kafka_offset": committed.offset }))
    };
    Ok(standing(kafka, group)?.1.into_iter().filter(is_input).map(show).collect())
}

/// All topics with their partitions, and what the group has committed in them.
pub(super) fn standing(kafka: &Settings, group: &str) -> Result<(BTreeMap<String, i32>, Offsets), Stop> {
    let standing = Standing::of(kafka, group)?;
    let topics = standing.topics()?;
    let offsets = standing.committed(&topics)?;
    Ok((topics, offsets))
}

pub(super) fn alter(kafka: &Settings, group: &str, changes: &[Change]) -> Result<(), Refusal> {
    let changes = changes.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let (topics, mut all) = standing(kafka, group)?;
    let is_there = |(topic, partition): &(String, i32)| topics.get(topic).is_some_and(|count| partition < count);
    if let Some(((topic, partition), _)) = changes.iter().find(|(at, _)| !is_there(at)) {
        let what =
            format!("Failed to alter consumer group offsets: there is no partition {partition} of topic {topic}");
        return Err(Refusal::new(500, what));
    }
    let forgets = changes.iter().any(|(at, offset)| offset.is_none() && all.contains_key(at));
    for (at, offset) in changes {
        match offset {
            // What a task had noted beside the old place says nothing about another one.
            Some(offset) => drop(all.insert(at, Committed { offset, metadata: String::new() })),
            None => drop(all.remove(&at)),
        }
    }
    wait_until_empty(kafka, group)?;
    // One partition alone cannot be forgotten: all are, and the others are said again.
    if forgets {
        reset(kafka, group)?;
    }
    Ok(commit(kafka, group, &all)?)
}

fn parse(change: &Change) -> Result<((String, i32), Option<i64>), Refusal> {
    let topic = change.partition.get("kafka_topic").and_then(Value::as_str);
    let partition = number(&change.partition, "kafka_partition").and_then(|number| i32::try_from(number).ok());
    let (Some(topic), Some(partition)) = (topic, partition.filter(|partition| *partition >= 0)) else {
        let what =
            "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'";
        return Err(Refusal::new(400, what));
    };
    let offset = change.offset.as_ref().map(|offset| {
        let what = "The offset for a sink connector should either be null or contain the key 'kafka_offset'";
        number(offset, "kafka_offset").filter(|offset| *offset >= 0).ok_or_else(|| Refusal::new(400, what))
    });
    Ok(((topic.to_owned(), partition), offset.transpose()?))
}

/// A number, or a text of one.
fn number(map: &Map<String, Value>, key: &str) -> Option<i64> {
    let value = map.get(key)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn commit(kafka: &Settings, group: &str, all: &Offsets) -> Result<(), Stop> {
    if all.is_empty() {
        return Ok(());
    }
    let away = |error: &KafkaError| topics::away(kafka, error);
    let mut list = TopicPartitionList::new();
    for ((topic, partition), committed) in all {
        let mut element = list.add_partition(topic, *partition);
        element.set_offset(Offset::Offset(committed.offset)).map_err(|error| away(&error))?;
        element.set_metadata(&committed.metadata);
    }
    let standing = Standing::of(kafka, group)?;
    patiently(|| standing.consumer().commit(&list, CommitMode::Sync)).map_err(|error| away(&error))
}

/// Forgets all that the group has committed.
pub(super) fn reset(kafka: &Settings, group: &str) -> Result<(), Refusal> {
    wait_until_empty(kafka, group)?;
    let admin: AdminClient<DefaultClientContext> =
        kafka.client("admin").create().map_err(|error: KafkaError| topics::bad_client(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::start(format!("no runtime for the admin client: {error}")))?;
    let deleted = patiently(|| {
        let answer = runtime.block_on(admin.delete_groups(&[group], &AdminOptions::new()))?;
        match answer.into_iter().next() {
            None | Some(Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound))) => Ok(()),
            Some(Err((_, code))) => Err(KafkaError::AdminOp(code)),
        }
    });
    Ok(deleted.map_err(|error| topics::away(kafka, &error))?)
}

/// Refused in the end: whoever reads would write over what is changed now.
pub(super) fn wait_until_empty(kafka: &Settings, group: &str) -> Result<(), Refusal> {
    let (standing, end) = (Standing::of(kafka, group)?, Instant::now() + PATIENCE);
    while !standing.members()?.is_empty() {
        if Instant::now() >= end {
            let why = format!(
                "Failed to alter consumer group offsets of group {group}, which still has members: either tasks haven't \
                 stopped completely yet, or somebody else reads in this group. This can be safely retried"
            );
            return Err(Refusal::new(500, why));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn patiently(mut request: impl FnMut() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match request() {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() >= end => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}
