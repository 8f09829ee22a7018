//! A pipeline's offsets. Without windows they are its group's. With windows what was read is in the state already, so
//! one partition alone is never moved: it would be counted twice, or not at all.

use std::collections::BTreeMap;

use super::{Change, group};
use crate::pipeline::Spec;
use crate::pipeline::aggregate::changelog_topic;
use crate::reset::{self, Request};
use crate::shutdown::Shutdown;
use crate::state;
use crate::worker::refusal::Refusal;

pub(super) fn alter(spec: &Spec, changes: &[Change]) -> Result<(), Refusal> {
    let (topics, offsets) = group::standing(&spec.kafka, &spec.group)?;
    if windowed(spec).next().is_none() && state::find(&spec.group, &[], &topics, &offsets)?.is_empty() {
        return group::alter(&spec.kafka, &spec.group, changes);
    }
    let (name, group) = (&spec.name, &spec.group);
    let why = format!(
        "the offsets of a pipeline with windows belong to its state, and one partition alone cannot be moved. A 'DELETE' \
         request to the '/connectors/{name}/offsets' endpoint lets the pipeline begin anew, without state; \
         `smt-host reset --group {group} --to TIME` does so from a time on"
    );
    Err(Refusal::new(400, why))
}

/// Reading begins where a new group's would; windows, and what waits to be merged, begin anew with it.
pub(super) fn reset(spec: &Spec, stop: &Shutdown) -> Result<(), Refusal> {
    let (topics, offsets) = group::standing(&spec.kafka, &spec.group)?;
    let plugins = windowed(spec).filter(|plugin| topics.contains_key(&changelog_topic(&spec.group, plugin)));
    let plugins: Vec<String> = plugins.collect();
    if state::find(&spec.group, &plugins, &topics, &offsets)?.is_empty() {
        return group::reset(&spec.kafka, &spec.group);
    }
    group::wait_until_empty(&spec.kafka, &spec.group)?;
    let request = Request { plugins, inputs: there(&spec.inputs, &topics), ..Request::of(spec) };
    Ok(reset::reset(&spec.kafka, &request, stop)?)
}

fn windowed(spec: &Spec) -> impl Iterator<Item = String> {
    let members = spec.members.iter().map(|member| &member.configured).filter(|configured| configured.aggregates());
    members.map(|configured| configured.plugin().description().name.clone())
}

/// An input that is not there yet has nothing to begin anew with.
fn there(inputs: &[String], topics: &BTreeMap<String, i32>) -> Vec<String> {
    inputs.iter().filter(|topic| topics.contains_key(*topic)).cloned().collect()
}
