//! The worker's half: folds its input partitions into partial accumulators, held until the commit.
//!
//! It owns stream time and lateness of these partitions. It never merges what another worker folded.

use std::collections::BTreeMap;

use super::bucket::{self, Bucket, LateRecord};
use super::columns;
use super::error::{Error, in_window, printable};
use super::functions::{Fault, Folded, Functions, Guilty, Partials};
use super::groups::{Groups, Unsettled};
use super::progress::Progress;
use super::rows;
use super::time::{SourcePartition, Windows, clamp};
use super::wire::{self, Entry, Pane, Partial};
use crate::guest::Batch;

/// Beyond these, `Source::full` asks for an early commit; an accumulator beyond its own is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLimits {
    pub held_groups_max: usize,
    pub held_bytes_max: usize,
    pub accumulator_bytes_max: usize,
}

/// One plugin in one worker.
pub struct Source {
    plugin: String,
    windows: Option<Windows>,
    limits: SourceLimits,
    partitions: BTreeMap<SourcePartition, Standing>,
    held: Groups,
}

#[derive(Debug, Clone, Copy)]
struct Standing {
    committed: Progress,
    current: Progress,
    /// The wall clock since when nothing came.
    quiet_since_ms: i64,
}

/// Rows of a batch that were not folded; all others were, or were left out by the plugin.
#[derive(Debug, Default)]
pub struct Folding {
    pub late: Vec<LateRecord>,
    pub rejected: Vec<Rejected>,
    pub guilty: Vec<Guilty>,
}

/// A record that the plugin rejected.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    pub row: usize,
    pub reason: String,
}

/// What goes into the transaction.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Keys of groups and repartition values.
    pub partials: Vec<(Vec<u8>, Vec<u8>)>,
    /// Goes to *every* repartition partition, with a null key, *after* the partials.
    pub marker: Option<Vec<u8>>,
    /// Belongs into the metadata of the partitions' committed offsets, also where the offset did not move.
    pub progress: Vec<(SourcePartition, Progress)>,
}

impl Source {
    pub fn new(plugin: impl Into<String>, windows: Option<Windows>, limits: SourceLimits) -> Source {
        Source { plugin: plugin.into(), windows, limits, partitions: BTreeMap::new(), held: Groups::default() }
    }

    /// A partition comes; with what its committed offset's metadata says.
    pub fn assign(&mut self, partition: SourcePartition, progress: Option<Progress>, now_ms: i64) {
        let progress = progress.unwrap_or_default();
        let standing = Standing { committed: progress, current: progress, quiet_since_ms: now_ms };
        self.partitions.insert(partition, standing);
    }

    /// A partition goes, after a commit or an abort.
    pub fn revoke(&mut self, partition: &SourcePartition) {
        self.partitions.remove(partition);
    }

    /// Folds a batch of one assigned partition. After an error, abort.
    pub fn fold<F: Functions>(
        &mut self,
        functions: &mut F,
        partition: &SourcePartition,
        batch: &Batch,
        now_ms: i64,
    ) -> Result<Folding, Error> {
        let mut folding = Folding::default();
        let Some(standing) = self.partitions.get_mut(partition) else {
            let reason = format!("a batch of {partition}, which is not assigned");
            return Err(Error::Contract { plugin: self.plugin.clone(), reason });
        };
        standing.quiet_since_ms = now_ms;
        standing.current.at_ms = clamp(now_ms);
        let Some(windows) = self.windows else {
            let all = Bucket { pane: None, rows: (0..batch.timestamps.len()).collect() };
            self.bucket(functions, batch, &all, &mut folding)?;
            self.settle(functions)?;
            return Ok(folding);
        };
        let split = bucket::split(&windows, &batch.timestamps, &mut standing.current.stream_time);
        for late in &split.late {
            standing.current.late.add(1, late.lateness_ms);
        }
        folding.late = split.late;
        for bucket in &split.buckets {
            self.bucket(functions, batch, bucket, &mut folding)?;
        }
        self.settle(functions)?;
        Ok(folding)
    }

    fn bucket<F: Functions>(
        &mut self,
        functions: &mut F,
        batch: &Batch,
        bucket: &Bucket,
        folding: &mut Folding,
    ) -> Result<(), Error> {
        let whole = bucket.rows.len() == batch.timestamps.len();
        let folded =
            if whole { functions.partial(batch) } else { functions.partial(&rows::select(batch, &bucket.rows)) };
        let Folded { pieces, guilty } =
            folded.map_err(|error| Error::Instance { plugin: self.plugin.clone(), error })?;
        let row = |input: usize| bucket.rows.get(input).copied().unwrap_or(input);
        for piece in pieces {
            let timestamps = (piece.first..piece.first + piece.len).map(|input| batch.timestamps[row(input)]);
            self.hold(bucket.pane, &piece.partials, timestamps);
            let rejected = piece.partials.rejections.into_iter();
            folding.rejected.extend(rejected.map(|rejection| Rejected {
                row: row(piece.first + rejection.input as usize),
                reason: rejection.reason,
            }));
        }
        folding.guilty.extend(guilty.into_iter().map(|guilty| Guilty { input: row(guilty.input), ..guilty }));
        Ok(())
    }

    /// Counts and greatest timestamps follow from which record went into which group.
    fn hold(&mut self, pane: Option<Pane>, partials: &Partials, timestamps: impl Iterator<Item = i64>) {
        let mut sums = vec![(0u64, i64::MIN); partials.keys.lengths.len()];
        for (group, timestamp) in partials.groups.iter().zip(timestamps) {
            if let Some((count, greatest)) = usize::try_from(*group).ok().and_then(|group| sums.get_mut(group)) {
                *count += 1;
                *greatest = clamp(timestamp).max(*greatest);
            }
        }
        let mut at = held_prefix(pane);
        let prefix = at.len();
        let groups = columns::entries(&partials.keys).zip(columns::entries(&partials.accumulators));
        for ((key, accumulator), (count, greatest)) in groups.zip(sums) {
            // A group without records adds nothing that a record was accounted for.
            if let (Some(key), Some(accumulator), true) = (key, accumulator, count > 0) {
                at.truncate(prefix);
                at.extend_from_slice(key);
                self.held.add(&at, Entry { count, greatest, accumulator });
            }
        }
    }

    fn settle<F: Functions>(&mut self, functions: &mut F) -> Result<(), Error> {
        let limit = self.limits.accumulator_bytes_max;
        let unsettled = match self.held.settle(functions, limit) {
            Ok(()) => return Ok(()),
            Err(unsettled) => unsettled,
        };
        let plugin = self.plugin.clone();
        let name = |at: &[u8]| {
            let (pane, key) = held_key(self.windows.is_some(), at);
            (in_window(pane.map(|pane| pane.start)), printable(key))
        };
        Err(match unsettled {
            Unsettled::Fault { fault: Fault::Instance(error), .. } => Error::Instance { plugin, error },
            Unsettled::Fault { key, fault: Fault::Group { failure, .. } } => {
                let (window, key) = name(&key);
                Error::Function { plugin, function: "merge", window, key, failure: failure.into() }
            }
            Unsettled::TooLarge { key, bytes } => {
                let (window, key) = name(&key);
                Error::AccumulatorTooLarge { plugin, window, key, bytes, limit }
            }
        })
    }

    /// To be called when nothing came, with whether the partition has been read to its end: the time of an idle
    /// partition goes on with the wall clock.
    pub fn idle(&mut self, partition: &SourcePartition, at_end: bool, now_ms: i64) {
        let (Some(idle_ms), Some(standing)) =
            (self.windows.and_then(|windows| windows.idle_ms), self.partitions.get_mut(partition))
        else {
            return;
        };
        if !at_end || now_ms - standing.quiet_since_ms < idle_ms {
            return;
        }
        let (current, now_ms) = (&mut standing.current, clamp(now_ms));
        let passed = (now_ms - current.at_ms).max(0);
        current.stream_time = Some(current.stream_time.map_or(now_ms, |before| clamp(before + passed)));
        current.at_ms = current.at_ms.max(now_ms);
    }

    /// Whether there is something to commit beyond offsets: groups, or a stream time that closes windows.
    pub fn pending(&self) -> bool {
        self.held.len() > 0 || self.partitions.values().any(|standing| self.due(&standing.current))
    }

    /// Whether to commit before the interval is over.
    pub fn full(&self) -> bool {
        self.held.len() >= self.limits.held_groups_max || self.held.bytes() >= self.limits.held_bytes_max
    }

    /// The owners need to hear a stream time only when it closes a window.
    fn due(&self, progress: &Progress) -> bool {
        let tick = |time: Option<i64>| time.zip(self.windows).map(|(time, windows)| windows.tick(time));
        tick(progress.stream_time) != tick(progress.sent)
    }

    /// What the transaction needs; `committed` or `abort` must follow before the next fold.
    pub fn take(&mut self) -> Taken {
        let mut marker = Vec::new();
        let mut due = Vec::new();
        for (partition, standing) in &self.partitions {
            if let Some(time) = standing.current.stream_time.filter(|_| self.due(&standing.current)) {
                marker.push((partition.clone(), time));
                due.push(partition.clone());
            }
        }
        for partition in due {
            if let Some(standing) = self.partitions.get_mut(&partition) {
                standing.current.sent = standing.current.stream_time;
            }
        }
        let windowed = self.windows.is_some();
        let partials = self.held.sorted().into_iter().map(|(at, group)| {
            let (pane, key) = held_key(windowed, at);
            let mut value = Vec::with_capacity(34 + group.accumulator.len());
            wire::encode_partial(&Partial { pane, entry: group.entry() }, &mut value);
            (key.to_vec(), value)
        });
        Taken {
            partials: partials.collect(),
            marker: (!marker.is_empty()).then(|| wire::encode_marker(&marker)),
            progress: self.progress().collect(),
        }
    }

    /// The transaction is committed.
    pub fn committed(&mut self) {
        self.held.clear();
        for standing in self.partitions.values_mut() {
            standing.committed = standing.current;
        }
    }

    /// The transaction is not: everything since the last commit will be read again.
    pub fn abort(&mut self) {
        self.held.clear();
        for standing in self.partitions.values_mut() {
            standing.current = standing.committed;
        }
    }

    /// Stream times and late records of the assigned partitions.
    pub fn progress(&self) -> impl Iterator<Item = (SourcePartition, Progress)> {
        self.partitions.iter().map(|(partition, standing)| (partition.clone(), standing.current))
    }
}

/// Held groups are keyed by pane and key, in an order that follows time.
fn held_prefix(pane: Option<Pane>) -> Vec<u8> {
    pane.map_or_else(Vec::new, |pane| [wire::flipped(pane.start), wire::flipped(pane.first_open)].concat())
}

fn held_key(windowed: bool, at: &[u8]) -> (Option<Pane>, &[u8]) {
    let parse = || {
        let (start, rest) = at.split_first_chunk::<8>()?;
        let (first_open, key) = rest.split_first_chunk::<8>()?;
        Some((Some(Pane { start: wire::unflipped(*start), first_open: wire::unflipped(*first_open) }), key))
    };
    if windowed { parse().unwrap_or((None, at)) } else { (None, at) }
}
