//! From a configuration to pipelines that are ready to run. Everything that is wrong in itself is refused here, before
//! anything is contacted; defaults are filled in here and nowhere else.

use std::time::Duration;

use super::options::Options;
use super::{plugins, state};
use crate::config::{Config, Pipeline};
use crate::exit::Stop;
use crate::guest::{Configured, Engine};
use crate::kafka::{From, Settings, topics};
use crate::pipeline::{Delivery, Member, OnError, Spec};
use crate::registry::Registry;

const WORKERS: std::ops::RangeInclusive<u32> = 1..=256;

/// The pipelines of a configuration, in its order. Afterwards the configuration says what goes to which plugin.
pub fn specs(config: &mut Config, options: &Options, engine: &Engine) -> Result<Vec<Spec>, Stop> {
    let kafka = kafka(config)?;
    let registry = Registry::new(config.registry.resolve()?);
    for (number, pipeline) in config.pipeline.iter().enumerate() {
        if pipeline.plugin.is_empty() {
            let name = pipeline.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
            return Err(Stop::usage(format!("[[pipeline]] number {}{name} has no plugin", number + 1))
                .hint("add [[pipeline.plugin]] with file = \"….wasm\" below it"));
        }
    }
    let mut configured = plugins::load(config, options, engine)?.into_iter();
    let mut specs = Vec::new();
    for pipeline in &config.pipeline {
        let members = pipeline.plugin.iter().zip(&mut configured).map(|(plugin, configured)| Member {
            topics: plugin.outputs.clone().into_iter().collect(),
            windows: plugin.window.options(),
            configured,
        });
        specs.push(spec(config, pipeline, members.collect(), &kafka, &registry)?);
    }
    if specs.is_empty() && config.sink.is_empty() {
        return Err(Stop::usage("there is no pipeline to run").hint("add [[pipeline]] to the configuration file"));
    }
    refuse_twins(&specs)?;
    Ok(specs)
}

fn spec(
    config: &Config,
    pipeline: &Pipeline,
    members: Vec<Member>,
    kafka: &Settings,
    registry: &Registry,
) -> Result<Spec, Stop> {
    let name = name(pipeline, &members)?;
    let workers = pipeline.workers.map_or(1, u32::from);
    if !WORKERS.contains(&workers) {
        return Err(Stop::usage(format!("pipeline {name}: workers is {workers}; allowed are 1 to 256")));
    }
    let inputs = if pipeline.input.is_empty() { vec!["postgres-customers".to_owned()] } else { pipeline.input.clone() };
    let dead_letter_topic = pipeline.dead_letter_topic.clone().unwrap_or_else(|| format!("smt-dead-letters-{name}"));
    let outputs = members.iter().flat_map(|member| member.topics.iter().map(|(_, topic)| topic));
    check_topics(&name, &inputs, &outputs.chain([&dead_letter_topic]).collect::<Vec<_>>())?;
    Ok(Spec {
        group: pipeline.group.clone().unwrap_or_else(|| format!("smt-{name}")),
        inputs,
        members,
        workers: workers as usize,
        from: pipeline.from.unwrap_or(From::Earliest),
        delivery: pipeline.delivery.unwrap_or(Delivery::ExactlyOnce),
        fail_fast: config.fail_fast.unwrap_or(false),
        commit_interval: pipeline.commit_interval.map_or(Duration::from_millis(100), |time| time.0),
        instance_id: config.instance_id.clone().unwrap_or_default(),
        store_dir: config.instance_id.as_ref().map(|id| state::store(config, &name).join(id)),
        until_end: pipeline.until_end.unwrap_or(false),
        dead_letter_topic,
        on_error: pipeline.on_error.unwrap_or(OnError::DeadLetter),
        failures_max: pipeline.failures_max.map_or(100, |number| number.0 as usize),
        create_topics: pipeline.create_topics.unwrap_or(true),
        kafka: kafka.clone(),
        registry: registry.clone(),
        name,
    })
}

/// A pipeline's options and their defaults, without plugins.
#[cfg(test)]
pub(crate) fn plain_spec(pipeline: &Pipeline) -> Result<Spec, Stop> {
    let config = Config::default();
    spec(&config, pipeline, Vec::new(), &kafka(&config)?, &Registry::new(config.registry.resolve()?))
}

/// Lets librdkafka itself check names and values.
pub(super) fn kafka(config: &Config) -> Result<Settings, Stop> {
    let brokers = config.kafka.brokers.clone().unwrap_or_else(|| "localhost:9092".to_owned());
    let settings = Settings { brokers, properties: config.kafka.properties.resolve()? };
    settings.check()?;
    for (name, value) in &settings.properties {
        let one = rdkafka::ClientConfig::from_iter([(name.clone(), value.clone())]);
        one.create_native_config().map_err(|error| topics::bad_client(&error))?;
    }
    Ok(settings)
}

fn name(pipeline: &Pipeline, members: &[Member]) -> Result<String, Stop> {
    let plugin = |configured: &Configured| configured.plugin().description().name.clone();
    match (&pipeline.name, members) {
        (Some(name), _) => Ok(name.clone()),
        (None, [only]) => Ok(plugin(&only.configured)),
        (None, several) => {
            let plugins: Vec<String> = several.iter().map(|member| plugin(&member.configured)).collect();
            Err(Stop::usage(format!("the pipeline of the plugins {} has no name", plugins.join(", ")))
                .hint("add name = \"…\" to its [[pipeline]]; its group and dead-letter topic are named after it"))
        }
    }
}

fn check_topics(pipeline: &str, inputs: &[String], outputs: &[&String]) -> Result<(), Stop> {
    if let Some(topic) = inputs.iter().chain(outputs.iter().copied()).find(|topic| !topics::is_name(topic)) {
        return Err(Stop::usage(format!("pipeline {pipeline}: Kafka allows no topic named {topic:?}"))
            .hint("allowed are letters, digits, '.', '_' and '-', at most 249 of them"));
    }
    if let Some(topic) = inputs.iter().find(|topic| outputs.contains(topic)) {
        return Err(Stop::usage(format!("pipeline {pipeline} would read what it writes: {topic} is input and output"))
            .hint("send the output to another topic"));
    }
    Ok(())
}

/// Two pipelines in one group and one instance would fence each other; two of one name could not be told apart.
fn refuse_twins(specs: &[Spec]) -> Result<(), Stop> {
    for (i, spec) in specs.iter().enumerate() {
        let Some(twin) = specs[..i].iter().find(|other| other.group == spec.group || other.name == spec.name) else {
            continue;
        };
        if twin.name == spec.name {
            return Err(Stop::usage(format!("two pipelines have the name {}", spec.name))
                .hint("give each --plugin once; in the file, give each [[pipeline]] a `name` of its own"));
        }
        return Err(Stop::usage(format!(
            "the pipelines {} and {} have one consumer group, {}: each would take records from the other",
            twin.name, spec.name, spec.group
        ))
        .hint(
            "give each a group of its own (leave --group away, or set `group` in each [[pipeline]]); plugins that \
             are to share one stand in one [[pipeline]]",
        ));
    }
    Ok(())
}
