//! Checks what a plugin returned, before anyone reads it. It never repairs.

use super::{Batch, Column, Emitted, Failure, Headers, Limits, Outcome, Rejection, Wiring};

/// After this, every index and length of the outcome can be relied upon.
pub(super) fn outcome(outcome: &Outcome, batch: &Batch, wiring: &Wiring, limits: &Limits) -> Result<(), Failure> {
    let records = batch.timestamps.len();
    let emitted = &outcome.emitted;
    sizes(outcome, records, limits)?;
    inputs(&emitted.inputs, records, limits.output_records_per_input_max)?;
    contract(shapes(emitted, wiring))?;
    contract(values(emitted, wiring))?;
    contract(rejections(&outcome.rejections, records, |rejected| {
        let emitted = emitted.inputs.iter().map(|&input| input as usize).find(|&input| rejected[input]);
        emitted.map(|input| format!("it emits for input {input}, which it rejects"))
    }))
}

/// Each is of a record, no two of the same; `misuse` says what is wrong with other uses of the rejected ones.
pub(super) fn rejections(
    rejections: &[Rejection],
    records: usize,
    misuse: impl FnOnce(&[bool]) -> Option<String>,
) -> Result<(), String> {
    if rejections.is_empty() {
        return Ok(());
    }
    let mut rejected = vec![false; records];
    for input in rejections.iter().map(|r| r.input as usize) {
        match rejected.get_mut(input) {
            None => return Err(format!("it rejects input {input}, but there are {records}")),
            Some(true) => return Err(format!("it rejects input {input} twice")),
            Some(fresh) => *fresh = true,
        }
    }
    misuse(&rejected).map_or(Ok(()), Err)
}

pub(super) fn contract(checked: Result<(), String>) -> Result<(), Failure> {
    checked.map_err(|reason| Failure::Contract { reason })
}

fn broken<T>(reason: String) -> Result<T, Failure> {
    Err(Failure::Contract { reason })
}

fn sizes(outcome: &Outcome, records: usize, limits: &Limits) -> Result<(), Failure> {
    let emitted = &outcome.emitted;
    let reasons: usize = outcome.rejections.iter().map(|r| r.reason.len()).sum();
    let headers = emitted.headers.as_ref().map_or(0, |h| h.names.data.len() + h.values.data.len());
    let bytes = emitted.values.data.len() + emitted.keys.as_ref().map_or(0, |k| k.data.len()) + headers + reasons;
    if bytes > limits.output_bytes_max {
        let reason = format!("{bytes} bytes from {records} records, at most {} are allowed", limits.output_bytes_max);
        return Err(Failure::Output { reason });
    }
    Ok(())
}

pub(super) fn inputs(inputs: &[u32], records: usize, per_input_max: u32) -> Result<(), Failure> {
    let (mut last, mut run) = (0, 0);
    for &input in inputs {
        if input as usize >= records {
            return broken(format!("it emits for input {input}, but there are {records}"));
        }
        if input < last {
            return broken(format!("inputs decrease from {last} to {input}"));
        }
        run = if input == last { run + 1 } else { 1 };
        last = input;
        if run > per_input_max {
            let reason = format!("more than {per_input_max} records from one");
            return Err(Failure::Output { reason });
        }
    }
    Ok(())
}

fn shapes(emitted: &Emitted, wiring: &Wiring) -> Result<(), String> {
    let n = emitted.inputs.len();
    column(&emitted.values, n, -2, "values")?;
    if let Some(keys) = &emitted.keys {
        column(keys, n, -2, "keys")?;
    }
    if let Some(timestamps) = &emitted.timestamps {
        same_length(timestamps.len(), n, "timestamps")?;
        if let Some(negative) = timestamps.iter().find(|&&t| t < 0) {
            return Err(format!("timestamp {negative} is before the epoch"));
        }
    }
    if let Some(outputs) = &emitted.outputs {
        same_length(outputs.len(), n, "outputs")?;
        if let Some(unknown) = outputs.iter().find(|&&o| usize::from(o) >= wiring.outputs.len()) {
            return Err(format!("output {unknown} is not among the {} it declared", wiring.outputs.len()));
        }
    }
    emitted.headers.as_ref().map_or(Ok(()), |h| headers(h, n))
}

fn headers(headers: &Headers, n: usize) -> Result<(), String> {
    same_length(headers.counts.len(), n, "headers.counts")?;
    let total: u64 = headers.counts.iter().map(|&c| u64::from(c)).sum();
    let total = usize::try_from(total).map_err(|_| "too many headers".to_owned())?;
    column(&headers.names, total, 0, "headers.names")?;
    column(&headers.values, total, -2, "headers.values")?;
    let mut rest = headers.names.data.as_slice();
    for &length in &headers.names.lengths {
        let (name, after) = rest.split_at_checked(usize::try_from(length).unwrap_or(0)).unwrap_or((rest, &[]));
        if std::str::from_utf8(name).is_err() {
            return Err("a header name is not UTF-8".into());
        }
        rest = after;
    }
    Ok(())
}

pub(super) fn column(column: &Column, n: usize, least: i32, what: &str) -> Result<(), String> {
    same_length(column.lengths.len(), n, what)?;
    let mut total: u64 = 0;
    for &length in &column.lengths {
        if length < least {
            return Err(format!("length {length} in {what}"));
        }
        total += u64::try_from(length).unwrap_or(0);
    }
    if total != column.data.len() as u64 {
        return Err(format!("lengths of {what} add up to {total}, but there are {} bytes", column.data.len()));
    }
    Ok(())
}

fn same_length(found: usize, wanted: usize, what: &str) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what} has {found} entries, {wanted} are needed"))
}

/// -2 stands for the input's own value, which an output of another format cannot take.
fn values(emitted: &Emitted, wiring: &Wiring) -> Result<(), String> {
    let same: Vec<bool> = wiring.outputs.iter().map(|o| o.value.as_ref().is_none_or(|f| *f == wiring.input)).collect();
    let bare: Vec<bool> = wiring.outputs.iter().map(|o| o.value.is_none()).collect();
    for (i, &length) in emitted.values.lengths.iter().enumerate() {
        let output = emitted.outputs.as_ref().map_or(0, |o| usize::from(o[i]));
        let Some(declared) = wiring.outputs.get(output) else {
            return Err("it emits, but declared no output".into());
        };
        if length == -2 && !same[output] {
            return Err(format!("output \"{}\" has a format of its own, so -2 is no value for it", declared.name));
        }
        if length >= 0 && bare[output] {
            return Err(format!("output \"{}\" has no format, so only -2 and -1 are values for it", declared.name));
        }
    }
    key_formats(emitted, wiring)
}

fn key_formats(emitted: &Emitted, wiring: &Wiring) -> Result<(), String> {
    let Some(keys) = &emitted.keys else { return Ok(()) };
    for (i, &length) in keys.lengths.iter().enumerate() {
        let output = emitted.outputs.as_ref().map_or(0, |o| usize::from(o[i]));
        match wiring.outputs.get(output) {
            Some(declared) if length >= 0 && declared.key.is_none() => {
                return Err(format!("output \"{}\" has no key format, so it takes no new keys", declared.name));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "check_tests.rs"]
pub(super) mod tests;
