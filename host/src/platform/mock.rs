//! librdkafka's own imitation of a broker, for machines without Java or Kafka's jars.
//!
//! Good enough to watch records flow at least once. It is silent about transactions, keeps everything in memory and
//! forgets a partition's oldest records beyond 5 MB: never a place for a test of delivery.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::exit::Stop;

/// An imitation that listens on loopback until it is dropped.
pub struct MockKafka(MockCluster<'static, DefaultProducerContext>);

impl MockKafka {
    /// It cannot make topics when a client asks for them: those that are needed are named here, with their partitions.
    pub fn start(topics: &[(&str, i32)]) -> Result<MockKafka, Stop> {
        let failed = |error| Stop::dependency(format!("the imitation of Kafka cannot start: {error}"));
        let cluster = MockCluster::new(1).map_err(failed)?;
        for (topic, partitions) in topics {
            cluster.create_topic(topic, *partitions, 1).map_err(failed)?;
        }
        Ok(MockKafka(cluster))
    }

    pub fn brokers(&self) -> String {
        self.0.bootstrap_servers()
    }
}
