//! The worker's topics: what they are called, and making those that are missing.

use crate::exit::Stop;
use crate::kafka::Settings;
use crate::kafka::topics::{self, Shape};

/// Names of the topics, and how many replicas new ones get.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    pub(super) configs: String,
    pub(super) offsets: String,
    pub(super) statuses: String,
    pub(super) replication: i32,
}

impl Topics {
    /// Makes those that are missing, compacted, and refuses a config topic that keeps no order.
    pub(super) fn ensure(&self, kafka: &Settings) -> Result<(), Stop> {
        let compacted = [("cleanup.policy", "compact".to_owned())];
        let shape = |partitions| Shape { partitions, replicas: self.replication };
        let configs = topics::ensure_with(kafka, &self.configs, shape(1), &compacted)?;
        if configs.partitions != 1 {
            let (topic, partitions) = (&self.configs, configs.partitions);
            return Err(Stop::start(format!("the config topic {topic} has {partitions} partitions; allowed: 1"))
                .hint("configurations need one order: name another topic with --config-topic"));
        }
        topics::ensure_with(kafka, &self.offsets, shape(25), &compacted)?;
        topics::ensure_with(kafka, &self.statuses, shape(25), &compacted).map(drop)
    }
}
