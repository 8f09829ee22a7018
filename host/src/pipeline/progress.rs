//! A pipeline's counters: of what is committed, so that nothing counts twice after an abort. Written once a commit,
//! read by whoever reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::kafka::lag;

#[derive(Debug, Default)]
pub struct Progress {
    pub records_in: AtomicU64,
    pub records_out: AtomicU64,
    /// Handed to a plugin and neither emitted nor rejected.
    pub filtered: AtomicU64,
    pub dead: AtomicU64,
    pub tombstones_skipped: AtomicU64,
    pub commits: AtomicU64,
    /// Workers that hold an assignment, or have nothing to wait for.
    pub assigned: AtomicU64,
    lag: Arc<AtomicU64>,
}

/// What one worker has done since its last commit.
#[derive(Debug, Default)]
pub struct Tally {
    pub records_in: usize,
    pub records_out: usize,
    pub filtered: usize,
    pub dead: usize,
    pub tombstones_skipped: usize,
}

impl Progress {
    pub fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(n as u64, Relaxed);
    }

    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Relaxed)
    }

    /// Counts what was committed, and empties the tally.
    pub fn committed(&self, tally: &mut Tally) {
        let tally = std::mem::take(tally);
        Progress::add(&self.commits, 1);
        Progress::add(&self.records_in, tally.records_in);
        Progress::add(&self.records_out, tally.records_out);
        Progress::add(&self.filtered, tally.filtered);
        Progress::add(&self.dead, tally.dead);
        Progress::add(&self.tombstones_skipped, tally.tombstones_skipped);
    }

    /// Records between what was read and the end of the input, as of the last second.
    pub fn lag(&self) -> u64 {
        Progress::get(&self.lag)
    }

    /// One worker's part of the lag.
    pub fn lag_share(&self) -> lag::Share {
        lag::Share::new(self.lag.clone())
    }

    /// One line for people.
    pub fn line(&self) -> String {
        format!(
            "in {} · out {} · filtered {} · dead {} · lag {}",
            Progress::get(&self.records_in),
            Progress::get(&self.records_out),
            Progress::get(&self.filtered),
            Progress::get(&self.dead),
            self.lag(),
        )
    }
}
