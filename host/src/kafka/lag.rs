//! How far reading is behind the end of the input, from what librdkafka knows without asking.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rdkafka::statistics::{Partition, Statistics};

/// One consumer's part of a sum that several consumers share.
#[derive(Default)]
pub struct Share {
    sum: Arc<AtomicU64>,
    own: AtomicU64,
}

impl Share {
    pub fn new(sum: Arc<AtomicU64>) -> Share {
        Share { sum, own: AtomicU64::new(0) }
    }

    pub fn set(&self, lag: u64) {
        // Wraps where it shrinks, and back again.
        self.sum.fetch_add(lag.wrapping_sub(self.own.swap(lag, Relaxed)), Relaxed);
    }
}

/// Records between what was read and the last stable offset, over the partitions that are being fetched.
pub fn of(statistics: &Statistics) -> u64 {
    let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
    partitions.filter(|partition| partition.fetch_state == "active").map(one).sum()
}

/// Up to where each partition that is being fetched has been read.
pub fn reached(statistics: &Statistics) -> Vec<(String, i32, i64)> {
    let active = |(_, partition): &(&i32, &Partition)| partition.fetch_state == "active";
    let of = |(name, topic): (&String, &rdkafka::statistics::Topic)| {
        let partitions = topic.partitions.iter().filter(active);
        let reached = partitions.map(|(number, partition)| (name.clone(), *number, read(partition)));
        reached.collect::<Vec<_>>()
    };
    statistics.topics.iter().flat_map(of).collect()
}

/// An end of partition counts as read up to there: behind the last record may stand transaction markers.
fn read(partition: &Partition) -> i64 {
    partition.app_offset.max(partition.eof_offset)
}

fn one(partition: &Partition) -> u64 {
    let read = read(partition).max(partition.lo_offset);
    partition.ls_offset.saturating_sub(read.max(0)).max(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(app: i64, eof: i64, low: i64, stable: i64, expected: u64) {
        let partition =
            Partition { app_offset: app, eof_offset: eof, lo_offset: low, ls_offset: stable, ..Default::default() };
        assert_eq!(one(&partition), expected, "app {app} eof {eof} low {low} stable {stable}");
    }

    #[test]
    fn what_is_stable_and_not_read_is_lag() {
        check(10, -1001, 0, 15, 5);
        check(15, -1001, 0, 15, 0);
        // A marker behind the last record.
        check(15, 16, 0, 16, 0);
        // Nothing read yet, and the oldest records deleted.
        check(-1001, -1001, 5, 15, 10);
        // Nothing known.
        check(-1001, -1001, -1001, -1001, 0);
    }

    #[test]
    fn shares_add_up_and_follow_their_owners() {
        let sum = Arc::new(AtomicU64::new(0));
        let (one, other) = (Share::new(sum.clone()), Share::new(sum.clone()));
        one.set(10);
        other.set(5);
        one.set(2);
        assert_eq!(sum.load(Relaxed), 7);
        one.set(0);
        other.set(0);
        assert_eq!(sum.load(Relaxed), 0);
    }
}
