//! Sorting a batch into buckets: records of one pane whose earliest open window is the same. Usually one bucket.

use std::collections::HashMap;

use super::time::{Windows, clamp};
use super::wire::Pane;

/// Rows of a batch, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) pane: Option<Pane>,
    pub(super) rows: Vec<usize>,
}

impl Bucket {
    /// The batch's row that its input was.
    pub(super) fn row(&self, input: usize) -> usize {
        self.rows.get(input).copied().unwrap_or(input)
    }
}

/// A record for whose windows it is too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateRecord {
    pub row: usize,
    /// How far stream time was past the close of the record's last window.
    pub lateness_ms: i64,
}

#[derive(Debug, Default)]
pub(super) struct Split {
    pub(super) buckets: Vec<Bucket>,
    pub(super) late: Vec<LateRecord>,
}

/// Each record moves its partition's stream time before it is tested, as in Kafka Streams; so lateness follows from the
/// partition's log alone.
pub(super) fn split(windows: &Windows, timestamps: &[i64], stream_time: &mut Option<i64>) -> Split {
    let mut split = Split::default();
    let mut known: HashMap<Pane, usize> = HashMap::new();
    let mut current: Option<(Pane, usize)> = None;
    for (row, &timestamp) in timestamps.iter().enumerate() {
        let time = clamp(timestamp);
        let now = stream_time.map_or(time, |before| before.max(time));
        *stream_time = Some(now);
        if let Some((pane, bucket)) = current
            && fits(windows, pane, time, now)
        {
            split.buckets[bucket].rows.push(row);
            continue;
        }
        let start = windows.pane(time);
        let Some(first_open) = windows.first_open(start, now) else {
            split.late.push(LateRecord { row, lateness_ms: now - windows.closes_at(start) });
            continue;
        };
        let pane = Pane { start, first_open };
        let bucket = *known.entry(pane).or_insert_with(|| {
            split.buckets.push(Bucket { pane: Some(pane), rows: Vec::new() });
            split.buckets.len() - 1
        });
        split.buckets[bucket].rows.push(row);
        current = Some((pane, bucket));
    }
    split
}

/// Whether a record belongs where the one before it did; without a division. What is closed stays closed, so only the
/// earliest open window needs a look.
fn fits(windows: &Windows, pane: Pane, time: i64, stream_time: i64) -> bool {
    time >= pane.start && time - pane.start < windows.advance_ms && !windows.is_closed(pane.first_open, stream_time)
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
