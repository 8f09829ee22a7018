//! Flushes that have ended: offsets that may be committed, and what has to be read again.

use std::sync::atomic::Ordering;
use std::time::Instant;

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::recorded::Recorded;
use super::{Ended, Exit, Failure, Place, Span, Stop, Task};
use crate::kafka::reach::Reach;

impl Task<'_> {
    /// Hears of flushes that have ended.
    pub(super) fn hear(&mut self) -> Result<(), Stop> {
        while let Ok(ended) = self.ended.try_recv() {
            self.landed(ended)?;
        }
        Ok(())
    }

    pub(super) fn landed(&mut self, Ended { flush, result }: Ended) -> Result<(), Stop> {
        let Some(at) = self.places.iter().position(|place| place.has_flight(flush)) else { return Ok(()) };
        match result {
            Ok(()) => {
                if let Some(totals) = self.places[at].landed(flush) {
                    let progress = self.shared.progress;
                    progress.records.fetch_add(totals.records, Ordering::Relaxed);
                    progress.objects.fetch_add(totals.objects, Ordering::Relaxed);
                    progress.bytes.fetch_add(totals.bytes, Ordering::Relaxed);
                }
                Ok(())
            }
            Err(Failure::Covered(end)) => {
                self.places[at].reaches(end + 1);
                self.read_again(at)
            }
            Err(Failure::Refused(why)) => {
                let what = format!("sink {}: {why}", self.desk.connector.name);
                Err(Stop::new(Exit::Connector, what)
                    .hint("nothing is lost: mend it and start again, it goes on from what is committed"))
            }
            Err(failure) => {
                tracing::warn!(connector = self.desk.connector.name, "read again from what is committed: {failure}");
                // A store that forgets every upload is not asked again and again without a pause.
                self.brake.hold(self.desk.connector.pause);
                self.read_again(at)
            }
        }
    }

    /// Back to what is committed, without what is open or on its way.
    pub(super) fn read_again(&mut self, at: usize) -> Result<(), Stop> {
        self.commit()?;
        let place = &mut self.places[at];
        place.forget(self.now_ms, self.desk.connector);
        let span = Span::at(&place.topic, place.partition, place.first);
        match self.member.rewind(&[span], &self.patience) {
            Ok(committed) => {
                let place = &mut self.places[at];
                if let Some(recorded) = Recorded::find(&committed, &place.topic, place.partition) {
                    place.follow(recorded);
                }
                Ok(())
            }
            Err(_) if self.patience.is_over() => Ok(()),
            Err(error) => Err(self.lost_place(&error)),
        }
    }

    /// Tails that nothing is written to any more: where each ends is recorded, and thereby it closes.
    pub(super) fn close_idle(&mut self) -> Result<(), Stop> {
        let Some(idle_ms) = self.desk.connector.idle_ms.filter(|_| !self.is_lost()) else { return Ok(()) };
        for at in 0..self.places.len() {
            if let Some(recorded) = self.places[at].idle(self.now_ms - idle_ms) {
                self.record(at, recorded)?;
            }
        }
        Ok(())
    }

    /// A commit without an answer may have been done all the same: only the group knows where the tail ends now.
    fn record(&mut self, at: usize, recorded: Recorded) -> Result<(), Stop> {
        self.rejects.flush(&self.patience)?;
        let place = &self.places[at];
        let commit = |list: TopicPartitionList| self.member.consumer().commit(&list, CommitMode::Sync);
        match recorded.to_commit(&place.topic, place.partition).and_then(commit) {
            Ok(()) => {
                self.places[at].follow(recorded);
                Ok(())
            }
            Err(error) => {
                let name = &self.desk.connector.name;
                tracing::warn!(connector = name, "the end of a tail is not recorded now, read again: {error}");
                self.read_again(at)
            }
        }
    }

    /// Nobody answers now.
    fn is_lost(&self) -> bool {
        matches!(self.member.reach(), Reach::Lost | Reach::Away)
    }

    /// Commits how far S3 has everything. What the group does not take now is committed later, or read again.
    pub(super) fn commit(&mut self) -> Result<(), Stop> {
        self.committed_at = Instant::now();
        let mut offsets = TopicPartitionList::new();
        for place in &self.places {
            if let Some(next) = place.to_commit() {
                offsets.add_partition_offset(&place.topic, place.partition, Offset::Offset(next)).ok();
            }
        }
        // As the original: with the first news of any, all say where they began.
        let starts = self.places.iter().filter(|_| offsets.count() > 0);
        let starts: Vec<_> = starts.filter_map(|place| Some((&place.topic, place.partition, place.start()?))).collect();
        for (topic, partition, start) in starts {
            offsets.add_partition_offset(topic, partition, Offset::Offset(start)).ok();
        }
        self.commit_failed = false;
        // With all brokers down a commit would wait for them.
        if offsets.count() == 0 || self.is_lost() {
            return Ok(());
        }
        self.rejects.flush(&self.patience)?;
        match self.member.consumer().commit(&offsets, CommitMode::Sync) {
            Ok(()) => self.places.iter_mut().for_each(Place::is_committed),
            Err(error) => {
                self.commit_failed = true;
                tracing::debug!(connector = self.desk.connector.name, %error, "not committed now");
            }
        }
        Ok(())
    }
}
