//! What a running sink tells others. Counters only; nothing here is on a record's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::place::Place;
use crate::kafka::lag::Share;

/// Of all tasks together.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records in complete objects.
    pub records: AtomicU64,
    /// Bytes of complete objects.
    pub bytes: AtomicU64,
    pub objects: AtomicU64,
    open_files: Arc<AtomicU64>,
    waiting: Arc<AtomicU64>,
    held: Arc<AtomicU64>,
    lag: Arc<AtomicU64>,
    /// Of each task: for how long its oldest open file has been open.
    ages_ms: std::sync::Mutex<Vec<Arc<AtomicU64>>>,
}

impl Progress {
    pub fn open_files(&self) -> u64 {
        self.open_files.load(Ordering::Relaxed)
    }

    /// Records in open files, which S3 does not show.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Records that were not read yet.
    pub fn lag(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }

    /// For how long the oldest open file has been open.
    pub fn oldest(&self) -> Duration {
        let ages = self.ages_ms.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Duration::from_millis(ages.iter().map(|age| age.load(Ordering::Relaxed)).max().unwrap_or(0))
    }

    pub(super) fn task(&self) -> TaskProgress {
        let age_ms = Arc::<AtomicU64>::default();
        self.ages_ms.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(age_ms.clone());
        let share = |sum: &Arc<AtomicU64>| Share::new(sum.clone());
        let report = Report {
            open_files: share(&self.open_files),
            waiting: share(&self.waiting),
            held: share(&self.held),
            held_by_all: self.held.clone(),
            age_ms,
        };
        TaskProgress { lag: share(&self.lag), report }
    }
}

/// One task's part.
pub(super) struct TaskProgress {
    pub(super) lag: Share,
    pub(super) report: Report,
}

pub(super) struct Report {
    open_files: Share,
    waiting: Share,
    held: Share,
    held_by_all: Arc<AtomicU64>,
    age_ms: Arc<AtomicU64>,
}

impl Report {
    /// Gives the bytes that open files of other tasks hold.
    pub(super) fn set(&self, places: &[Place]) -> usize {
        self.open_files.set(places.iter().map(|place| place.open_files() as u64).sum());
        self.waiting.set(places.iter().map(Place::waiting).sum());
        let oldest = places.iter().filter_map(Place::opened).min();
        self.age_ms.store(oldest.map_or(0, |at| at.elapsed().as_millis() as u64), Ordering::Relaxed);
        let own = places.iter().map(|place| place.held() as u64).sum();
        self.held.set(own);
        self.held_by_all.load(Ordering::Relaxed).saturating_sub(own) as usize
    }
}

/// What a task that is gone held is free, so that the others need not wait for it.
impl Drop for Report {
    fn drop(&mut self) {
        self.held.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_task_that_is_gone_held_is_not_held_any_more() {
        let progress = Progress::default();
        let (gone, other) = (progress.task(), progress.task());
        gone.report.held.set(7);
        assert_eq!(other.report.set(&[]), 7);
        drop(gone);
        assert_eq!(other.report.set(&[]), 0);
    }
}
