//! The plugin's three functions as windows want them. Never decides anything.

use crate::guest::{Aggregator, Batch, Blame, Column, Finished, Folded, LoadError};
use crate::window::{Fault, Functions};

impl Functions for Aggregator {
    fn partial(&mut self, batch: &Batch) -> Result<Folded, LoadError> {
        Aggregator::partial(self, batch)
    }

    fn merge(&mut self, left: &Column, right: &Column) -> Result<Column, Fault> {
        answer(Aggregator::merge(self, left, right))
    }

    fn finish(
        &mut self,
        starts: &[i64],
        ends: &[i64],
        keys: &Column,
        accumulators: &Column,
    ) -> Result<Finished, Fault> {
        answer(Aggregator::finish(self, starts, ends, keys, accumulators))
    }
}

fn answer<T>(answer: Result<Result<T, Blame>, LoadError>) -> Result<T, Fault> {
    answer.map_err(Fault::Instance)?.map_err(|Blame { index, failure }| Fault::Group { index, failure })
}
