//! What is done before the first record: output schemas are registered, topics made, plans for known schemas found.
//!
//! Whatever can fail for good fails here, before anything was read.

use crate::avro::{FromJson, Plan, Schema};
use crate::exit::Stop;
use crate::guest::{Configured, Format, Output as Declared};
use crate::kafka::topics::{self, Shape};

use super::{Member, Spec};

/// A plugin ready to be given batches.
pub struct Prepared {
    pub configured: Configured,
    pub outputs: Vec<Target>,
}

/// Where an output goes and how it is written.
pub struct Target {
    pub topic: String,
    pub partitions: i32,
    /// Where it differs, keys choose the partition.
    pub input_partitions: i32,
    pub encoding: Encoding,
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
pub fn members(spec: &Spec) -> Result<Vec<Prepared>, Stop> {
    spec.kafka.check()?;
    let shape = input_shape(spec)?;
    topics_ensure(spec, &spec.dead_letter_topic, Shape { partitions: 1, ..shape })?;
    spec.members.iter().map(|member| prepare(spec, member, shape)).collect()
}

fn input_shape(spec: &Spec) -> Result<Shape, Stop> {
    let mut largest: Option<Shape> = None;
    for topic in &spec.inputs {
        let shape = topics::shape(&spec.kafka, topic)?.ok_or_else(|| {
            Stop::start(format!("pipeline {}: input topic {topic} does not exist", spec.name))
                .hint("create it, start what writes it, or name another with --input")
        })?;
        largest = Some(largest.filter(|l| l.partitions >= shape.partitions).unwrap_or(shape));
    }
    largest.ok_or_else(|| Stop::usage(format!("pipeline {} has no input topic", spec.name)))
}

fn prepare(spec: &Spec, member: &Member, shape: Shape) -> Result<Prepared, Stop> {
    let wiring = member.configured.wiring();
    let mut outputs = Vec::with_capacity(wiring.outputs.len());
    for (i, declared) in wiring.outputs.iter().enumerate() {
        let topic = chosen_topic(member, i, declared);
        outputs.push(target(spec, member, declared, topic, shape)?);
    }
    for (name, topic) in &member.topics {
        if !name.is_empty() && !wiring.outputs.iter().any(|output| output.name == *name) {
            let known: Vec<&str> = wiring.outputs.iter().map(|output| output.name.as_str()).collect();
            return Err(Stop::usage(format!("--output {name}={topic}: the plugin has no output {name}"))
                .hint(format!("its outputs: {}", known.join(", "))));
        }
    }
    Ok(Prepared { configured: member.configured.clone(), outputs })
}

fn chosen_topic<'a>(member: &'a Member, number: usize, declared: &'a Declared) -> &'a str {
    let chosen = member.topics.iter().find(|(name, _)| *name == declared.name || (name.is_empty() && number == 0));
    chosen.map_or(declared.topic.as_str(), |(_, topic)| topic)
}

fn target(spec: &Spec, member: &Member, declared: &Declared, topic: &str, shape: Shape) -> Result<Target, Stop> {
    let plugin = &member.configured.plugin().description().name;
    let parse = |text: &str| {
        Schema::parse(text).map_err(|error| {
            Stop::start(format!("plugin {plugin}: the schema of output {} is not Avro: {error}", declared.name))
        })
    };
    let subject = format!("{topic}-value");
    let encoding = match &declared.value {
        None => Encoding::Input,
        Some(Format::Avro(text)) => {
            let schema = parse(text)?;
            let check = Plan::compile(&schema, &schema)
                .map_err(|error| Stop::start(format!("plugin {plugin}: output {}: {error}", declared.name)))?;
            Encoding::Avro { id: spec.registry.register(&subject, text)?, check }
        }
        Some(Format::AvroAsJson(text)) => {
            let encode = FromJson::compile(&parse(text)?);
            Encoding::AvroFromJson { id: spec.registry.register(&subject, text)?, encode }
        }
        Some(Format::Json | Format::Bytes) => Encoding::Raw,
    };
    let partitions = topics_ensure(spec, topic, shape)?;
    let same_as_input = declared.value.as_ref().is_some_and(|value| same(value, &member.configured.wiring().input));
    Ok(Target { topic: topic.to_owned(), partitions, input_partitions: shape.partitions, encoding, same_as_input })
}

fn same(a: &Format, b: &Format) -> bool {
    match (a, b) {
        (Format::Avro(a), Format::Avro(b)) | (Format::AvroAsJson(a), Format::AvroAsJson(b)) => a == b,
        (Format::Json, Format::Json) | (Format::Bytes, Format::Bytes) => true,
        _ => false,
    }
}

fn topics_ensure(spec: &Spec, topic: &str, wanted: Shape) -> Result<i32, Stop> {
    if spec.create_topics {
        return Ok(topics::ensure(&spec.kafka, topic, wanted)?.partitions);
    }
    let found = topics::shape(&spec.kafka, topic)?;
    found.map(|shape| shape.partitions).ok_or_else(|| {
        Stop::start(format!("output topic {topic} does not exist"))
            .hint("create it, or leave --create-topics on so that smt-host does")
    })
}
