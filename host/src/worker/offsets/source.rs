//! A source's offsets: the newest record of each key of the offset topic that begins with the connector's name.

use std::time::Duration;

use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::{Map, Value};

use super::Change;
use crate::exit::Stop;
use crate::kafka::reading::Reading;
use crate::kafka::topics;
use crate::source::stored_offset;
use crate::worker::Options;
use crate::worker::refusal::Refusal;

const PATIENCE: Duration = Duration::from_secs(15);

type Found = Vec<(Value, Value)>;

/// Partition and offset, in the order in which they came.
pub(super) fn read(options: &Options, name: &str) -> Result<Found, Refusal> {
    Ok(keyed(options, name)?.into_iter().map(|(_, partition, offset)| (partition, offset)).collect())
}

/// With the bytes of the keys.
fn keyed(options: &Options, name: &str) -> Result<Vec<(Vec<u8>, Value, Value)>, Stop> {
    let mut found: Vec<(Vec<u8>, Value, Value)> = Vec::new();
    Reading::open(&options.kafka, &options.offset_topic)?.to_end(|message| {
        let Some(key) = message.key() else { return };
        let Some(partition) = partition_of(key, name) else { return };
        let offset = message.payload().and_then(|bytes| serde_json::from_slice(bytes).ok()).filter(Value::is_object);
        found.retain(|(known, _, _)| known != key);
        if let Some(offset) = offset {
            found.push((key.to_vec(), partition, offset));
        }
    })?;
    Ok(found)
}

fn partition_of(key: &[u8], name: &str) -> Option<Value> {
    match serde_json::from_slice(key).ok()? {
        Value::Array(mut pair) if pair.len() == 2 && pair[0] == name => pair.pop(),
        _ => None,
    }
}

pub(super) fn alter(options: &Options, name: &str, changes: &[Change]) -> Result<(), Refusal> {
    let one = |change: &Change| {
        let key = stored_offset::key(name, &change.partition);
        let key = key.ok_or_else(|| Refusal::new(400, unknown_partition(&change.partition)))?;
        let value = change.offset.as_ref().map(|offset| {
            let bytes = stored_offset::value(offset);
            bytes.ok_or_else(|| Refusal::new(400, unknown_offset(offset)))
        });
        Ok((key, value.transpose()?))
    };
    let records = changes.iter().map(one).collect::<Result<Vec<_>, Refusal>>()?;
    Ok(write(options, name, &records)?)
}

fn unknown_partition(given: &Map<String, Value>) -> String {
    let given = Value::Object(given.clone());
    format!(
        "partition is {given}; allowed: {{\"protocol\":\"1\",\"table\":\"schema.table\"}} or {{\"query\":\"query\"}}"
    )
}

fn unknown_offset(given: &Map<String, Value>) -> String {
    let given = Value::Object(given.clone());
    format!("offset is {given}; allowed: null, or numbers as timestamp, timestamp_nanos and incrementing")
}

pub(super) fn reset(options: &Options, name: &str) -> Result<(), Refusal> {
    let records: Vec<_> = keyed(options, name)?.into_iter().map(|(key, _, _)| (key, None)).collect();
    Ok(write(options, name, &records)?)
}

/// In the connector's own transaction, so that an instance that was cut off can write no more behind it.
fn write(options: &Options, name: &str, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), Stop> {
    let away = |error: rdkafka::error::KafkaError| topics::away(&options.kafka, &error);
    let mut config = options.kafka.transactional(&stored_offset::transactional_id(name));
    // Java's partitioner, so that a key has one partition whoever writes it.
    config.set("partitioner", "murmur2_random");
    let producer: BaseProducer = config.create().map_err(|error| topics::bad_client(&error))?;
    producer.init_transactions(PATIENCE).map_err(away)?;
    producer.begin_transaction().map_err(away)?;
    for (key, value) in records {
        let mut record = BaseRecord::<'_, [u8], [u8]>::to(&options.offset_topic).key(key);
        record.payload = value.as_deref();
        producer.send(record).map_err(|(error, _)| away(error))?;
    }
    producer.flush(PATIENCE).map_err(away)?;
    producer.commit_transaction(PATIENCE).map_err(away)
}
