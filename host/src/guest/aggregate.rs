//! Runs an aggregator's three functions. It owns no window, state or time.

use std::ops::Range;

use super::instance::{Instance, Pace};
use super::load::Configured;
use super::{Batch, Column, Failure, Finished, Guilty, LoadError, Partials, check_aggregate, slice};
use crate::shutdown::Shutdown;

/// What became of a batch of records.
#[derive(Debug, Default)]
pub struct Folded {
    /// In input order.
    pub pieces: Vec<FoldedPiece>,
    pub guilty: Vec<Guilty>,
}

/// A run of records that went through together; the indexes of `partials` count from `first`.
#[derive(Debug)]
pub struct FoldedPiece {
    pub first: usize,
    pub len: usize,
    pub partials: Partials,
}

/// The first pair or group that the plugin cannot handle.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame {
    pub index: usize,
    pub failure: Failure,
}

/// An aggregator's instance in one worker.
pub struct Aggregator {
    instance: Instance,
    guilty_in_row_max: usize,
    partial: Pace,
    merge: Pace,
    finish: Pace,
}

/// Each fails only if no instance can be had any more, or stopping is asked for.
impl Aggregator {
    pub(super) fn new(configured: Configured) -> Result<Aggregator, LoadError> {
        let instance = Instance::new(configured)?;
        let guilty_in_row_max = usize::MAX;
        Ok(Aggregator {
            instance,
            guilty_in_row_max,
            partial: Pace::default(),
            merge: Pace::finishing(),
            finish: Pace::finishing(),
        })
    }

    pub fn configured(&self) -> &Configured {
        &self.instance.configured
    }

    /// It gives up a call soon after stopping is asked for, and the search for guilty records after so many in a row: what
    /// comes after them is in no piece then.
    pub fn giving_up(mut self, stop: &Shutdown, guilty_in_row_max: usize) -> Aggregator {
        self.instance.until(stop);
        Aggregator { guilty_in_row_max, ..self }
    }

    /// Folds records of one pane into groups; pieces may have keys in common.
    pub fn partial(&mut self, batch: &Batch) -> Result<Folded, LoadError> {
        let configured = self.instance.configured.clone();
        let limits = configured.plugin().limits();
        let rows = batch.timestamps.len();
        let found = self.instance.run(&mut self.partial, rows, self.guilty_in_row_max, &|live, part| {
            let part = slice::batch(batch, part);
            let partials = live.world.aggregator()?.call_partial(&mut live.store, &part)?;
            Ok(check_aggregate::partials(&partials, part.timestamps.len(), limits).map(|()| partials))
        })?;
        let pieces = found.good.into_iter();
        let pieces = pieces.map(|(part, partials)| FoldedPiece { first: part.start, len: part.len(), partials });
        Ok(Folded { pieces: pieces.collect(), guilty: Guilty::all(found.guilty) })
    }

    /// Entry i is left i with right i added, left being the older.
    pub fn merge(&mut self, left: &Column, right: &Column) -> Result<Result<Column, Blame>, LoadError> {
        let configured = self.instance.configured.clone();
        let limits = configured.plugin().limits();
        let found = self.instance.run(&mut self.merge, left.lengths.len(), 1, &|live, part| {
            let (left, right) = (slice::column(left, part.clone()), slice::column(right, part));
            let merged = live.world.aggregator()?.call_merge(&mut live.store, &left, &right)?;
            Ok(check_aggregate::merged(&merged, left.lengths.len(), limits).map(|()| merged))
        })?;
        Ok(blame(found.guilty).map(|()| joined(found.good.into_iter().map(|(_, merged)| merged))))
    }

    /// `starts` and `ends` are both empty without windows; else there is one of each for each key and accumulator.
    pub fn finish(
        &mut self,
        starts: &[i64],
        ends: &[i64],
        keys: &Column,
        accumulators: &Column,
    ) -> Result<Result<Finished, Blame>, LoadError> {
        let configured = self.instance.configured.clone();
        let limits = configured.plugin().limits();
        let found = self.instance.run(&mut self.finish, keys.lengths.len(), 1, &|live, part| {
            let times = if starts.is_empty() { 0..0 } else { part.clone() };
            let (starts, ends) = (&starts[times.clone()], &ends[times]);
            let (keys, accumulators) = (slice::column(keys, part.clone()), slice::column(accumulators, part.clone()));
            let guest = live.world.aggregator()?;
            let finished = guest.call_finish(&mut live.store, starts, ends, &keys, &accumulators)?;
            Ok(check_aggregate::finished(&finished, part.len(), limits).map(|()| finished))
        })?;
        Ok(blame(found.guilty).map(|()| together(found.good)))
    }
}

fn blame(guilty: Vec<(usize, Failure)>) -> Result<(), Blame> {
    guilty.into_iter().next().map_or(Ok(()), |(index, failure)| Err(Blame { index, failure }))
}

/// In the good case the only one, untouched.
fn joined(columns: impl Iterator<Item = Column>) -> Column {
    let join = |mut all: Column, next: Column| {
        all.data.extend(next.data);
        all.lengths.extend(next.lengths);
        all
    };
    columns.reduce(join).unwrap_or(Column { data: vec![], lengths: vec![] })
}

fn together(pieces: Vec<(Range<usize>, Finished)>) -> Finished {
    let (mut inputs, mut values) = (Vec::new(), Vec::new());
    for (part, finished) in pieces {
        // Group numbers stem from a u32, or are fewer than there are records in a batch.
        let first = u32::try_from(part.start).unwrap_or(u32::MAX);
        inputs.extend(finished.inputs.into_iter().map(|input| input + first));
        values.push(finished.values);
    }
    Finished { inputs, values: joined(values.into_iter()) }
}
