//! Checks how an aggregator wants to group, before anything starts. It never fills in defaults.

use super::{Emit, Format, Grouping, Window, Wiring};

/// Each window is merged from its panes, whenever it is looked at.
const PANES_MAX: u64 = 10_000;

/// What is wrong, with what was allowed.
pub(super) fn check(grouping: &Grouping, wiring: &Wiring) -> Result<(), String> {
    match &grouping.window {
        Some(given) => window(given)?,
        None if grouping.emit == Emit::Final => {
            return Err("has emit = final without a window: such groups never close, so only changes is allowed".into());
        }
        None => {}
    }
    if matches!(grouping.key, Format::AvroAsJson(_)) {
        return Err("has a key in format avro-as-json, allowed are avro, json and bytes".into());
    }
    time_field(grouping.time_field.as_deref(), &wiring.input)?;
    output(grouping, wiring)
}

fn window(window: &Window) -> Result<(), String> {
    let Window { size_ms: size, advance_ms: advance, .. } = *window;
    for (name, value) in [("size-ms", Some(size)), ("advance-ms", Some(advance)), ("idle-ms", window.idle_ms)] {
        if value == Some(0) {
            return Err(format!("has a window with {name} = 0, at least 1 is needed"));
        }
    }
    if size % advance != 0 {
        return Err(format!("has a window with advance-ms = {advance}, which does not divide size-ms = {size}"));
    }
    if size / advance > PANES_MAX {
        let panes = size / advance;
        return Err(format!("has windows of {panes} panes (size-ms / advance-ms), at most {PANES_MAX} are allowed"));
    }
    let least = size.checked_add(window.grace_ms.unwrap_or(0)).filter(|&sum| i64::try_from(sum).is_ok());
    let Some(least) = least else {
        return Err(format!("has a window with size-ms + grace-ms beyond {} milliseconds", i64::MAX));
    };
    match window.retention_ms {
        Some(kept) if kept < least => {
            Err(format!("has retention-ms = {kept}, at least size-ms + grace-ms = {least} is needed"))
        }
        Some(kept) if i64::try_from(kept).is_err() => {
            Err(format!("has retention-ms = {kept}, at most {} is allowed", i64::MAX))
        }
        _ => Ok(()),
    }
}

fn time_field(field: Option<&str>, input: &Format) -> Result<(), String> {
    match (field, input) {
        (Some(""), _) => Err("has an empty time-field, a field's name or none is needed".into()),
        (Some(field), Format::Bytes) => {
            Err(format!("has time-field = \"{field}\", but its input is bytes, which has no fields"))
        }
        _ => Ok(()),
    }
}

fn output(grouping: &Grouping, wiring: &Wiring) -> Result<(), String> {
    let [output] = wiring.outputs.as_slice() else {
        return Err(format!("declares {} outputs, an aggregator has exactly 1", wiring.outputs.len()));
    };
    if output.value.is_none() {
        return Err(format!("has no value format for its output \"{}\", an aggregator needs one", output.name));
    }
    match &output.key {
        Some(key) if *key != grouping.key => Err(format!(
            "has a key format of its own for its output \"{}\", only the grouping's is allowed",
            output.name
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "grouping_tests.rs"]
mod tests;
