//! Where each assigned input partition stands, for what is committed beside its offset.

use rdkafka::topic_partition_list::{Offset, TopicPartitionListElem};

use crate::kafka::transaction::Span;
use crate::window::SourcePartition;

#[derive(Default)]
pub(super) struct Places(Vec<Place>);

pub(super) struct Place {
    pub(super) at: SourcePartition,
    /// The next record; `None` while nothing was committed or read.
    pub(super) next: Option<i64>,
    /// The most that was read, also before an abort.
    seen: i64,
    /// As committed.
    pub(super) metadata: String,
    /// As it will be.
    pub(super) sent: Option<String>,
}

impl Places {
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Place> {
        self.0.iter_mut()
    }

    /// A partition comes, or is begun again after an abort.
    pub(super) fn begin(&mut self, at: &SourcePartition, committed: &TopicPartitionListElem<'_>) {
        let next = if let Offset::Offset(next) = committed.offset() { Some(next) } else { None };
        let metadata = committed.metadata().to_owned();
        let seen = self.find(&at.topic, at.partition).map_or(i64::MIN, |place| place.seen);
        self.end(at);
        self.0.push(Place { at: at.clone(), next, seen, metadata, sent: None });
    }

    pub(super) fn end(&mut self, at: &SourcePartition) {
        self.0.retain(|place| place.at != *at);
    }

    fn find(&mut self, topic: &str, partition: i32) -> Option<&mut Place> {
        self.0.iter_mut().find(|place| place.at.is(topic, partition))
    }

    /// Up to where it is read; `None` while nothing was committed or read.
    pub(super) fn next(&self, at: &SourcePartition) -> Option<i64> {
        self.0.iter().find(|place| place.at == *at)?.next
    }

    /// The partition is not read to its end before this offset is reached again.
    pub(super) fn saw(&mut self, topic: &str, partition: i32, next: i64) {
        if let Some(place) = self.find(topic, partition) {
            place.seen = place.seen.max(next);
        }
    }

    /// What the transaction has read.
    pub(super) fn follow(&mut self, spans: &[Span]) {
        for span in spans {
            if let Some(place) = self.find(&span.topic, span.partition) {
                place.next = Some(span.next);
                place.seen = place.seen.max(span.next);
            }
        }
    }

    /// The transaction is committed.
    pub(super) fn committed(&mut self) {
        for place in &mut self.0 {
            if let Some(sent) = place.sent.take() {
                place.metadata = sent;
            }
        }
    }
}

impl Place {
    /// What was read before an abort has been read again.
    pub(super) fn is_caught_up(&self) -> bool {
        self.next.unwrap_or(i64::MIN) >= self.seen
    }
}
