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
use crate::kafka::standing::Standing;
use crate::kafka::{Settings, topics};
use crate::worker::refusal::Refusal;

/// A member that has just left may still be counted.
const PATIENCE: Duration = Duration::from_secs(10);

type Committed = BTreeMap<(String, i32), i64>;

pub(super) fn read(kafka: &Settings, group: &str) -> Result<Vec<(Value, Value)>, Refusal> {
    let show = |((topic, partition), offset): ((String, i32), i64)| {
        (json!({ "kafka_partition": partition, "kafka_topic": topic }), json!({ "kafka_offset": offset }))
    };
    Ok(committed(kafka, group)?.into_iter().map(show).collect())
}

fn committed(kafka: &Settings, group: &str) -> Result<Committed, Stop> {
    let standing = Standing::of(kafka, group)?;
    let found = standing.committed(&standing.topics()?)?;
    Ok(found.into_iter().map(|(at, committed)| (at, committed.offset)).collect())
}

pub(super) fn alter(kafka: &Settings, group: &str, changes: &[Change]) -> Result<(), Refusal> {
    let changes = changes.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let topics = Standing::of(kafka, group)?.topics()?;
    let is_there = |(topic, partition): &(String, i32)| topics.get(topic).is_some_and(|count| partition < count);
    if let Some(((topic, partition), _)) = changes.iter().find(|(at, _)| !is_there(at)) {
        let what =
            format!("Failed to alter consumer group offsets: there is no partition {partition} of topic {topic}");
        return Err(Refusal::new(500, what));
    }
    let mut all = committed(kafka, group)?;
    let forgets = changes.iter().any(|(at, offset)| offset.is_none() && all.contains_key(at));
    for (at, offset) in changes {
        match offset {
            Some(offset) => drop(all.insert(at, offset)),
            None => drop(all.remove(&at)),
        }
    }
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

fn commit(kafka: &Settings, group: &str, all: &Committed) -> Result<(), Stop> {
    if all.is_empty() {
        return Ok(());
    }
    let away = |error: &KafkaError| topics::away(kafka, error);
    let mut list = TopicPartitionList::new();
    for ((topic, partition), offset) in all {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).map_err(|error| away(&error))?;
    }
    let standing = Standing::of(kafka, group)?;
    patiently(|| standing.consumer().commit(&list, CommitMode::Sync)).map_err(|error| away(&error))
}

/// Forgets all that the group has committed.
pub(super) fn reset(kafka: &Settings, group: &str) -> Result<(), Refusal> {
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
