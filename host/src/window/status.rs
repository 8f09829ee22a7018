//! Why windows are still open, for people. As of the last commit; it never touches the store.

use super::owner::Owner;
use super::time::SourcePartition;

/// A window that is not closed, or all groups where there are no windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWindow {
    /// `None` without windows.
    pub start: Option<i64>,
    pub end: Option<i64>,
    /// The stream time at which it closes.
    pub closes_at: Option<i64>,
    pub keys: u64,
    pub count: u64,
    /// The source partitions that have not passed `closes_at`, those farthest back first.
    pub held_back: Vec<HeldBack>,
}

/// A source partition that holds a window open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    pub source: SourcePartition,
    /// `None`: nothing was heard of it yet.
    pub stream_time: Option<i64>,
    pub missing_ms: Option<i64>,
    /// The wall clock when its stream time last moved; `None` if it has not since this owner started.
    pub since_ms: Option<i64>,
}

impl Owner {
    /// Open windows, the oldest first.
    pub fn why_open(&self) -> Vec<OpenWindow> {
        let open = self.totals.iter().filter_map(|(&start, totals)| {
            let (keys, count) = (totals.keys, totals.count);
            let Some(windows) = self.windows else {
                let held_back = Vec::new();
                return Some(OpenWindow { start: None, end: None, closes_at: None, keys, count, held_back });
            };
            if self.times.watermark().is_some_and(|watermark| windows.is_closed(start, watermark)) {
                return None;
            }
            let closes_at = windows.closes_at(start);
            let held_back = self.held_back(closes_at);
            let (start, end) = (Some(start), Some(windows.end(start)));
            Some(OpenWindow { start, end, closes_at: Some(closes_at), keys, count, held_back })
        });
        open.collect()
    }

    fn held_back(&self, closes_at: i64) -> Vec<HeldBack> {
        let behind = self.times.sources().filter(|(_, time)| time.stream_time.is_none_or(|time| time < closes_at));
        let mut behind: Vec<HeldBack> = behind
            .map(|(source, time)| HeldBack {
                source: source.clone(),
                stream_time: time.stream_time,
                missing_ms: time.stream_time.map(|time| closes_at - time),
                since_ms: time.since_ms,
            })
            .collect();
        behind.sort_by_key(|held| held.stream_time);
        behind
    }
}
