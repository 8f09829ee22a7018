//! Runs batches of a transformer. In the good case one call and one piece; else exactly the guilty are named.

use super::instance::{Instance, Pace};
use super::load::Configured;
use super::{Batch, Failure, LoadError, Outcome, check, slice};
use crate::shutdown::Shutdown;

/// What became of a batch.
#[derive(Debug)]
pub struct Verdict {
    /// In input order.
    pub pieces: Vec<Piece>,
    pub guilty: Vec<Guilty>,
}

/// A run of records that went through together; the outcome's indexes count from `first`.
#[derive(Debug)]
pub struct Piece {
    pub first: usize,
    pub len: usize,
    pub outcome: Outcome,
}

/// A record that the plugin cannot handle.
#[derive(Debug)]
pub struct Guilty {
    pub input: usize,
    pub failure: Failure,
}

impl Guilty {
    pub(super) fn all(found: Vec<(usize, Failure)>) -> Vec<Guilty> {
        found.into_iter().map(|(input, failure)| Guilty { input, failure }).collect()
    }
}

/// A transformer's instance in one worker.
pub struct Runner {
    instance: Instance,
    pace: Pace,
    guilty_in_row_max: usize,
}

impl Runner {
    pub(super) fn new(configured: Configured) -> Result<Runner, LoadError> {
        Ok(Runner { instance: Instance::new(configured)?, pace: Pace::default(), guilty_in_row_max: usize::MAX })
    }

    pub fn configured(&self) -> &Configured {
        &self.instance.configured
    }

    /// It gives up a batch when stopping is asked for, and the search for guilty records after so many in a row: what
    /// comes after them is in no piece then.
    pub fn giving_up(mut self, stop: &Shutdown, guilty_in_row_max: usize) -> Runner {
        self.instance.until(stop);
        Runner { guilty_in_row_max, ..self }
    }

    /// Fails only if no instance can be had any more, or stopping is asked for.
    pub fn run(&mut self, batch: &Batch) -> Result<Verdict, LoadError> {
        let configured = self.instance.configured.clone();
        let (wiring, limits) = (configured.wiring(), configured.plugin().limits());
        let rows = batch.timestamps.len();
        let found = self.instance.run(&mut self.pace, rows, self.guilty_in_row_max, &|live, part| {
            let part = slice::batch(batch, part);
            let outcome = live.world.transformer()?.call_transform(&mut live.store, &part)?;
            Ok(check::outcome(&outcome, &part, wiring, limits).map(|()| outcome))
        })?;
        let pieces = found.good.into_iter();
        let pieces = pieces.map(|(part, outcome)| Piece { first: part.start, len: part.len(), outcome }).collect();
        Ok(Verdict { pieces, guilty: Guilty::all(found.guilty) })
    }
}
