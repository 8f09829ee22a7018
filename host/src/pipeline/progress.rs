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
    /// Records that came after their windows were closed.
    pub late: AtomicU64,
    /// What was sent to the owners of groups.
    pub partials: AtomicU64,
    pub windows_closed: AtomicU64,
    windows_open: Arc<AtomicU64>,
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
    pub late: usize,
    pub partials: usize,
    pub windows_closed: usize,
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
        Progress::add(&self.late, tally.late);
        Progress::add(&self.partials, tally.partials);
        Progress::add(&self.windows_closed, tally.windows_closed);
    }

    /// Records between what was read and the end of the input, as of the last second.
    pub fn lag(&self) -> u64 {
        Progress::get(&self.lag)
    }

    /// One worker's part of the lag.
    pub fn lag_share(&self) -> lag::Share {
        lag::Share::new(self.lag.clone())
    }

    /// Windows that wait for their end; one with groups in several partitions counts in each.
    pub fn windows_open(&self) -> u64 {
        Progress::get(&self.windows_open)
    }

    /// One worker's part of the open windows.
    pub fn windows_share(&self) -> lag::Share {
        lag::Share::new(self.windows_open.clone())
    }

    /// One line for people.
    pub fn line(&self) -> String {
        format!(
            "in {} · out {} · filtered {} · dead {} · lag {}{}",
            Progress::get(&self.records_in),
            Progress::get(&self.records_out),
            Progress::get(&self.filtered),
            Progress::get(&self.dead),
            self.lag(),
            self.windows(),
        )
    }

    /// Nothing for a pipeline that does not aggregate.
    fn windows(&self) -> String {
        let [late, partials, closed] = [&self.late, &self.partials, &self.windows_closed].map(Progress::get);
        if late + partials + closed + self.windows_open() == 0 {
            return String::new();
        }
        format!(" · windows open {} · closed {closed} · late {late} · partials {partials}", self.windows_open())
    }
}
