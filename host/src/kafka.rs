//! The door to rdkafka: clients, topics, transactions, partitioning.
//!
//! Every librdkafka property that we set is set here, with the reason; what the operator passes through comes last and
//! wins, but for the few that delivery rests on. Nothing here knows plugins.

pub mod connect_errors;
pub mod lag;
pub mod member;
pub mod partition;
pub mod patience;
pub mod producer;
pub mod reach;
pub mod reading;
pub mod size;
pub mod standing;
pub mod topics;
pub mod transaction;

use std::time::Duration;

use rdkafka::config::ClientConfig;

use crate::exit::Stop;

/// How the cluster is reached.
#[derive(Clone, Default)]
pub struct Settings {
    pub brokers: String,
    /// librdkafka properties passed through, in order. May hold secrets: never printed.
    pub properties: Vec<(String, String)>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.properties.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Settings").field("brokers", &self.brokers).field("properties", &names).finish()
    }
}

/// Delivery rests on these; passing one through would silently break a promise.
const OURS: [&str; 7] = [
    "enable.auto.commit",
    "enable.auto.offset.store",
    "group.id",
    "transactional.id",
    "enable.idempotence",
    "isolation.level",
    "bootstrap.servers",
];

/// See `Settings::client`.
const LOST_MS: u64 = 10_000;

/// How long one request to the cluster may take before we say that it is away.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

impl Settings {
    pub fn new(brokers: impl Into<String>) -> Settings {
        Settings { brokers: brokers.into(), properties: Vec::new() }
    }

    /// Refuses properties that are not the operator's to set.
    pub fn check(&self) -> Result<(), Stop> {
        for (name, _) in &self.properties {
            if OURS.contains(&name.as_str()) {
                return Err(Stop::usage(format!("the Kafka property {name} cannot be passed through"))
                    .hint("exactly-once delivery rests on it; use smt-host's own option (--brokers, --group, --delivery) instead"));
            }
        }
        Ok(())
    }

    /// What all clients share.
    pub fn client(&self, role: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", format!("smt-host-{role}"))
            // A request that a broker took to its grave is made again after so long. Of those that a transaction waits
            // for, librdkafka keeps to no other time, so that the default of 60 s would be a pipeline's pause.
            .set("socket.timeout.ms", LOST_MS.to_string());
        self.pass_through(&mut config);
        config
    }

    /// A member of a consumer group that commits through transactions only.
    pub fn consumer(&self, group: &str, from: From) -> ClientConfig {
        let mut config = self.client("consumer");
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", from.as_str())
            // The default of 1 s leaves the fetcher asleep once its queue was full: up to 6 times slower.
            .set("fetch.queue.backoff.ms", "2")
            // Half the memory of the default at the same cost.
            .set("queued.min.messages", "10000")
            .set("fetch.wait.max.ms", "50")
            // The least that brokers allow by default: how long a killed member keeps its partitions from the others.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "2000");
        self.pass_through(&mut config);
        config
    }

    /// A consumer that tells once a second how far it is: what a worker polls.
    pub fn member(&self, group: &str, from: From) -> ClientConfig {
        let mut config = self.consumer(group, from);
        config.set("statistics.interval.ms", "1000");
        self.pass_through(&mut config);
        config
    }

    /// A producer whose sends, offsets and commits are one transaction.
    pub fn transactional(&self, id: &str) -> ClientConfig {
        let mut config = self.client("producer");
        config
            .set("transactional.id", id)
            .set("transaction.timeout.ms", "30000")
            // A batch's records come at once and gather by themselves; more would only be waited for before a commit.
            .set("linger.ms", "5")
            .set("queue.buffering.max.kbytes", "65536");
        self.pass_through(&mut config);
        // librdkafka refuses a request that may outlast its transaction.
        let open_max = config.get("transaction.timeout.ms").and_then(|ms| ms.parse().ok()).unwrap_or(LOST_MS);
        if open_max < LOST_MS && !self.properties.iter().any(|(name, _)| name == "socket.timeout.ms") {
            config.set("socket.timeout.ms", open_max.to_string());
        }
        config
    }

    /// A producer without transactions, for `delivery = "at-least-once"`.
    pub fn idempotent(&self) -> ClientConfig {
        let mut config = self.client("producer");
        config.set("enable.idempotence", "true").set("linger.ms", "50").set("queue.buffering.max.kbytes", "65536");
        self.pass_through(&mut config);
        config
    }

    fn pass_through(&self, config: &mut ClientConfig) {
        for (name, value) in &self.properties {
            config.set(name, value);
        }
    }
}

/// Where a group without committed offsets begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    Earliest,
    Latest,
}

impl From {
    pub fn as_str(self) -> &'static str {
        match self {
            From::Earliest => "earliest",
            From::Latest => "latest",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_never_outlasts_its_transaction() {
        let check = |given: &[(&str, &str)], expected: &str| {
            let properties = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let config = Settings { brokers: "localhost:1".to_owned(), properties }.transactional("id");
            assert_eq!(config.get("socket.timeout.ms"), Some(expected), "{given:?}");
            let made: Result<rdkafka::producer::BaseProducer, _> = config.create();
            assert!(made.is_ok(), "{given:?}");
        };
        check(&[], "10000");
        check(&[("transaction.timeout.ms", "10000")], "10000");
        check(&[("transaction.timeout.ms", "9999")], "9999");
        check(&[("transaction.timeout.ms", "9999"), ("socket.timeout.ms", "500")], "500");
    }
}
