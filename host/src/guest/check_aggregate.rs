//! Checks what an aggregator returned, before anyone reads it. It never repairs.

use super::check::{self, column, contract, inputs};
use super::{Column, Failure, Finished, Limits, Partials};

/// After this, every group number and length of the partials can be relied upon.
pub(super) fn partials(partials: &Partials, records: usize, limits: &Limits) -> Result<(), Failure> {
    let Partials { keys, accumulators, groups, rejections } = partials;
    let reasons: usize = rejections.iter().map(|r| r.reason.len()).sum();
    size(keys.data.len() + accumulators.data.len() + reasons, records, limits)?;
    let count = keys.lengths.len();
    contract(column(keys, count, 0, "keys"))?;
    contract(column(accumulators, count, 0, "accumulators"))?;
    contract(used(groups, records, count))?;
    contract(check::rejections(rejections, records, |rejected| {
        let folded = groups.iter().zip(rejected).position(|(&group, &rejected)| rejected && group != -1);
        folded.map(|input| format!("it rejects input {input}, which it folded into group {}", groups[input]))
    }))?;
    accumulator_sizes(accumulators, limits)
}

/// After this, there is one accumulator for each of `pairs`.
pub(super) fn merged(merged: &Column, pairs: usize, limits: &Limits) -> Result<(), Failure> {
    size(merged.data.len(), pairs, limits)?;
    contract(column(merged, pairs, 0, "merged accumulators"))?;
    accumulator_sizes(merged, limits)
}

/// After this, every input and length can be relied upon.
pub(super) fn finished(finished: &Finished, groups: usize, limits: &Limits) -> Result<(), Failure> {
    size(finished.values.data.len(), groups, limits)?;
    inputs(&finished.inputs, groups, limits.output_records_per_input_max)?;
    contract(column(&finished.values, finished.inputs.len(), -2, "values"))
}

fn size(bytes: usize, rows: usize, limits: &Limits) -> Result<(), Failure> {
    if bytes <= limits.output_bytes_max {
        return Ok(());
    }
    let reason = format!("{bytes} bytes from {rows} rows, at most {} are allowed", limits.output_bytes_max);
    Err(Failure::Output { reason })
}

fn accumulator_sizes(accumulators: &Column, limits: &Limits) -> Result<(), Failure> {
    let max = limits.accumulator_bytes_max;
    match accumulators.lengths.iter().find(|&&length| usize::try_from(length).is_ok_and(|length| length > max)) {
        Some(length) => {
            let reason = format!("an accumulator of {length} bytes, at most {max} are allowed");
            Err(Failure::Output { reason })
        }
        None => Ok(()),
    }
}

/// A group that holds no record would be a key out of nowhere, without a time.
fn used(groups: &[i32], records: usize, count: usize) -> Result<(), String> {
    if groups.len() != records {
        return Err(format!("groups has {} entries for {records} records", groups.len()));
    }
    let mut used = vec![false; count];
    for &group in groups {
        match usize::try_from(group) {
            Ok(group) if group < count => used[group] = true,
            Err(_) if group == -1 => {}
            _ => return Err(format!("group {group}, but there are {count} keys")),
        }
    }
    match used.iter().position(|used| !used) {
        Some(group) => Err(format!("no record is in group {group}")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "check_aggregate_tests.rs"]
mod tests;
