//! The owner's half: merges the partials of one repartition partition, and closes, emits and forgets windows.
//!
//! Its state is a function of the log's prefix. Between commits changes lie in an overlay above the store, so that an
//! aborted transaction leaves nothing behind.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use super::error::{Error, in_window, printable};
use super::finish::{Finisher, Output};
use super::functions::{Fault, Functions};
use super::groups::{Groups, Unsettled};
use super::progress::Late;
use super::store::{Change, Checkpoint, Store};
use super::time::{SourcePartition, Windows, clamp};
use super::times::Times;
use super::wire::{self, Entry, Pane, Partial, Repartition};

/// When a window's output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emit {
    /// At each commit, for each group that changed.
    Changes,
    /// Once, when the window closes.
    Final,
}

/// Of one plugin in one repartition partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Groups: a key counts in each of its windows.
    pub keys_max: u64,
    pub accumulator_bytes_max: usize,
    /// Beyond it, `Owner::full` asks for an early commit.
    pub overlay_bytes_max: usize,
}

/// One plugin's groups in one repartition partition.
pub struct Owner {
    plugin: String,
    pub(super) windows: Option<Windows>,
    emit: Emit,
    limits: Limits,
    store: Store,
    overlay: Groups,
    /// Groups in the overlay that the store lacks.
    fresh: u64,
    pub(super) times: Times,
    committed: Times,
    /// By window start, as committed.
    pub(super) totals: BTreeMap<i64, Totals>,
    /// Groups in the store.
    stored: u64,
    /// Windows that start up to here are gone from the store.
    swept: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) keys: u64,
    pub(super) count: u64,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Records of partials for windows that were closed already: only after the source topic grew or lost its progress.
    pub late: Late,
}

/// What goes into the transaction; goes back to `Owner::committed` after it.
#[derive(Debug, Default)]
pub struct Prepared {
    pub outputs: Vec<Output>,
    /// Null values are tombstones.
    pub changelog: Vec<Change>,
    expired: Option<i64>,
}

impl Owner {
    /// `sources` are all partitions of the input: each holds windows open until it was heard.
    pub fn open(
        plugin: impl Into<String>,
        windows: Option<Windows>,
        emit: Emit,
        limits: Limits,
        sources: impl IntoIterator<Item = SourcePartition>,
        store: Store,
    ) -> Result<Owner, Error> {
        let plugin = plugin.into();
        let mut times = Times::new(sources);
        if let Some(loaded) = store.get(wire::TIMES_KEY, |bytes| times.load(bytes))? {
            loaded.map_err(|error| corrupt(&plugin, "the record of stream times", error))?;
        }
        let mut totals: BTreeMap<i64, Totals> = BTreeMap::new();
        store.scan((Bound::Unbounded, Bound::Unbounded), |key, value| {
            if let Some((start, _)) = wire::parse_group_key(key) {
                let entry = wire::decode_entry(value).map_err(|error| corrupt(&plugin, "a group's record", error))?;
                totals.entry(start).or_default().add(1, entry.count);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let stored = totals.values().map(|totals| totals.keys).sum();
        let (committed, overlay) = (times.clone(), Groups::default());
        Ok(Owner {
            plugin,
            windows,
            emit,
            limits,
            store,
            overlay,
            fresh: 0,
            times,
            committed,
            totals,
            stored,
            swept: None,
        })
    }

    /// Applies repartition records (key, value) in the log's order. After an error, abort.
    pub fn apply<'a, F: Functions>(
        &mut self,
        functions: &mut F,
        records: impl IntoIterator<Item = (Option<&'a [u8]>, &'a [u8])>,
        now_ms: i64,
    ) -> Result<Applied, Error> {
        let mut applied = Applied::default();
        for (key, value) in records {
            let record = wire::decode_repartition(value)
                .map_err(|error| corrupt(&self.plugin, "a repartition record", error))?;
            match (record, key) {
                (Repartition::Marker(times), _) => {
                    for (source, time) in times {
                        self.times.hear(source, clamp(time), now_ms);
                    }
                }
                (Repartition::Partial(partial), Some(key)) => self.add(key, &partial, &mut applied)?,
                (Repartition::Partial(_), None) => {
                    return Err(corrupt(&self.plugin, "a repartition record", "a partial without a key"));
                }
            }
        }
        let limit = self.limits.accumulator_bytes_max;
        self.overlay.settle(functions, limit).map_err(|unsettled| self.explain(unsettled))?;
        Ok(applied)
    }

    /// A pane's partial goes into each window that holds the pane and was open for its records.
    fn add(&mut self, key: &[u8], partial: &Partial<'_>, applied: &mut Applied) -> Result<(), Error> {
        let (pane, windows) = match (partial.pane, self.windows) {
            (None, None) => return self.add_to(0, key, partial.entry),
            (Some(pane), Some(windows)) if is_of(&windows, pane) => (pane, windows),
            _ => return Err(corrupt(&self.plugin, "a repartition record", "it was written for other windows")),
        };
        let watermark = self.times.watermark();
        let mut start = pane.first_open;
        while start <= pane.start {
            match watermark.filter(|watermark| windows.is_closed(start, *watermark)) {
                None => self.add_to(start, key, partial.entry)?,
                // Late for the pane's last window is late for all.
                Some(watermark) if start == pane.start => {
                    applied.late.add(partial.entry.count, watermark - windows.closes_at(start));
                }
                Some(_) => {}
            }
            start += windows.advance_ms;
        }
        Ok(())
    }

    fn add_to(&mut self, start: i64, key: &[u8], entry: Entry<'_>) -> Result<(), Error> {
        let at = wire::group_key(start, key);
        if !self.overlay.contains(&at) {
            let overlay = &mut self.overlay;
            let load = |bytes: &[u8]| wire::decode_entry(bytes).map(|entry| overlay.load(&at, entry));
            match self.store.get(&at, load)? {
                Some(loaded) => loaded.map_err(|error| corrupt(&self.plugin, "a group's record", error))?,
                None => self.fresh += 1,
            }
        }
        let groups = self.stored + self.fresh;
        if groups > self.limits.keys_max {
            let (window, key) = self.name(&at);
            let (plugin, limit) = (self.plugin.clone(), self.limits.keys_max);
            return Err(Error::TooManyKeys { plugin, window, key, groups, limit });
        }
        self.overlay.add(&at, entry);
        Ok(())
    }

    /// Whether to commit before the interval is over.
    pub fn full(&self) -> bool {
        self.overlay.bytes() >= self.limits.overlay_bytes_max
    }

    /// Whether there is something to commit beyond offsets.
    pub fn pending(&self) -> bool {
        self.overlay.len() > 0 || self.times != self.committed
    }

    /// Outputs and changelog records of everything applied since the last commit. `committed` or `abort` must follow.
    pub fn prepare_commit<F: Functions>(&mut self, functions: &mut F) -> Result<Prepared, Error> {
        let outputs = self.outputs(functions)?;
        let expired = self.windows.zip(self.times.watermark()).map(|(w, watermark)| w.expired_through(watermark));
        let is_expired = |key: &[u8]| expired.is_some_and(|through| start_of(key) <= through);
        let mut changelog: Vec<Change> = Vec::new();
        for (key, group) in self.overlay.sorted().into_iter().filter(|(key, _)| !is_expired(key)) {
            changelog.push((key.to_vec(), Some(wire::encode_entry(&group.entry()))));
        }
        if let Some(through) = expired.filter(|through| self.swept != Some(*through)) {
            let (from, to) = (wire::group_bound(i64::MIN), wire::group_bound(through + 1));
            self.store.scan((Bound::Included(&from), Bound::Excluded(&to)), |key, _| {
                changelog.push((key.to_vec(), None));
                Ok(ControlFlow::Continue(()))
            })?;
        }
        if self.times != self.committed {
            changelog.push((wire::TIMES_KEY.to_vec(), Some(self.times.encode())));
        }
        Ok(Prepared { outputs, changelog, expired })
    }

    fn outputs<F: Functions>(&self, functions: &mut F) -> Result<Vec<Output>, Error> {
        let mut finisher = Finisher::new(&self.plugin, self.windows, functions);
        let closing = match (self.emit, self.windows) {
            (Emit::Final, Some(windows)) => {
                let through = |times: &Times| times.watermark().map_or(i64::MIN, |at| windows.closed_through(at));
                Some((through(&self.committed), through(&self.times)))
            }
            _ => None,
        };
        let Some((before, through)) = closing else {
            for (key, group) in self.overlay.sorted() {
                finisher.push(key, group.entry())?;
            }
            return finisher.end();
        };
        if before >= through {
            return Ok(Vec::new());
        }
        for (key, group) in self.overlay.sorted() {
            if start_of(key) <= through {
                finisher.push(key, group.entry())?;
            }
        }
        let (from, to) = (wire::group_bound(before.saturating_add(1)), wire::group_bound(through + 1));
        self.store.scan((Bound::Included(&from), Bound::Excluded(&to)), |key, value| {
            if !self.overlay.contains(key) {
                let entry = wire::decode_entry(value);
                finisher.push(key, entry.map_err(|error| corrupt(&self.plugin, "a group's record", error))?)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        finisher.end()
    }

    /// The transaction is committed: the overlay becomes the store's, together with the checkpoint.
    /// Gives how many windows closed.
    pub fn committed(&mut self, prepared: Prepared, checkpoint: Checkpoint) -> Result<usize, Error> {
        self.store.apply(prepared.changelog, checkpoint)?;
        for (key, group) in self.overlay.iter() {
            let (keys, count) = group.stored.map_or((1, group.count), |stored| (0, group.count - stored));
            self.totals.entry(start_of(key)).or_default().add(keys, count);
        }
        let closed = self.closed_since(self.committed.watermark());
        if let Some(through) = prepared.expired {
            self.totals = self.totals.split_off(&(through + 1));
            self.swept = Some(through);
        }
        self.stored = self.totals.values().map(|totals| totals.keys).sum();
        self.committed = self.times.clone();
        self.reset();
        Ok(closed)
    }

    fn closed_since(&self, before: Option<i64>) -> usize {
        let (Some(windows), Some(now)) = (self.windows, self.times.watermark()) else { return 0 };
        let (from, to) = (before.map_or(i64::MIN, |at| windows.closed_through(at) + 1), windows.closed_through(now));
        if from > to { 0 } else { self.totals.range(from..=to).count() }
    }

    /// Windows that are not closed, as of the last commit.
    pub fn open_windows(&self) -> usize {
        let closed = self.windows.zip(self.committed.watermark()).map(|(windows, at)| windows.closed_through(at));
        self.totals.range((closed.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)).count()
    }

    /// The transaction is not: everything since the last commit will be read again.
    pub fn abort(&mut self) {
        self.times = self.committed.clone();
        self.reset();
    }

    fn reset(&mut self) {
        self.overlay.clear();
        self.fresh = 0;
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// When the partition moves away; the store stays as it was last committed.
    pub fn into_store(self) -> Store {
        self.store
    }

    fn name(&self, at: &[u8]) -> (String, String) {
        let (start, key) = wire::parse_group_key(at).unwrap_or((0, at));
        (in_window(self.windows.map(|_| start)), printable(key))
    }

    fn explain(&self, unsettled: Unsettled) -> Error {
        let plugin = self.plugin.clone();
        match unsettled {
            Unsettled::Fault { fault: Fault::Instance(error), .. } => Error::Instance { plugin, error },
            Unsettled::Fault { key, fault: Fault::Group { failure, .. } } => {
                let (window, key) = self.name(&key);
                Error::Function { plugin, function: "merge", window, key, failure: Box::new(failure) }
            }
            Unsettled::TooLarge { key, bytes } => {
                let (window, key) = self.name(&key);
                let limit = self.limits.accumulator_bytes_max;
                Error::AccumulatorTooLarge { plugin, window, key, bytes, limit }
            }
        }
    }
}

impl Totals {
    fn add(&mut self, keys: u64, count: u64) {
        self.keys += keys;
        self.count += count;
    }
}

fn start_of(key: &[u8]) -> i64 {
    wire::parse_group_key(key).map_or(0, |(start, _)| start)
}

/// Whether these windows have such a pane.
fn is_of(windows: &Windows, pane: Pane) -> bool {
    let aligned = |start: i64| windows.pane(start) == start;
    aligned(pane.start)
        && aligned(pane.first_open)
        && (windows.first(pane.start)..=pane.start).contains(&pane.first_open)
}

fn corrupt(plugin: &str, record: &'static str, reason: impl ToString) -> Error {
    Error::Corrupt { plugin: plugin.to_owned(), record, reason: reason.to_string() }
}
