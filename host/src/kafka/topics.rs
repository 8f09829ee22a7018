//! What topics there are, and making those that are missing.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::{REQUEST_TIMEOUT, Settings};
use crate::exit::Stop;

/// Partitions and replication of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub partitions: i32,
    pub replicas: i32,
}

/// Whether any broker answers.
pub fn answers(settings: &Settings, within: Duration) -> Result<(), Stop> {
    let consumer: BaseConsumer = settings.client("admin").create().map_err(|error| bad_client(&error))?;
    consumer.fetch_metadata(None, within).map(drop).map_err(|error| away(settings, &error))
}

/// The shape of `topic`; `None` where there is no such topic.
pub fn shape(settings: &Settings, topic: &str) -> Result<Option<Shape>, Stop> {
    let consumer: BaseConsumer = settings.client("admin").create().map_err(|error| bad_client(&error))?;
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST_TIMEOUT).map_err(|error| away(settings, &error))?;
    let Some(found) = metadata.topics().iter().find(|t| t.name() == topic) else { return Ok(None) };
    if found.error().is_some() || found.partitions().is_empty() {
        return Ok(None);
    }
    let replicas = found.partitions()[0].replicas().len() as i32;
    Ok(Some(Shape { partitions: found.partitions().len() as i32, replicas }))
}

/// Properties of a topic, by their names in Kafka.
pub type Properties<'a> = [(&'a str, String)];

/// Makes `topic` unless it is there, and gives the shape that it has.
pub fn ensure(settings: &Settings, topic: &str, wanted: Shape) -> Result<Shape, Stop> {
    ensure_with(settings, topic, wanted, &[])
}

/// The same; the properties are those of a topic that is made.
pub fn ensure_with(settings: &Settings, topic: &str, wanted: Shape, made: &Properties<'_>) -> Result<Shape, Stop> {
    if let Some(shape) = shape(settings, topic)? {
        return Ok(shape);
    }
    create(settings, topic, wanted, made)?;
    Ok(wanted)
}

/// Deletes the records before these offsets.
pub fn purge(settings: &Settings, before: &TopicPartitionList) -> Result<(), Stop> {
    let (admin, runtime) = admin(settings)?;
    let answer = runtime.block_on(admin.delete_records(before, &AdminOptions::new()));
    let answer = answer.map_err(|error| away(settings, &error))?;
    let refused = answer.elements().iter().find_map(|element| element.error().err());
    refused.map_or(Ok(()), |error| Err(Stop::start(format!("records could not be deleted: {error}"))))
}

fn admin(settings: &Settings) -> Result<(AdminClient<DefaultClientContext>, tokio::runtime::Runtime), Stop> {
    let admin = settings.client("admin").create().map_err(|error| bad_client(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::start(format!("no runtime for the admin client: {error}")))?;
    Ok((admin, runtime))
}

fn create(settings: &Settings, topic: &str, shape: Shape, properties: &Properties<'_>) -> Result<(), Stop> {
    let (admin, runtime) = admin(settings)?;
    let mut new = NewTopic::new(topic, shape.partitions, TopicReplication::Fixed(shape.replicas));
    for (name, value) in properties {
        new = new.set(name, value);
    }
    let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT));
    let results = runtime.block_on(admin.create_topics([&new], &options)).map_err(|error| away(settings, &error))?;
    match results.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(Stop::start(format!("topic {topic} could not be created: {code}"))
                .hint("create it by hand, or allow this client to create topics"))
        }
        _ => {
            tracing::info!(topic, partitions = shape.partitions, replicas = shape.replicas, "topic created");
            Ok(())
        }
    }
}

pub fn bad_client(error: &KafkaError) -> Stop {
    // Its own text ends with the property's value, which may be a password.
    let why = match error {
        KafkaError::ClientConfig(_, why, _, _) => why.clone(),
        other => other.to_string(),
    };
    Stop::usage(format!("Kafka client settings: {why}"))
        .hint("look at the properties passed with -X or [kafka.properties]; librdkafka's CONFIGURATION.md lists them")
}

/// The cluster did not answer.
pub fn away(settings: &Settings, error: &KafkaError) -> Stop {
    let why = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
    Stop::dependency(format!("no Kafka broker answers at {}: {why}", settings.brokers)).hint(
        "check --brokers, and that Kafka is running and reachable from here; TLS and SASL are set by properties (-X)",
    )
}
