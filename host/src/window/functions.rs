//! What an aggregating plugin does, seen from here. Answers are taken as checked: indexes in range, lists of one
//! length.

use crate::guest::{Batch, Column, Failure, Finished, Folded, LoadError};

/// The three pure functions of a plugin.
pub trait Functions {
    /// Folds a batch into groups; after a failure, the parts that went through and the guilty records.
    fn partial(&mut self, batch: &Batch) -> Result<Folded, LoadError>;

    /// Entry i is left i, the older, with right i added.
    fn merge(&mut self, left: &Column, right: &Column) -> Result<Column, Fault>;

    /// Output records of groups; `starts` and `ends` are empty without windows.
    fn finish(&mut self, starts: &[i64], ends: &[i64], keys: &Column, accumulators: &Column)
    -> Result<Finished, Fault>;
}

/// Why `merge` or `finish` did not answer.
#[derive(Debug)]
pub enum Fault {
    /// This entry is to blame.
    Group { index: usize, failure: Failure },
    /// No instance can be had any more.
    Instance(LoadError),
}
