//! What the brokers would hold: only what was committed.

use std::collections::BTreeMap;

use smt_host::window::{Change, Output, SourcePartition};

use super::Record;

/// A repartition record.
pub type Sent = (Option<Vec<u8>>, Vec<u8>);

#[derive(Debug, Default)]
pub struct Kafka {
    pub input: Vec<Vec<Record>>,
    /// Committed offset and its metadata.
    pub input_offsets: Vec<(usize, String)>,
    pub repartition: Vec<Vec<Sent>>,
    pub repartition_offsets: Vec<usize>,
    /// With offsets, since compaction leaves gaps.
    pub changelog: Vec<Vec<(i64, Change)>>,
    pub changelog_ends: Vec<i64>,
    pub outputs: Vec<Output>,
    /// Ids of records that were too late, and of those that were rejected or guilty.
    pub late: Vec<u32>,
    pub dead: Vec<u32>,
    /// Stream times when the wall clock may have moved them: at an offset, for each source partition.
    pub stream_times: Vec<Vec<(usize, i64)>>,
    pub assignment: usize,
}

impl Kafka {
    pub fn new(sources: usize, repartitions: usize) -> Kafka {
        Kafka {
            input: vec![Vec::new(); sources],
            input_offsets: vec![(0, String::new()); sources],
            repartition: vec![Vec::new(); repartitions],
            repartition_offsets: vec![0; repartitions],
            changelog: vec![Vec::new(); repartitions],
            changelog_ends: vec![0; repartitions],
            stream_times: vec![Vec::new(); sources],
            ..Kafka::default()
        }
    }

    /// Only the last record of a key stays.
    pub fn compact(&mut self) {
        for log in &mut self.changelog {
            let last: BTreeMap<Vec<u8>, i64> = log.iter().map(|(offset, (key, _))| (key.clone(), *offset)).collect();
            log.retain(|(offset, (key, _))| last[key] == *offset);
        }
    }
}

pub(super) fn source(partition: usize) -> SourcePartition {
    SourcePartition::new("input", partition as i32)
}
