//! What topics there are, and making those that are missing.

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaConfRes;

use super::{REQUEST_TIMEOUT, Settings};
use crate::exit::Stop;

/// How long a topic that was just made may stay unknown.
const VISIBLE_WITHIN: Duration = Duration::from_secs(15);
const VISIBLE_PAUSE: Duration = Duration::from_millis(20);

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
/// The topic that a mistyped one was probably meant to be, if the cluster tells.
pub fn nearest(settings: &Settings, topic: &str) -> Option<String> {
    let consumer: BaseConsumer = settings.client("admin").create().ok()?;
    let metadata = consumer.fetch_metadata(None, REQUEST_TIMEOUT).ok()?;
    let names = metadata.topics().iter().map(|topic| topic.name()).filter(|name| *name != topic);
    crate::nearest::nearest(topic, names).map(str::to_owned)
}

/// Makes `topic` unless it is there, and gives the shape that it has.
pub fn ensure(settings: &Settings, topic: &str, wanted: Shape) -> Result<Shape, Stop> {
    ensure_with(settings, topic, wanted, &[])
}

/// The same; the properties are those of a topic that is made.
pub fn ensure_with(settings: &Settings, topic: &str, wanted: Shape, made: &Properties<'_>) -> Result<Shape, Stop> {
    if let Some(shape) = shape(settings, topic)? {
        return Ok(shape);
    }
    let is_new = create(settings, topic, wanted, made)?;
    // Where another client was quicker, it is as that one wanted it.
    let shape = wait_for(settings, topic)?;
    if is_new {
        tracing::info!(topic, partitions = shape.partitions, replicas = shape.replicas, "topic created");
    }
    Ok(shape)
}

/// A topic that was just made is known to one broker after the other, and all of its partitions in the end.
pub fn wait_for(settings: &Settings, topic: &str) -> Result<Shape, Stop> {
    let end = Instant::now() + VISIBLE_WITHIN;
    let consumer: BaseConsumer = settings.client("admin").create().map_err(|error| bad_client(&error))?;
    loop {
        if let Some(shape) = led(&consumer, settings, topic)? {
            return Ok(shape);
        }
        if Instant::now() > end {
            return Err(Stop::dependency(format!("topic {topic} was created, and is not to be seen"))
                .hint("check that all brokers are well, then try again"));
        }
        std::thread::sleep(VISIBLE_PAUSE);
    }
}

/// Its shape, once every partition has a leader.
fn led(consumer: &BaseConsumer, settings: &Settings, topic: &str) -> Result<Option<Shape>, Stop> {
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST_TIMEOUT).map_err(|error| away(settings, &error))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
    let partitions = found.map_or(&[][..], |found| found.partitions());
    let is_led = partitions.iter().all(|partition| partition.error().is_none() && partition.leader() >= 0);
    let replicas = partitions.first().map(|partition| partition.replicas().len() as i32);
    Ok(replicas.filter(|_| is_led).map(|replicas| Shape { partitions: partitions.len() as i32, replicas }))
}

/// Kafka's own bound.
const NAME_LENGTH_MAX: usize = 249;

/// Whether Kafka allows a topic of this name.
pub fn is_name(topic: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=NAME_LENGTH_MAX).contains(&topic.len()) && topic.chars().all(allowed) && ![".", ".."].contains(&topic)
}

pub fn check_name(topic: &str) -> Result<(), Stop> {
    if is_name(topic) {
        return Ok(());
    }
    Err(Stop::usage(format!("Kafka allows no topic named {topic:?}"))
        .hint("allowed are letters, digits, '.', '_' and '-', at most 249 of them"))
}

/// Makes a topic that is not there; one that is, is a mistake.
pub fn make(settings: &Settings, topic: &str, shape: Shape) -> Result<(), Stop> {
    create(settings, topic, shape, &[])?;
    wait_for(settings, topic).map(drop)
}

/// What was set for this topic alone, by name.
pub fn set_for(settings: &Settings, topic: &str) -> Result<Vec<(String, String)>, Stop> {
    let (admin, runtime) = admin(settings)?;
    let asked = [ResourceSpecifier::Topic(topic)];
    let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
    let answer = runtime.block_on(admin.describe_configs(&asked, &options)).map_err(|error| away(settings, &error))?;
    let entries = answer.into_iter().flatten().flat_map(|resource| resource.entries);
    let set = entries.filter(|entry| entry.source == ConfigSource::DynamicTopic && !entry.is_sensitive);
    let mut set: Vec<_> = set.map(|entry| (entry.name, entry.value.unwrap_or_default())).collect();
    set.sort();
    Ok(set)
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

/// False: it was there.
fn create(settings: &Settings, topic: &str, shape: Shape, properties: &Properties<'_>) -> Result<bool, Stop> {
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
        made => Ok(matches!(made, Some(Ok(_)))),
    }
}

/// A client that cannot be made of its settings.
pub fn bad_client(error: &KafkaError) -> Stop {
    Stop::usage(format!("no Kafka client can be made: {}", reason(error)))
        .hint("librdkafka's CONFIGURATION.md lists all properties (-X, [kafka.properties]) and their values")
}

/// The cluster did not answer, or there is no client to ask it with.
pub fn away(settings: &Settings, error: &KafkaError) -> Stop {
    match error {
        KafkaError::ClientConfig(..) => bad_client(error),
        _ => no_answer(&settings.brokers, &reason(error)),
    }
}

pub fn no_answer(brokers: &str, why: &str) -> Stop {
    Stop::dependency(format!("no Kafka broker answers at {brokers}: {why}")).hint(
        "check --brokers, and that Kafka is running and reachable from here; TLS and SASL are set by properties (-X)",
    )
}

/// Why, without what was asked: our own text says that.
pub fn reason(error: &KafkaError) -> String {
    match error {
        // Its own text shows the property's value, which may be a password.
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            format!("the property {name:?} is not known to librdkafka")
        }
        KafkaError::ClientConfig(_, _, name, _) => {
            format!("the property {name:?} has a value that librdkafka does not allow")
        }
        _ => error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_property_is_named_without_its_value() {
        for name in ["security.protocol", "session.timeout.ms", "sasl.pasword"] {
            let mut settings = Settings::new("127.0.0.1:1");
            settings.properties.push((name.to_owned(), "hunter2".to_owned()));
            let told = answers(&settings, Duration::ZERO).map_err(|stop| stop.to_string());
            assert!(told.is_err_and(|text| text.contains(name) && !text.contains("hunter2")), "{name}");
        }
    }
}
