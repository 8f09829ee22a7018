//! What is done before the first record: output schemas are registered, topics made, plans for known schemas found.
//!
//! Whatever can fail for good fails here, before anything was read.

use crate::avro::{FromJson, Plan, Schema};
use crate::exit::{Exit, Stop};
use crate::guest::{Configured, Format, Output as Declared, World};
use crate::kafka::patience::Thing;
use crate::kafka::topics::{self, Properties, Shape};
use crate::registry;

use super::aggregate::{self, Aggregate};
use super::{Member, Spec};

/// Why a pipeline cannot begin.
pub enum NotReady {
    /// May come back.
    Away(Thing, Stop),
    /// Will not get better by waiting.
    Refused(Stop),
}

impl From<Stop> for NotReady {
    fn from(stop: Stop) -> NotReady {
        NotReady::Refused(stop)
    }
}

impl From<registry::Error> for NotReady {
    fn from(error: registry::Error) -> NotReady {
        let away = matches!(error, registry::Error::Unreachable { .. });
        if away { NotReady::Away(Thing::Registry, error.into()) } else { NotReady::Refused(error.into()) }
    }
}

impl NotReady {
    /// For what was asked of the brokers.
    pub fn kafka(stop: Stop) -> NotReady {
        if stop.exit == Exit::Dependency { NotReady::Away(Thing::Brokers, stop) } else { NotReady::Refused(stop) }
    }
}

/// A plugin ready to be given batches.
pub struct Prepared {
    pub configured: Configured,
    pub outputs: Vec<Target>,
    /// Of a plugin that aggregates.
    pub aggregate: Option<Aggregate>,
}

/// Where an output goes and how it is written.
pub struct Target {
    pub topic: String,
    pub partitions: i32,
    /// Where it differs, keys choose the partition.
    pub input_partitions: i32,
    pub encoding: Encoding,
    /// The same of a new key.
    pub key: Encoding,
    /// The largest record that can be sent there.
    pub record_bytes_max: usize,
    /// The output's format is the input's: -2 stands for the value as it was handed over.
    pub same_as_input: bool,
}

/// How a value is put on the topic.
pub enum Encoding {
    /// The input's value as it stands on its topic.
    Input,
    /// Avro behind the registry's frame. The plan copies and checks: a plugin's bytes are never trusted.
    Avro {
        id: u32,
        check: Plan,
    },
    AvroFromJson {
        id: u32,
        encode: FromJson,
    },
    Raw,
}

/// Checks inputs, registers schemas, makes topics.
pub fn members(spec: &Spec) -> Result<Vec<Prepared>, NotReady> {
    spec.kafka.check()?;
    aggregate::check(spec)?;
    let inputs = input_shapes(spec)?;
    let Some((_, shape)) = inputs.iter().max_by_key(|(_, shape)| shape.partitions) else {
        return Err(Stop::usage(format!("pipeline {} has no input topic", spec.name)).into());
    };
    topics_ensure(spec, &spec.dead_letter_topic, Shape { partitions: 1, ..*shape }, &[])?;
    spec.members.iter().map(|member| prepare(spec, member, &inputs, *shape)).collect()
}

fn input_shapes(spec: &Spec) -> Result<Vec<(String, Shape)>, NotReady> {
    let shape = |topic: &String| {
        let shape = topics::shape(&spec.kafka, topic).map_err(NotReady::kafka)?.ok_or_else(|| {
            let near = topics::nearest(&spec.kafka, topic);
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
            let stop = Stop::start(format!("pipeline {}: input topic {topic} does not exist{near}", spec.name))
                .hint("create it, start what writes it, or name another with --input");
            NotReady::Away(Thing::Topic(topic.clone()), stop)
        })?;
        Ok((topic.clone(), shape))
    };
    spec.inputs.iter().map(shape).collect()
}

fn prepare(spec: &Spec, member: &Member, inputs: &[(String, Shape)], shape: Shape) -> Result<Prepared, NotReady> {
    let wiring = member.configured.wiring();
    let mut outputs = Vec::with_capacity(wiring.outputs.len());
    for declared in &wiring.outputs {
        outputs.push(target(spec, member, declared, chosen_topic(member, declared), shape)?);
    }
    let output = outputs.first().map_or("", |target| target.topic.as_str());
    let aggregate = aggregate::setup(spec, member, inputs, output)?;
    Ok(Prepared { configured: member.configured.clone(), outputs, aggregate })
}

fn chosen_topic<'a>(member: &'a Member, declared: &'a Declared) -> &'a str {
    let chosen = member.topics.iter().find(|(name, _)| *name == declared.name);
    chosen.map_or(declared.topic.as_str(), |(_, topic)| topic)
}

fn target(spec: &Spec, member: &Member, declared: &Declared, topic: &str, shape: Shape) -> Result<Target, NotReady> {
    let plugin = &member.configured.plugin().description().name;
    let what = format!("output {}", declared.name);
    let encoding = encoding(spec, plugin, &what, &format!("{topic}-value"), declared.value.as_ref())?;
    let key = encoding_of_key(spec, plugin, declared, topic)?;
    // As ksqlDB makes the topics of its tables.
    let table = [("cleanup.policy", "compact,delete".to_owned())];
    let aggregates = matches!(member.configured.world(), World::Aggregate(_));
    let partitions = topics_ensure(spec, topic, shape, if aggregates { &table } else { &[] })?;
    let same_as_input = declared.value.as_ref().is_some_and(|value| same(value, &member.configured.wiring().input));
    Ok(Target {
        topic: topic.to_owned(),
        partitions,
        input_partitions: shape.partitions,
        encoding,
        key,
        record_bytes_max: spec.kafka.record_bytes_max(),
        same_as_input,
    })
}

fn encoding_of_key(spec: &Spec, plugin: &str, declared: &Declared, topic: &str) -> Result<Encoding, NotReady> {
    let what = format!("the key of output {}", declared.name);
    encoding(spec, plugin, &what, &format!("{topic}-key"), declared.key.as_ref())
}

/// How `what` of a plugin is written; its schema is registered.
pub(super) fn encoding(
    spec: &Spec,
    plugin: &str,
    what: &str,
    subject: &str,
    format: Option<&Format>,
) -> Result<Encoding, NotReady> {
    let parse = |text: &str| {
        Schema::parse(text)
            .map_err(|error| Stop::start(format!("plugin {plugin}: the schema of {what} is not Avro: {error}")))
    };
    Ok(match format {
        None => Encoding::Input,
        Some(Format::Avro(text)) => {
            let schema = parse(text)?;
            let check = Plan::compile(&schema, &schema)
                .map_err(|error| Stop::start(format!("plugin {plugin}: {what}: {error}")))?;
            Encoding::Avro { id: spec.registry.register(subject, text)?, check }
        }
        Some(Format::AvroAsJson(text)) => {
            let encode = FromJson::compile(&parse(text)?);
            Encoding::AvroFromJson { id: spec.registry.register(subject, text)?, encode }
        }
        Some(Format::Json | Format::Bytes) => Encoding::Raw,
    })
}

fn same(a: &Format, b: &Format) -> bool {
    match (a, b) {
        (Format::Avro(a), Format::Avro(b)) | (Format::AvroAsJson(a), Format::AvroAsJson(b)) => a == b,
        (Format::Json, Format::Json) | (Format::Bytes, Format::Bytes) => true,
        _ => false,
    }
}

fn topics_ensure(spec: &Spec, topic: &str, wanted: Shape, made: &Properties<'_>) -> Result<i32, NotReady> {
    if spec.create_topics {
        return Ok(topics::ensure_with(&spec.kafka, topic, wanted, made).map_err(NotReady::kafka)?.partitions);
    }
    let found = topics::shape(&spec.kafka, topic).map_err(NotReady::kafka)?;
    found.map(|shape| shape.partitions).ok_or_else(|| {
        Stop::start(format!("output topic {topic} does not exist"))
            .hint("create it, or leave --create-topics on so that smt-host does")
            .into()
    })
}
