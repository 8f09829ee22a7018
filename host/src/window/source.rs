//! The worker's half: folds its input partitions into partial accumulators, held until the commit.
//!
//! It owns stream time and lateness of these partitions. It never merges what another worker folded.

use std::collections::BTreeMap;

use super::bucket::{self, Bucket, LateRecord};
use super::columns;
use super::error::{Error, in_window, printable};
use super::functions::{Fault, Functions};
use super::groups::{Groups, Unsettled};
use super::placed;
use super::progress::Progress;
use super::rows;
use super::time::{SourcePartition, Windows, clamp};
use super::wire::{self, Entry, Pane, Partial};
use crate::guest::{Batch, Folded, FoldedPiece, Guilty, Partials};

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
    /// How many partitions the input has whose records stand where their keys belong.
    placed: Option<i32>,
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
    /// Rows that went into a group.
    pub folded: usize,
    pub late: Vec<LateRecord>,
    pub rejected: Vec<Rejected>,
    pub guilty: Vec<Guilty>,
}

/// What a batch adds, before it is added.
#[derive(Debug, Default)]
pub struct Judged {
    pub folding: Folding,
    stream_time: Option<i64>,
    buckets: Vec<Bucket>,
    /// With the bucket that each is of.
    pieces: Vec<(usize, FoldedPiece)>,
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
        let (partitions, held) = (BTreeMap::new(), Groups::default());
        Source { plugin: plugin.into(), windows, limits, placed: None, partitions, held }
    }

    /// Its input is one topic of so many partitions, each record in the one of its key: what stands elsewhere is an error.
    pub fn placed(self, partitions: i32) -> Source {
        Source { placed: Some(partitions), ..self }
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
        let judged = self.judge(functions, partition, batch)?;
        self.keep(functions, judged, partition, batch, now_ms)
    }

    /// Runs a batch of one assigned partition through the plugin, and keeps nothing of it: without `keep` it is as if
    /// it had not been seen.
    pub fn judge<F: Functions>(
        &self,
        functions: &mut F,
        partition: &SourcePartition,
        batch: &Batch,
    ) -> Result<Judged, Error> {
        let Some(standing) = self.partitions.get(partition) else {
            let reason = format!("a batch of {partition}, which is not assigned");
            return Err(Error::Contract { plugin: self.plugin.clone(), reason });
        };
        let mut judged = Judged { stream_time: standing.current.stream_time, ..Judged::default() };
        let Some(windows) = self.windows else {
            let all = Bucket { pane: None, rows: (0..batch.timestamps.len()).collect() };
            self.bucket(functions, partition, batch, all, &mut judged)?;
            return Ok(judged);
        };
        let split = bucket::split(&windows, &batch.timestamps, &mut judged.stream_time);
        judged.folding.late = split.late;
        for bucket in split.buckets {
            self.bucket(functions, partition, batch, bucket, &mut judged)?;
        }
        Ok(judged)
    }

    /// Adds what was judged last; with the same partition and batch. After an error, abort.
    pub fn keep<F: Functions>(
        &mut self,
        functions: &mut F,
        judged: Judged,
        partition: &SourcePartition,
        batch: &Batch,
        now_ms: i64,
    ) -> Result<Folding, Error> {
        if let Some(standing) = self.partitions.get_mut(partition) {
            standing.quiet_since_ms = now_ms;
            standing.current.at_ms = clamp(now_ms);
            standing.current.stream_time = judged.stream_time;
            for late in &judged.folding.late {
                standing.current.late.add(1, late.lateness_ms);
            }
        }
        for (bucket, piece) in &judged.pieces {
            let bucket = &judged.buckets[*bucket];
            let inputs = piece.first..piece.first + piece.len;
            let timestamps = inputs.map(|input| batch.timestamps[bucket.row(input)]);
            self.hold(bucket.pane, &piece.partials, timestamps);
        }
        self.settle(functions)?;
        Ok(judged.folding)
    }

    fn bucket<F: Functions>(
        &self,
        functions: &mut F,
        partition: &SourcePartition,
        batch: &Batch,
        bucket: Bucket,
        judged: &mut Judged,
    ) -> Result<(), Error> {
        let folding = &mut judged.folding;
        let whole = bucket.rows.len() == batch.timestamps.len();
        let folded =
            if whole { functions.partial(batch) } else { functions.partial(&rows::select(batch, &bucket.rows)) };
        let Folded { pieces, guilty } =
            folded.map_err(|error| Error::Instance { plugin: self.plugin.clone(), error })?;
        let at = judged.buckets.len();
        for mut piece in pieces {
            self.check_place(partition, &piece.partials)?;
            let rejected = std::mem::take(&mut piece.partials.rejections).into_iter();
            folding.rejected.extend(rejected.map(|rejection| Rejected {
                row: bucket.row(piece.first + rejection.input as usize),
                reason: rejection.reason,
            }));
            folding.folded += piece.partials.groups.iter().filter(|group| **group >= 0).count();
            judged.pieces.push((at, piece));
        }
        folding.guilty.extend(guilty.into_iter().map(|guilty| Guilty { input: bucket.row(guilty.input), ..guilty }));
        judged.buckets.push(bucket);
        Ok(())
    }

    fn check_place(&self, at: &SourcePartition, partials: &Partials) -> Result<(), Error> {
        let Some(misplaced) = self.placed.and_then(|count| placed::misplaced(&partials.keys, at, count)) else {
            return Ok(());
        };
        let (key, belongs) = (printable(misplaced.key), misplaced.belongs);
        Err(Error::Misplaced { plugin: self.plugin.clone(), key, at: at.clone(), belongs })
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
        let after = self.partitions.get(partition).filter(|_| at_end).and_then(|at| self.idled(at, now_ms));
        if let (Some(after), Some(standing)) = (after, self.partitions.get_mut(partition)) {
            standing.current = after;
        }
    }

    /// Whether `idle`, at the partition's end, would close a window.
    pub fn would_idle(&self, partition: &SourcePartition, now_ms: i64) -> bool {
        let Some(standing) = self.partitions.get(partition) else { return false };
        let after = self.idled(standing, now_ms);
        after.is_some_and(|after| self.due(&after))
    }

    fn idled(&self, standing: &Standing, now_ms: i64) -> Option<Progress> {
        let idle_ms = self.windows.and_then(|windows| windows.idle_ms)?;
        if now_ms - standing.quiet_since_ms < idle_ms {
            return None;
        }
        let (mut current, now_ms) = (standing.current, clamp(now_ms));
        let passed = (now_ms - current.at_ms).max(0);
        current.stream_time = Some(current.stream_time.map_or(now_ms, |before| clamp(before + passed)));
        current.at_ms = current.at_ms.max(now_ms);
        Some(current)
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
