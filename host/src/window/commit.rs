//! An owner's commit: what is emitted, logged and forgotten, and what becomes of the overlay.

use std::ops::{Bound, ControlFlow};

use super::error::Error;
use super::finish::{Finisher, Output};
use super::functions::Functions;
use super::owner::{Emit, Owner, corrupt, start_of};
use super::store::{Change, Checkpoint};
use super::times::Times;
use super::wire;

/// What goes into the transaction; goes back to `Owner::committed` after it.
#[derive(Debug, Default)]
pub struct Prepared {
    pub outputs: Vec<Output>,
    /// Null values are tombstones.
    pub changelog: Vec<Change>,
    expired: Option<i64>,
}

impl Owner {
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
}
