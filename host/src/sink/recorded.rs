//! What stands in the group's committed offset: where to read on, and where a tail was decided to end.
//!
//! A tail that closes before its time ends where the clock wanted it to. That is recorded first, and used only then:
//! whoever reads the tail again, after a crash at any moment, ends it at the same record.

use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// What the metadata of such an offset begin with.
const MARK: &str = "smt.flush.end=";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Everything before it is in S3.
    pub(super) offset: i64,
    /// The first offset behind the tail that begins there.
    pub(super) end: Option<i64>,
}

impl Recorded {
    /// `None` where nothing is committed.
    pub(super) fn find(committed: &TopicPartitionList, topic: &str, partition: i32) -> Option<Recorded> {
        let found = committed.find_partition(topic, partition)?;
        let Offset::Offset(offset) = found.offset() else { return None };
        let end = found.metadata().strip_prefix(MARK).and_then(|end| end.parse().ok());
        Some(Recorded { offset, end })
    }

    /// As a commit of one partition.
    pub(super) fn to_commit(self, topic: &str, partition: i32) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        let mut element = list.add_partition(topic, partition);
        element.set_offset(Offset::Offset(self.offset))?;
        if let Some(end) = self.end {
            element.set_metadata(format!("{MARK}{end}"));
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_committed_is_found_again() {
        for end in [None, Some(12)] {
            let recorded = Recorded { offset: 7, end };
            let list = recorded.to_commit("topic", 3).unwrap();
            assert_eq!(Recorded::find(&list, "topic", 3), Some(recorded));
            assert_eq!(Recorded::find(&list, "topic", 0), None);
        }
    }

    #[test]
    fn metadata_of_others_mean_nothing() {
        for text in ["", "smt.flush.end=", "smt.flush.end=x", "12"] {
            let mut list = TopicPartitionList::new();
            let mut element = list.add_partition("topic", 0);
            element.set_offset(Offset::Offset(7)).unwrap();
            element.set_metadata(text);
            assert_eq!(Recorded::find(&list, "topic", 0), Some(Recorded { offset: 7, end: None }), "{text:?}");
        }
    }
}
