//! What an aggregating plugin does, seen from here. Answers are taken as checked: indexes in range, lists of one
//! length.

use crate::guest::{Batch, Column, Failure, LoadError, Rejection};

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

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Folded {
    /// In input order.
    pub pieces: Vec<Piece>,
    pub guilty: Vec<Guilty>,
}

/// A run of records that went through together; indexes in `partials` count from `first`.
#[derive(Debug)]
pub struct Piece {
    pub first: usize,
    pub len: usize,
    pub partials: Partials,
}

/// A record that the plugin cannot handle.
#[derive(Debug)]
pub struct Guilty {
    pub input: usize,
    pub failure: Failure,
}

/// `partials` of the contract.
#[derive(Debug)]
pub struct Partials {
    pub keys: Column,
    pub accumulators: Column,
    /// One entry a record: its group, or -1.
    pub groups: Vec<i32>,
    pub rejections: Vec<Rejection>,
}

/// `finished` of the contract.
#[derive(Debug)]
pub struct Finished {
    pub inputs: Vec<u32>,
    /// -1 is a tombstone, -2 the accumulator's own bytes.
    pub values: Column,
}

/// Why `merge` or `finish` did not answer.
#[derive(Debug)]
pub enum Fault {
    /// This entry is to blame.
    Group { index: usize, failure: Failure },
    /// No instance can be had any more.
    Instance(LoadError),
}
