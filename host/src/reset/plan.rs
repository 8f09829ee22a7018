//! What a reset would do, as of now. Changes nothing, and refuses where somebody is at work.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use comfy_table::Table;
use rdkafka::message::Message;

use super::settled::Settled;
use super::{Request, To};
use crate::exit::Stop;
use crate::kafka::Settings;
use crate::kafka::reading::Reading;
use crate::kafka::standing::{Offsets, Standing};
use crate::nearest::did_you_mean;
use crate::shutdown::Shutdown;
use crate::state::{self, Kept};
use crate::window::wire;

/// A partition's committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) topic: String,
    pub(super) partition: i32,
    from: Option<i64>,
    pub(super) to: i64,
}

/// What a plugin keeps, partition by partition: keys of its changelog.
pub(super) struct State {
    pub(super) changelog: String,
    pub(super) keys: Vec<(i32, BTreeSet<Vec<u8>>)>,
}

pub struct Plan {
    pub(super) kafka: Settings,
    pub(super) group: String,
    to: To,
    pub(super) inputs: Vec<Move>,
    /// What waits in repartition topics is passed over.
    pub(super) repartition: Vec<Move>,
    pub(super) states: Vec<State>,
    pub(super) store: Option<PathBuf>,
}

impl Plan {
    pub fn make(kafka: &Settings, request: &Request, stop: &Shutdown) -> Result<Plan, Stop> {
        let standing = Standing::of(kafka, &request.group)?;
        refuse_members(&standing, &request.group)?;
        let topics = standing.topics()?;
        let offsets = standing.committed(&topics)?;
        let kept = state::find(&request.group, &request.plugins, &topics, &offsets)?;
        let inputs = input_partitions(request, &topics, &offsets)?;
        let targets = targets(&standing, &inputs, request.to)?;
        let from = |topic: &str, partition| offsets.get(&(topic.to_owned(), partition)).map(|at| at.offset);
        let inputs = inputs.into_iter().zip(targets);
        let inputs =
            inputs.map(|((topic, partition), to)| Move { from: from(&topic, partition), topic, partition, to });
        let mut plan = Plan {
            kafka: kafka.clone(),
            group: request.group.clone(),
            to: request.to,
            inputs: inputs.collect(),
            repartition: Vec::new(),
            states: Vec::new(),
            store: request.store.clone().filter(|store| store.exists()),
        };
        let settled = Settled::new(kafka, stop)?;
        for kept in &kept {
            plan.states.push(read_state(kafka, kept, &settled)?);
            for (topic, partition) in of_topic(kept.repartition.as_ref(), &topics) {
                let to = settled.end(&topic, partition)?;
                plan.repartition.push(Move { from: from(&topic, partition), topic, partition, to });
            }
        }
        if plan.inputs.is_empty() && plan.states.is_empty() && plan.store.is_none() {
            return Err(Stop::start(format!("group {} has committed nothing and keeps nothing", request.group))
                .hint("check --pipeline or --group; --input TOPIC sets offsets of a group that has none yet"));
        }
        Ok(plan)
    }
}

pub(super) fn refuse_members(standing: &Standing, group: &str) -> Result<(), Stop> {
    let members = standing.members()?;
    if members.is_empty() {
        return Ok(());
    }
    let count = members.len();
    let (noun, verb) = if count == 1 { ("member", "it") } else { ("members", "them") };
    Err(Stop::start(format!("group {group} has {count} {noun}: {}", members.join(", ")))
        .hint(format!("stop {verb} first (Ctrl-C or SIGTERM); one that was killed is gone after some seconds")))
}

fn of_topic(topic: Option<&String>, topics: &BTreeMap<String, i32>) -> Vec<(String, i32)> {
    topic.and_then(|topic| Some(partitions(topic, *topics.get(topic)?).collect())).unwrap_or_default()
}

fn partitions(topic: &str, count: i32) -> impl Iterator<Item = (String, i32)> {
    (0..count).map(move |partition| (topic.to_owned(), partition))
}

/// All partitions of the inputs, so that none of a topic that grew is left out.
fn input_partitions(
    request: &Request,
    topics: &BTreeMap<String, i32>,
    offsets: &Offsets,
) -> Result<Vec<(String, i32)>, Stop> {
    let read = offsets.keys().map(|(topic, _)| topic).filter(|topic| state::plugin_of(&request.group, topic).is_none());
    let read: BTreeSet<&String> = read.collect();
    let inputs = if request.inputs.is_empty() { read } else { request.inputs.iter().collect() };
    let mut all = Vec::new();
    for topic in inputs {
        let Some(count) = topics.get(topic) else {
            let near = did_you_mean(topic, topics.keys().map(String::as_str));
            return Err(Stop::start(format!("topic {topic} does not exist{near}")).hint("check --input"));
        };
        all.extend(partitions(topic, *count));
    }
    Ok(all)
}

fn targets(standing: &Standing, inputs: &[(String, i32)], to: To) -> Result<Vec<i64>, Stop> {
    let ends = inputs.iter().map(|(topic, partition)| standing.ends(topic, *partition));
    let ends = ends.collect::<Result<Vec<_>, _>>()?;
    Ok(match to {
        To::Earliest => ends.iter().map(|ends| ends.first).collect(),
        To::Latest => ends.iter().map(|ends| ends.end).collect(),
        To::Time(ms) => {
            let found = standing.at_time(inputs, ms)?;
            ends.iter().zip(found).map(|(ends, found)| found.unwrap_or(ends.end)).collect()
        }
    })
}

/// Which keys there are, after what may still be in the making has ended.
fn read_state(kafka: &Settings, kept: &Kept, settled: &Settled<'_>) -> Result<State, Stop> {
    for partition in 0..kept.partitions {
        settled.end(&kept.changelog, partition)?;
    }
    let mut keys: BTreeMap<i32, BTreeSet<Vec<u8>>> = BTreeMap::new();
    Reading::open(kafka, &kept.changelog)?.to_end(|record| {
        let Some(key) = record.key() else { return };
        let keys = keys.entry(record.partition()).or_default();
        match record.payload() {
            Some(_) => keys.insert(key.to_vec()),
            None => keys.remove(key),
        };
    })?;
    Ok(State { changelog: kept.changelog.clone(), keys: keys.into_iter().collect() })
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(["what", "where", "now", "then"]);
        let offset = |at: Option<i64>| at.map_or_else(|| "none".to_owned(), |at| at.to_string());
        for moved in &self.inputs {
            let then = format!("{} ({})", moved.to, self.to);
            table.add_row(["offset", &place(&moved.topic, moved.partition), &offset(moved.from), &then]);
        }
        for moved in &self.repartition {
            let then = format!("{} (its end)", moved.to);
            table.add_row(["offset", &place(&moved.topic, moved.partition), &offset(moved.from), &then]);
        }
        for state in &self.states {
            let is_group = |key: &&Vec<u8>| key.as_slice() != wire::TIMES_KEY;
            let groups: usize = state.keys.iter().map(|(_, keys)| keys.iter().filter(is_group).count()).sum();
            table.add_row(["state", &state.changelog, &format!("{groups} keys in windows"), "none"]);
        }
        if let Some(store) = &self.store {
            table.add_row(["store", &shown(store), "on this machine", "removed"]);
        }
        writeln!(f, "Reset of group {}, which has no members:\n\n{table}\n", self.group)?;
        writeln!(f, "Records already written to output topics stay; what is read again is written again.")
    }
}

fn place(topic: &str, partition: i32) -> String {
    format!("{topic}-{partition}")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
