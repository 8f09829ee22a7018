//! The plugin's three functions as windows want them. Never decides anything.

use crate::guest::{Aggregator, Batch, Blame, Column, LoadError};
use crate::window::{Fault, Finished, Folded, Functions, Guilty, Partials, Piece};

/// An aggregator's instance in one worker.
pub(super) struct Guest(Aggregator);

impl Guest {
    pub(super) fn new(aggregator: Aggregator) -> Guest {
        Guest(aggregator)
    }
}

impl Functions for Guest {
    fn partial(&mut self, batch: &Batch) -> Result<Folded, LoadError> {
        let folded = self.0.partial(batch)?;
        let pieces = folded.pieces.into_iter().map(|piece| {
            let crate::guest::Partials { keys, accumulators, groups, rejections } = piece.partials;
            let partials = Partials { keys, accumulators, groups, rejections };
            Piece { first: piece.first, len: piece.len, partials }
        });
        let guilty = folded.guilty.into_iter().map(|guilty| Guilty { input: guilty.input, failure: guilty.failure });
        Ok(Folded { pieces: pieces.collect(), guilty: guilty.collect() })
    }

    fn merge(&mut self, left: &Column, right: &Column) -> Result<Column, Fault> {
        answer(self.0.merge(left, right))
    }

    fn finish(
        &mut self,
        starts: &[i64],
        ends: &[i64],
        keys: &Column,
        accumulators: &Column,
    ) -> Result<Finished, Fault> {
        let finished = answer(self.0.finish(starts, ends, keys, accumulators))?;
        Ok(Finished { inputs: finished.inputs, values: finished.values })
    }
}

fn answer<T>(answer: Result<Result<T, Blame>, LoadError>) -> Result<T, Fault> {
    answer.map_err(Fault::Instance)?.map_err(|Blame { index, failure }| Fault::Group { index, failure })
}
