//! What a pipeline says of its outputs, beside its offsets, so that whoever looks from outside need not guess.

use std::collections::BTreeSet;

use super::prepare::Prepared;
use crate::guest::{Format, Output};
use crate::window::Outputs;

/// Topic, format of keys, format of values.
pub(super) fn told(members: &[Prepared]) -> Outputs {
    let one = |member: &Prepared| {
        let declared = member.configured.wiring().outputs.clone();
        let aggregates = member.configured.aggregates();
        let topics = member.outputs.iter().map(|target| target.topic.clone()).collect::<Vec<_>>();
        topics.into_iter().zip(declared).map(move |(topic, output)| formats(topic, &output, aggregates))
    };
    members.iter().flat_map(one).collect::<BTreeSet<_>>().into_iter().collect()
}

fn formats(topic: String, output: &Output, aggregates: bool) -> (String, String, String) {
    let key = match &output.key {
        // A group's key in bytes, with its window behind it.
        None if aggregates => "KAFKA",
        format => word(format.as_ref()),
    };
    (topic, key.to_owned(), word(output.value.as_ref()).to_owned())
}

/// In ksqlDB's words. What is the input's, or the plugin's own bytes, nobody here knows.
fn word(format: Option<&Format>) -> &'static str {
    match format {
        Some(Format::Avro(_) | Format::AvroAsJson(_)) => "AVRO",
        Some(Format::Json) => "JSON",
        Some(Format::Bytes) | None => "?",
    }
}
