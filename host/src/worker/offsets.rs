//! `/offsets`: how far a connector is, and moving it while it is stopped.
//!
//! A source's offsets are records of the offset topic; a sink's and a pipeline's are what their group has committed.
//! Those of a windowed pipeline belong to its state, and change only together with it.

/// Those of consumer groups.
mod group;
/// Those of pipelines.
mod pipeline;
/// Those of the offset topic.
mod source;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::class::Job;
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
    let found = match job(herder, &config)?.group() {
        Some(group) => group::read(&herder.context.options.kafka, &group)?,
        None => source::read(&herder.context.options, name)?,
    };
    let one = |(partition, offset): (Value, Value)| json!({ "partition": partition, "offset": offset });
    Ok(json!({ "offsets": found.into_iter().map(one).collect::<Vec<_>>() }))
}

pub(super) fn alter(herder: &Herder, name: &str, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let changes = changes(body)?;
    let config = stopped(herder, name)?;
    let options = &herder.context.options;
    match job(herder, &config)? {
        Job::Source(_) => source::alter(options, name, &changes)?,
        Job::Sink(connector) => group::alter(&options.kafka, &connector.group(), &changes)?,
        Job::Pipeline(spec) => pipeline::alter(&spec, &changes)?,
    }
    tracing::info!(connector = name, "offsets altered");
    Ok(json!({ "message": "The offsets for this connector have been altered successfully" }))
}

pub(super) fn reset(herder: &Herder, name: &str) -> Result<Value, Refusal> {
    let config = stopped(herder, name)?;
    let options = &herder.context.options;
    match job(herder, &config)? {
        Job::Source(_) => source::reset(options, name)?,
        Job::Sink(connector) => group::reset(&options.kafka, &connector.group())?,
        Job::Pipeline(spec) => pipeline::reset(&spec, &herder.context.leave)?,
    }
    tracing::info!(connector = name, "offsets reset");
    Ok(json!({ "message": "The offsets for this connector have been reset successfully" }))
}

fn job(herder: &Herder, config: &Config) -> Result<Job, Refusal> {
    Ok(validate::class(config)?.parse(config, &herder.context.options, &herder.context.engine)?)
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
