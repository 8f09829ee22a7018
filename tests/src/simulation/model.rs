//! What should have come out, said as shortly as possible, and the comparison.

use std::collections::BTreeMap;

use smt_host::window::{Emit, Output};

use super::{Kafka, Kind, Record, Scenario, Workload, World};

type Groups<'k> = BTreeMap<(i64, &'k [u8]), Vec<&'k Record>>;

/// Groups by (window start, key), and late records.
fn model<'k>(scenario: &Scenario, kafka: &'k Kafka) -> (Groups<'k>, Vec<u32>) {
    let (mut groups, mut late) = (Groups::new(), Vec::new());
    for (log, idle) in kafka.input.iter().zip(&kafka.stream_times) {
        let mut stream_time = i64::MIN;
        for (offset, record) in log.iter().enumerate() {
            let by_clock = idle.iter().filter(|(at, _)| *at <= offset).map(|(_, time)| *time).max();
            stream_time = stream_time.max(record.timestamp).max(by_clock.unwrap_or(i64::MIN));
            let starts: Vec<i64> = match scenario.windows {
                None => vec![0],
                Some(w) => (record.timestamp - w.size_ms + 1..=record.timestamp)
                    .filter(|start| start % w.advance_ms == 0 && start + w.size_ms + w.grace_ms > stream_time)
                    .collect(),
            };
            match record.kind {
                _ if starts.is_empty() => late.push(record.id),
                Kind::Good => starts.iter().for_each(|s| groups.entry((*s, &record.key)).or_default().push(record)),
                _ => {}
            }
        }
    }
    (groups, late)
}

pub(super) fn compare<W: Workload>(world: &World<'_, W>) -> Result<(), String> {
    let (scenario, kafka) = (&world.scenario, &world.kafka);
    let (groups, late) = model(scenario, kafka);
    let mut last: BTreeMap<(i64, &[u8]), (&Output, usize)> = BTreeMap::new();
    for output in &kafka.outputs {
        let seen = last.entry((output.window_start.unwrap_or(0), &output.key)).or_insert((output, 0));
        *seen = (output, seen.1 + 1);
    }
    let closing = scenario.windows.is_some_and(|windows| windows.idle_ms.is_some());
    for (group, records) in &groups {
        let Some((output, times)) = last.remove(group) else {
            if scenario.emit == Emit::Final && !closing {
                continue;
            }
            return Err(format!("nothing came out of {group:?}: {records:?}"));
        };
        let greatest = records.iter().map(|record| record.timestamp).max();
        let value = output.value.as_deref().ok_or("a tombstone came out")?;
        if !world.workload.is_right(value, records) || Some(output.timestamp) != greatest {
            return Err(format!("{group:?} came out as {output:?}, but has {records:?}"));
        }
        if scenario.emit == Emit::Final && times != 1 {
            return Err(format!("{group:?} came out as final {times} times"));
        }
    }
    if !last.is_empty() {
        return Err(format!("there should be no {last:?}"));
    }
    same("late records", late, &kafka.late)?;
    let dead =
        |record: &&Record| matches!(record.kind, Kind::Rejected | Kind::Guilty) && !kafka.late.contains(&record.id);
    same("dead letters", kafka.input.iter().flatten().filter(dead).map(|record| record.id).collect(), &kafka.dead)?;
    state(world, &groups, closing)
}

fn same(what: &str, mut expected: Vec<u32>, found: &[u32]) -> Result<(), String> {
    let mut found = found.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}

/// Store and changelog agree, and forget what is past retention.
fn state<W: Workload>(world: &World<'_, W>, groups: &Groups<'_>, closing: bool) -> Result<(), String> {
    let stored = world.stored();
    let mut logged = BTreeMap::new();
    for (_, (key, value)) in world.kafka.changelog.iter().flatten() {
        match value {
            Some(value) if key[0] == 1 => drop(logged.insert(key.clone(), value.clone())),
            _ => drop(logged.remove(key)),
        }
    }
    if stored != logged {
        return Err(format!("the store has {stored:?}, the changelog {logged:?}"));
    }
    let open: usize = world.workers.iter().map(super::Worker::open_windows).sum();
    match (closing, world.scenario.windows) {
        (true, _) if !stored.is_empty() || open > 0 => Err(format!("{open} windows open, not forgotten: {stored:?}")),
        (_, None) if stored.len() != groups.len() => Err(format!("{} groups in the store", stored.len())),
        _ => Ok(()),
    }
}
