//! A pipeline's counters. Written once a batch, read by whoever reports.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
}

impl Progress {
    pub fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(n as u64, Relaxed);
    }

    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Relaxed)
    }

    /// One line for people.
    pub fn line(&self) -> String {
        format!(
            "in {} · out {} · filtered {} · dead {}",
            Progress::get(&self.records_in),
            Progress::get(&self.records_out),
            Progress::get(&self.filtered),
            Progress::get(&self.dead),
        )
    }
}
