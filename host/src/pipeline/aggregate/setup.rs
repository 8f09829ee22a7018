//! What an aggregating plugin needs before the first record: its internal topics, its key's schema, and state that was
//! made with the same windows.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::event_time::EventTime;
use super::options::OnLate;
use super::stamp::{Place, Shape, Stamp};
use crate::exit::Stop;
use crate::guest::{Format, Grouping, World};
use crate::kafka::patience::ask_within;
use crate::kafka::topics::{self, Properties};
use crate::kafka::{From, REQUEST_TIMEOUT};
use crate::pipeline::prepare::{Encoding, NotReady, encoding};
use crate::pipeline::{Delivery, Member, Spec};
use crate::window::{Emit, Limits, RESET, SourceLimits, SourcePartition, Windows};

/// Groups of a plugin in one partition, unless the operator says otherwise.
const KEYS_MAX: u64 = 10_000_000;
/// Beyond these, a commit comes early.
const HELD_GROUPS_MAX: usize = 100_000;
const HELD_BYTES_MAX: usize = 32 << 20;
const OVERLAY_BYTES_MAX: usize = 64 << 20;
/// A changelog outlives its windows by a day, as in Kafka Streams.
const CHANGELOG_RETENTION_MORE_MS: i64 = 24 * 60 * 60 * 1000;

/// A prepared aggregating plugin.
pub struct Aggregate {
    pub plugin: String,
    pub windows: Option<Windows>,
    pub emit: Emit,
    pub on_late: OnLate,
    pub limits: Limits,
    pub source_limits: SourceLimits,
    /// The input stands in the partitions of its groups' keys.
    pub partitioned: bool,
    /// Whose partitions the groups are of: the repartition topic, or the input where it is `partitioned`.
    pub home: String,
    pub changelog: String,
    /// Of both.
    pub partitions: i32,
    pub event_time: EventTime,
    /// How a group's key is written on the output topic.
    pub key: Encoding,
    /// All partitions of the input.
    pub sources: Vec<SourcePartition>,
    pub(super) shape: Shape,
}

pub fn repartition_topic(group: &str, plugin: &str) -> String {
    format!("{group}-{plugin}-repartition")
}

pub fn changelog_topic(group: &str, plugin: &str) -> String {
    format!("{group}-{plugin}-changelog")
}

impl Aggregate {
    /// An input partition; without an allocation where it is known.
    pub fn source(&self, topic: &str, partition: i32) -> SourcePartition {
        let known = self.sources.iter().find(|source| source.is(topic, partition));
        known.cloned().unwrap_or_else(|| SourcePartition::new(topic, partition))
    }

    /// What stands beside an offset of `home`.
    pub(super) fn stamp(&self, metadata: &str) -> Option<Stamp> {
        if self.partitioned { Stamp::beside_input(metadata, &self.plugin) } else { Stamp::decode(metadata) }
    }
}

/// What is wrong in itself. Contacts nothing.
pub fn check(spec: &Spec) -> Result<(), Stop> {
    let mut names: Vec<&str> = Vec::new();
    for member in &spec.members {
        let World::Aggregate(grouping) = member.configured.world() else { continue };
        let plugin = &member.configured.plugin().description().name;
        if names.contains(&plugin.as_str()) {
            return Err(Stop::usage(format!("pipeline {} has the aggregating plugin {plugin} twice", spec.name))
                .hint("their state would be one; put each into a pipeline of its own"));
        }
        names.push(plugin);
        if spec.delivery == Delivery::AtLeastOnce {
            let text = format!("plugin {plugin} keeps state, which delivery at least once would count twice");
            return Err(Stop::start(format!("pipeline {}: {text}", spec.name))
                .hint("leave --delivery at exactly-once for plugins that aggregate"));
        }
        if grouping.partitioned && spec.inputs.len() > 1 {
            let text = format!("plugin {plugin} wants its input where its groups are, which only one topic can be");
            let inputs = spec.inputs.join(", ");
            return Err(Stop::usage(format!("pipeline {}: {text}; it reads {inputs}", spec.name))
                .hint("give each topic a pipeline of its own, or build the plugin without `partitioned`"));
        }
        member.windows.windows(plugin, grouping)?;
    }
    Ok(())
}

/// `None`: the plugin does not aggregate.
pub fn setup(
    spec: &Spec,
    member: &Member,
    inputs: &[(String, topics::Shape)],
    output: &str,
) -> Result<Option<Aggregate>, NotReady> {
    let World::Aggregate(grouping) = member.configured.world() else { return Ok(None) };
    let plugin = member.configured.plugin().description().name.clone();
    let windows = member.windows.windows(&plugin, grouping)?;
    let Some((_, input)) = inputs.iter().max_by_key(|(_, shape)| shape.partitions) else { return Ok(None) };
    let changelog = changelog_topic(&spec.group, &plugin);
    let (home, partitions) = home(spec, &plugin, grouping, inputs, *input)?;
    let kept = topics::Shape { partitions, ..*input };
    let found = internal(spec, &changelog, kept, &changelog_properties(windows.as_ref()))?;
    if found != partitions {
        let text = format!("topic {changelog} has {found} partitions and {home} has {partitions}");
        let hint = if grouping.partitioned {
            "both need as many, and keys have moved: --group begins anew, or `smt-host reset` and a new changelog topic"
        } else {
            "both need as many: give the one with fewer more, or delete both and what was counted with them"
        };
        return Err(Stop::start(format!("plugin {plugin}: {text}")).hint(hint).into());
    }
    let accumulator_bytes_max = member.configured.plugin().limits().accumulator_bytes_max;
    let keys_max = member.windows.keys_max.unwrap_or(KEYS_MAX);
    let sources = inputs.iter().flat_map(|(topic, shape)| {
        let topic: std::sync::Arc<str> = topic.as_str().into();
        (0..shape.partitions).map(move |partition| SourcePartition::new(topic.clone(), partition))
    });
    let aggregate = Aggregate {
        windows,
        emit: member.windows.emit(grouping),
        event_time: EventTime::of(&plugin, grouping.time_field.as_deref(), &member.configured.wiring().input)?,
        on_late: member.windows.late,
        limits: Limits { keys_max, accumulator_bytes_max, overlay_bytes_max: OVERLAY_BYTES_MAX },
        source_limits: SourceLimits {
            held_groups_max: HELD_GROUPS_MAX,
            held_bytes_max: HELD_BYTES_MAX,
            accumulator_bytes_max,
        },
        partitions,
        key: key(spec, &plugin, grouping, output)?,
        sources: sources.collect(),
        shape: Shape::of(grouping, partitions),
        partitioned: grouping.partitioned,
        home,
        changelog,
        plugin,
    };
    check_state(spec, &aggregate)?;
    Ok(Some(aggregate))
}

/// Where the groups are, and in how many partitions.
fn home(
    spec: &Spec,
    plugin: &str,
    grouping: &Grouping,
    inputs: &[(String, topics::Shape)],
    largest: topics::Shape,
) -> Result<(String, i32), NotReady> {
    match (grouping.partitioned, inputs.first()) {
        (true, Some((input, shape))) => Ok((input.clone(), shape.partitions)),
        _ => {
            let repartition = repartition_topic(&spec.group, plugin);
            let partitions = internal(spec, &repartition, largest, &repartition_properties())?;
            Ok((repartition, partitions))
        }
    }
}

fn key(spec: &Spec, plugin: &str, grouping: &Grouping, output: &str) -> Result<Encoding, NotReady> {
    let format: &Format = &grouping.key;
    encoding(spec, plugin, "its key", &format!("{output}-key"), Some(format))
}

/// What is read of it is deleted by its readers, never by age: it holds what is counted nowhere else yet.
fn repartition_properties() -> [(&'static str, String); 2] {
    [("cleanup.policy", "delete".to_owned()), ("retention.ms", "-1".to_owned())]
}

fn changelog_properties(windows: Option<&Windows>) -> Vec<(&'static str, String)> {
    let Some(windows) = windows else { return vec![("cleanup.policy", "compact".to_owned())] };
    let retention = windows.retention_ms.saturating_add(CHANGELOG_RETENTION_MORE_MS);
    vec![("cleanup.policy", "compact,delete".to_owned()), ("retention.ms", retention.to_string())]
}

/// An internal topic's partitions.
fn internal(spec: &Spec, topic: &str, wanted: topics::Shape, made: &Properties<'_>) -> Result<i32, NotReady> {
    if spec.create_topics {
        let shape = topics::ensure_with(&spec.kafka, topic, wanted, made).map_err(NotReady::kafka)?;
        return Ok(shape.partitions);
    }
    let found = topics::shape(&spec.kafka, topic).map_err(NotReady::kafka)?;
    found.map(|shape| shape.partitions).ok_or_else(|| {
        let properties: Vec<String> = made.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (partitions, properties) = (wanted.partitions, properties.join(", "));
        Stop::start(format!("topic {topic}, which a plugin's state needs, does not exist"))
            .hint(format!(
                "create it with {partitions} partitions, {properties}; or leave --create-topics on so that smt-host does"
            ))
            .into()
    })
}

/// State in Kafka fits this plugin, or there is none.
fn check_state(spec: &Spec, aggregate: &Aggregate) -> Result<(), NotReady> {
    let away = |error: KafkaError| NotReady::kafka(topics::away(&spec.kafka, &error));
    let consumer: BaseConsumer =
        spec.kafka.consumer(&spec.group, From::Earliest).create().map_err(|error| topics::bad_client(&error))?;
    let place = Place { pipeline: &spec.name, group: &spec.group, plugin: &aggregate.plugin };
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(&aggregate.home, 0, aggregate.partitions - 1);
    let committed = || committed(&consumer, &asked);
    refuse_moved(&consumer, aggregate, &place)?;
    let mut unknown = Vec::new();
    for element in committed().map_err(away)?.elements() {
        match aggregate.stamp(element.metadata()) {
            Some(stamp) => stamp.check(&aggregate.shape, &place)?,
            None if element.metadata() == RESET => {}
            None => unknown.push(element.partition()),
        }
    }
    for partition in unknown {
        if !holds_records(spec, &consumer, &aggregate.changelog, partition).map_err(away)? {
            continue;
        }
        // Another instance may have begun since.
        let again = committed().map_err(away)?;
        let known = again.find_partition(&aggregate.home, partition);
        if known.is_none_or(|element| aggregate.stamp(element.metadata()).is_none()) {
            let (changelog, home) = (&aggregate.changelog, &aggregate.home);
            let why = format!(
                "topic {changelog} partition {partition} holds some, but the group has no offset of its own in topic \
                 {home} (offsets were reset or have expired)"
            );
            return Err(place.refuse(&why).into());
        }
    }
    Ok(())
}

fn committed(consumer: &BaseConsumer, asked: &TopicPartitionList) -> Result<TopicPartitionList, KafkaError> {
    ask_within(REQUEST_TIMEOUT, |wait| {
        let answer = consumer.committed_offsets(asked.clone(), wait)?;
        answer.elements().iter().try_for_each(|element| element.error())?;
        Ok(answer)
    })
}

/// State that stands beside the input's offsets is not looked for in a repartition topic.
fn refuse_moved(consumer: &BaseConsumer, aggregate: &Aggregate, place: &Place<'_>) -> Result<(), NotReady> {
    if aggregate.partitioned {
        return Ok(());
    }
    let mut inputs = TopicPartitionList::new();
    for source in &aggregate.sources {
        inputs.add_partition(&source.topic, source.partition);
    }
    let beside = committed(consumer, &inputs).map_err(|error| NotReady::kafka(Stop::dependency(error.to_string())))?;
    let kept = |metadata: &str| Stamp::beside_input(metadata, &aggregate.plugin).is_some();
    if beside.elements().iter().any(|element| kept(element.metadata())) {
        return Err(place.refuse("its input stood where its groups are (`partitioned`) and now does not").into());
    }
    Ok(())
}

/// Whether anything committed can be read in a partition.
fn holds_records(spec: &Spec, consumer: &BaseConsumer, topic: &str, partition: i32) -> Result<bool, KafkaError> {
    let (low, high) = consumer.fetch_watermarks(topic, partition, REQUEST_TIMEOUT)?;
    if low >= high {
        return Ok(false);
    }
    let reader: BaseConsumer = spec.kafka.consumer(&spec.group, From::Earliest).create()?;
    let mut one = TopicPartitionList::new();
    one.add_partition_offset(topic, partition, Offset::Beginning)?;
    reader.assign(&one)?;
    match reader.poll(REQUEST_TIMEOUT) {
        Some(Ok(_)) => Ok(true),
        Some(Err(KafkaError::PartitionEOF(_))) => Ok(false),
        Some(Err(error)) => Err(error),
        None => Err(KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut)),
    }
}
