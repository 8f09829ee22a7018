//! Partitions that come and go, and what then becomes of their files.

use std::time::{Duration, Instant};

use rdkafka::topic_partition_list::TopicPartitionList;

use super::super::recorded::Recorded;
use super::{Change, Place, Stop, Task};
use crate::kafka::From;
use rdkafka::consumer::Consumer;

/// So long closed files get to arrive when their partition goes, or the task ends.
const GRACE: Duration = Duration::from_secs(3);

impl Task<'_> {
    /// Before partitions go, what is closed of them is waited for and committed; the rest is aborted.
    pub(super) fn rebalance(&mut self) -> Result<(), Stop> {
        while let Some(change) = self.member.change() {
            let connector = &self.desk.connector.name;
            if let Change::Revoked(partitions) = &change {
                tracing::info!(connector, partitions = partitions.count(), "partitions revoked");
                self.land(Some(partitions))?;
                self.commit()?;
                self.places.retain(|place| partitions.find_partition(&place.topic, place.partition).is_none());
            } else if let Change::Assigned(partitions) = &change {
                tracing::info!(connector, partitions = partitions.count(), "partitions assigned");
            }
            self.member.accept(&change).map_err(|error| self.lost_place(&error))?;
            if let Change::Assigned(partitions) = &change {
                self.welcome(partitions)?;
            }
            // What is assigned while the brake is on has to be paused with the rest.
            self.release()?;
        }
        Ok(())
    }

    /// What is committed of partitions says where their tails end.
    fn welcome(&mut self, partitions: &TopicPartitionList) -> Result<(), Stop> {
        let committed = match self.member.committed(partitions, &self.patience) {
            Ok(committed) => committed,
            Err(_) if self.patience.is_over() => return Ok(()),
            Err(error) => return Err(self.lost_place(&error)),
        };
        for element in partitions.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            self.places.retain(|place| !place.is(topic, partition));
            let place = |first: i64| Place::new(self.desk.connector, topic, partition, first, self.now_ms);
            if let Some(recorded) = Recorded::find(&committed, topic, partition) {
                let mut place = place(recorded.offset);
                place.next = 0;
                place.follow(recorded);
                self.places.push(place);
            } else if let Some(first) = self.first(topic, partition)? {
                self.places.push(place(first));
            }
        }
        Ok(())
    }

    /// Where reading begins without a committed offset. At the end, that is only known once something comes.
    fn first(&self, topic: &str, partition: i32) -> Result<Option<i64>, Stop> {
        if self.desk.connector.from == From::Latest {
            return Ok(None);
        }
        match self.patience.ask(|wait| self.member.consumer().fetch_watermarks(topic, partition, wait)) {
            Ok((low, _)) => Ok(Some(low)),
            Err(_) if self.patience.is_over() => Ok(None),
            Err(error) => Err(self.lost_place(&error)),
        }
    }

    /// Waits for the flights of some partitions, or of all.
    pub(super) fn land(&mut self, of: Option<&TopicPartitionList>) -> Result<(), Stop> {
        let end = Instant::now() + GRACE;
        loop {
            self.hear()?;
            let counts = |topic: &str, partition| of.is_none_or(|of| of.find_partition(topic, partition).is_some());
            let places = self.places.iter().filter(|place| counts(&place.topic, place.partition));
            let flying: usize = places.map(|place| place.flights()).sum();
            let left = end.saturating_duration_since(Instant::now());
            if flying == 0 || left.is_zero() {
                return Ok(());
            }
            if let Ok(ended) = self.ended.recv_timeout(left.min(Duration::from_millis(100))) {
                self.landed(ended)?;
            }
        }
    }
}
