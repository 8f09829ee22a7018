//! Partials without a topic between: where each record of the input stands in the partition of its key, whoever folds a
//! partition owns its groups, and takes over at the commit what was folded.

use super::columns;
use super::error::Error;
use super::functions::Functions;
use super::owner::{Applied, Owner};
use super::source::Taken;
use super::time::SourcePartition;
use super::wire;
use crate::guest::Column;
use crate::kafka::partition;

/// A key that is not where it belongs.
pub(super) struct Misplaced<'a> {
    pub(super) key: &'a [u8],
    pub(super) belongs: i32,
}

pub(super) fn misplaced<'a>(keys: &'a Column, at: &SourcePartition, partitions: i32) -> Option<Misplaced<'a>> {
    let belongs = |key| Misplaced { key, belongs: partition::of_key(key, partitions) };
    columns::entries(keys).flatten().map(belongs).find(|key| key.belongs != at.partition)
}

impl Owner {
    /// What would have come to it through a repartition topic, in the same order. Before `prepare_commit`; after an
    /// error, abort.
    pub fn take_over<F: Functions>(
        &mut self,
        functions: &mut F,
        taken: &Taken,
        (source, partitions): (&SourcePartition, i32),
        now_ms: i64,
    ) -> Result<Applied, Error> {
        let of_ours = |(key, _): &&(Vec<u8>, Vec<u8>)| partition::of_key(key, partitions) == source.partition;
        let partials = taken.partials.iter().filter(of_ours);
        let told = taken.progress.iter().find(|(at, _)| at == source).and_then(|(_, progress)| progress.sent);
        let marker = told.map(|time| wire::encode_marker(&[(source.clone(), time)]));
        let records = partials.map(|(key, value)| (Some(key.as_slice()), value.as_slice()));
        self.apply(functions, records.chain(marker.as_deref().map(|marker| (None, marker))), now_ms)
    }
}
