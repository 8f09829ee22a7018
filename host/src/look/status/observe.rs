//! Pipelines and sinks as their consumer groups, offsets and topics tell of them. Joins no group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::{Pipeline, Progress};
use crate::exit::Stop;
use crate::kafka::Settings;
use crate::kafka::reading::{Reading, count_between};
use crate::kafka::standing::{Committed, Offsets, Standing};
use crate::open_windows::Look;
use crate::run::Found;
use crate::state;
use crate::window::{Metadata, Outputs};

const PIPELINES: &str = "smt-";
const SINKS: &str = "connect-";
const DEAD_LETTERS: &str = "smt-dead-letters-";
/// A gap of no more offsets is looked into: what transactions end with takes offsets, too, and is nobody's lag.
const GAP_MAX: i64 = 64;
/// More offsets are not counted one by one.
const DEAD_LETTERS_MAX: i64 = 100_000;

/// Sinks by their connector's name.
type Sinks = Vec<(String, Progress)>;

pub(super) struct Observer {
    settings: Settings,
    standing: Standing,
    watched: BTreeMap<String, Watched>,
    dead_letters: BTreeMap<String, DeadLetters>,
}

/// A group, and how far it was.
struct Watched {
    standing: Standing,
    windows: Option<Look>,
    before: Option<(Instant, i64)>,
}

struct DeadLetters {
    reading: Reading,
    count: i64,
}

/// What the pipeline itself has noted beside its offsets; nothing where it did not.
fn told(offsets: &Offsets) -> Outputs {
    let read = |committed: &Committed| Metadata::decode(&committed.metadata).unwrap_or_default().outputs;
    offsets.values().flat_map(read).collect::<BTreeSet<_>>().into_iter().collect()
}

impl Observer {
    pub(super) fn open(found: &Found) -> Result<Observer, Stop> {
        Ok(Observer {
            standing: Standing::of(&found.kafka, "smt-host-reading")?,
            settings: found.kafka.clone(),
            watched: BTreeMap::new(),
            dead_letters: BTreeMap::new(),
        })
    }

    /// The pipelines and the sinks.
    pub(super) fn look(&mut self) -> Result<(Vec<Pipeline>, Sinks), Stop> {
        let topics = self.standing.topics()?;
        let (mut pipelines, mut sinks) = (Vec::new(), Vec::new());
        for (group, members) in self.standing.groups()? {
            if let Some(name) = group.strip_prefix(SINKS) {
                let (progress, _) = self.progress(&group, members, &topics)?;
                // Connect's own workers are a group like this, and read nothing.
                sinks.extend((!progress.inputs.is_empty()).then(|| (name.to_owned(), progress)));
            } else if let Some(name) = group.strip_prefix(PIPELINES) {
                let (progress, offsets) = self.progress(&group, members, &topics)?;
                if members > 0 || !progress.inputs.is_empty() {
                    pipelines.push(self.pipeline(name, progress, &topics, &offsets)?);
                }
            }
        }
        Ok((pipelines, sinks))
    }

    fn progress(
        &mut self,
        group: &str,
        members: usize,
        topics: &BTreeMap<String, i32>,
    ) -> Result<(Progress, Offsets), Stop> {
        if !self.watched.contains_key(group) {
            let standing = Standing::of(&self.settings, group)?;
            self.watched.insert(group.to_owned(), Watched { standing, windows: None, before: None });
        }
        let Some(watched) = self.watched.get_mut(group) else { return Err(Stop::start("no such group")) };
        let offsets = watched.standing.committed(topics)?;
        let inputs: BTreeSet<&String> = offsets.keys().map(|(topic, _)| topic).collect();
        let inputs: Vec<&String> =
            inputs.into_iter().filter(|topic| state::plugin_of(group, topic).is_none()).collect();
        let (mut lag, mut reached) = (0, 0);
        for topic in &inputs {
            for partition in 0..topics[*topic] {
                let ends = watched.standing.ends(topic, partition)?;
                let at = offsets.get(&((*topic).clone(), partition)).map_or(ends.first, |at| at.offset);
                reached += at;
                lag += match ends.end - at.max(ends.first) {
                    gap @ 1..=GAP_MAX => count_between(&self.settings, topic, partition, (ends.end - gap, ends.end))?,
                    gap => gap.max(0),
                };
            }
        }
        let now = Instant::now();
        let rate = watched
            .before
            .replace((now, reached))
            .map(|(then, before)| (reached - before).max(0) as f64 / now.duration_since(then).as_secs_f64().max(0.001));
        let inputs = inputs.into_iter().cloned().collect();
        Ok((Progress { group: group.to_owned(), members, inputs, lag, rate }, offsets))
    }

    fn pipeline(
        &mut self,
        name: &str,
        progress: Progress,
        topics: &BTreeMap<String, i32>,
        offsets: &Offsets,
    ) -> Result<Pipeline, Stop> {
        let kept = state::find(&progress.group, &[], topics, offsets)?;
        let outputs = told(offsets);
        Ok(Pipeline {
            name: name.to_owned(),
            outputs,
            windowed: !kept.is_empty(),
            dead_letters: self.dead_letters(&format!("{DEAD_LETTERS}{name}"), topics)?,
            open_windows: if kept.is_empty() { None } else { Some(self.open_windows(&progress.group)?) },
            progress,
        })
    }

    fn open_windows(&mut self, group: &str) -> Result<usize, Stop> {
        let Some(watched) = self.watched.get_mut(group) else { return Ok(0) };
        if watched.windows.is_none() {
            watched.windows = Some(Look::open(&self.settings, group, &[])?);
        }
        watched.windows.as_mut().map_or(Ok(0), Look::open_windows)
    }

    fn dead_letters(&mut self, topic: &str, topics: &BTreeMap<String, i32>) -> Result<i64, Stop> {
        let Some(partitions) = topics.get(topic) else { return Ok(0) };
        if let Some(known) = self.dead_letters.get_mut(topic) {
            let count = &mut known.count;
            known.reading.further(crate::open_windows::MOMENT, |_| *count += 1)?;
            return Ok(known.count);
        }
        let ends = (0..*partitions).map(|partition| self.standing.ends(topic, partition));
        let added: i64 = ends.map(|ends| Ok(ends?.end)).sum::<Result<i64, Stop>>()?;
        if added > DEAD_LETTERS_MAX {
            return Ok(added);
        }
        let mut count = 0;
        let reading = Reading::open(&self.settings, topic)?;
        reading.to_end(|_| count += 1)?;
        self.dead_letters.insert(topic.to_owned(), DeadLetters { reading, count });
        Ok(count)
    }
}
