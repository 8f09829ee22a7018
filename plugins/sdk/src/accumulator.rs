//! What can be added up in parts: any split of the records, merged in order, gives the same.
//!
//! Accumulators are kept as Avro without its schema; what their bytes mean is told apart by the aggregate's version.

use crate::codec::{Decode, Encode};

/// Starts from `Default`. Merging is associative, and `newer` holds later records than `self`.
///
/// Derive it for a struct of accumulators; a field of another type says how its values are merged, for instance
/// `#[accumulator(merge = i64::add_assign)]`.
pub trait Accumulator: Default + Encode + for<'a> Decode<'a> {
    fn merge(&mut self, newer: &Self);
}

/// One after the other.
impl<T: Clone> Accumulator for Vec<T>
where
    Vec<T>: Encode + for<'a> Decode<'a>,
{
    fn merge(&mut self, newer: &Self) {
        self.extend_from_slice(newer);
    }
}

/// Nothing yet, until something is.
impl<T: Accumulator + Clone> Accumulator for Option<T> {
    fn merge(&mut self, newer: &Self) {
        match (self, newer) {
            (_, None) => {}
            (Some(older), Some(newer)) => older.merge(newer),
            (older, Some(newer)) => *older = Some(newer.clone()),
        }
    }
}
