//! The demo's broker: Apache Kafka, or an imitation where that cannot be had. Never pretends that they are the same.

use std::path::Path;

use super::{COUNTED, INPUT, PLUGINS};
use crate::exit::Stop;
use crate::pipeline::Delivery;
use crate::platform::kafka::{Kafka, KafkaOptions};
use crate::platform::mock::MockKafka;
use crate::source::OFFSETS_TOPIC;

pub(super) enum Broker {
    Kafka(Kafka),
    Mock(MockKafka),
}

impl Broker {
    pub(super) fn start(dir: &Path) -> Result<Broker, Stop> {
        let Err(why) = Kafka::can_start() else {
            return Ok(Broker::Kafka(Kafka::start(dir, KafkaOptions::default())?));
        };
        println!("kafka        NOT Apache Kafka: {}", why.what);
        println!(
            "             An imitation in memory (librdkafka's mock) stands in. It has no transactions, so records"
        );
        println!("             are delivered AT LEAST once here, not exactly once, and are gone at the end.");
        println!("             The counts in windows ({COUNTED}) need transactions, so they are left out.");
        println!("             So are the S3 sinks: objects are named by offsets, which begin anew with each start.");
        println!("             There is no Connect REST API either: its worker keeps everything in Kafka.");
        println!("             For the real thing: {}", why.hint.as_deref().unwrap_or("run `make setup`"));
        let dead_letters = PLUGINS.map(dead_letter_topic);
        let topics = [INPUT, OFFSETS_TOPIC].into_iter().chain(PLUGINS).chain(dead_letters.iter().map(String::as_str));
        let topics: Vec<(&str, i32)> = topics.map(|topic| (topic, super::PARTITIONS)).collect();
        Ok(Broker::Mock(MockKafka::start(&topics)?))
    }

    pub(super) fn brokers(&self) -> String {
        match self {
            Broker::Kafka(kafka) => kafka.brokers(),
            Broker::Mock(mock) => mock.brokers(),
        }
    }

    pub(super) fn delivery(&self) -> Delivery {
        match self {
            Broker::Kafka(_) => Delivery::ExactlyOnce,
            Broker::Mock(_) => Delivery::AtLeastOnce,
        }
    }

    /// Whether records of an earlier run in the same directory are still there.
    pub(super) fn remembers(&self) -> bool {
        matches!(self, Broker::Kafka(_))
    }
}

pub(super) fn dead_letter_topic(plugin: &str) -> String {
    format!("smt-dead-letters-{plugin}")
}
