//! `/offsets`: how far a connector is, and moving it while it is stopped.
//!
//! A source's offsets are records of the offset topic; a sink's and a pipeline's are what their group has committed.

/// Those of consumer groups.
mod group;
/// Those of the offset topic.
mod source;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::class::{Class, Job};
use super::herder::Herder;
use super::records::{Config, Target};
use super::refusal::Refusal;
use super::validate;

/// How long a connector that is stopping gets before its offsets are left alone.
const STOP_MAX: Duration = Duration::from_secs(10);

/// One offset to be set; none: forgotten.
struct Change {
    partition: Map<String, Value>,
    offset: Option<Map<String, Value>>,
}

pub(super) fn get(herder: &Herder, name: &str) -> Result<Value, Refusal> {
    let config = herder.config(name)?;
    let found = match group(herder, &config)? {
        Some(group) => group::read(&herder.context.options.kafka, &group)?,
        None => source::read(&herder.context.options, name)?,
    };
    let one = |(partition, offset): (Value, Value)| json!({ "partition": partition, "offset": offset });
    Ok(json!({ "offsets": found.into_iter().map(one).collect::<Vec<_>>() }))
}

pub(super) fn alter(herder: &Herder, name: &str, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let changes = changes(body)?;
    let config = stopped(herder, name)?;
    match group(herder, &config)? {
        Some(group) => group::alter(&herder.context.options.kafka, &group, &changes)?,
        None => source::alter(&herder.context.options, name, &changes)?,
    }
    tracing::info!(connector = name, "offsets altered");
    Ok(json!({ "message": "The offsets for this connector have been altered successfully" }))
}

pub(super) fn reset(herder: &Herder, name: &str) -> Result<Value, Refusal> {
    let config = stopped(herder, name)?;
    match group(herder, &config)? {
        Some(group) => group::reset(&herder.context.options.kafka, &group)?,
        None => source::reset(&herder.context.options, name)?,
    }
    tracing::info!(connector = name, "offsets reset");
    Ok(json!({ "message": "The offsets for this connector have been reset successfully" }))
}

/// The group of a connector that reads topics.
fn group(herder: &Herder, config: &Config) -> Result<Option<String>, Refusal> {
    let class = validate::class(config)?;
    if class == Class::JdbcSource {
        return Ok(None);
    }
    let job: Job = class.parse(config, &herder.context.options, &herder.context.engine)?;
    Ok(job.group())
}

/// Offsets of a connector at work would be written over by it.
fn stopped(herder: &Herder, name: &str) -> Result<Config, Refusal> {
    let config = herder.config(name)?;
    if herder.look(|state| state.target(name)) != Target::Stopped {
        return Err(Refusal::new(
            400,
            format!(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the \
                 specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
            ),
        ));
    }
    if Class::of(&config) == Some(Class::PluginPipeline) {
        let why = "the offsets of a pipeline belong to its state: use smt-host reset, which moves both together";
        return Err(Refusal::new(400, why));
    }
    let storage = &herder.context.storage;
    let has_stopped = storage.wait_for(STOP_MAX, |state| {
        state.statuses.get(name).is_some_and(|status| status.state == Target::Stopped.state())
    });
    if has_stopped { Ok(config) } else { Err(Refusal::new(500, "Request timed out")) }
}

fn changes(body: &Map<String, Value>) -> Result<Vec<Change>, Refusal> {
    if let Some(unknown) = body.keys().find(|key| *key != "offsets") {
        return Err(Refusal::new(500, format!("Unrecognized field {unknown:?} (known: \"offsets\")")));
    }
    let given = body.get("offsets").and_then(Value::as_array).filter(|offsets| !offsets.is_empty());
    let none = || Refusal::new(400, "Partitions / offsets need to be provided for an alter offsets request");
    let one = |given: &Value| {
        let partition = given.get("partition").and_then(Value::as_object).cloned();
        let partition = partition.ok_or_else(|| Refusal::new(500, "Partition objects cannot be null"))?;
        let offset = match given.get("offset") {
            None | Some(Value::Null) => None,
            Some(Value::Object(offset)) => Some(offset.clone()),
            Some(_) => return Err(Refusal::new(500, "offset is no JSON object")),
        };
        Ok(Change { partition, offset })
    };
    given.ok_or_else(none)?.iter().map(one).collect()
}
