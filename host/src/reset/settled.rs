//! The end of a partition in which nothing is in the making any more.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::exit::Stop;
use crate::kafka::{REQUEST_TIMEOUT, Settings, topics};
use crate::shutdown::Shutdown;

/// A transaction that a killed host left open ends after 30 s.
const OPEN_MAX: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Settled<'a> {
    kafka: &'a Settings,
    stop: &'a Shutdown,
    /// Sees what is committed.
    stable: BaseConsumer,
    /// Sees all.
    last: BaseConsumer,
}

impl<'a> Settled<'a> {
    pub(super) fn new(kafka: &'a Settings, stop: &'a Shutdown) -> Result<Settled<'a>, Stop> {
        let client = |isolation: &str| {
            let mut config = kafka.client("reset");
            config.set("isolation.level", isolation).create().map_err(|error| topics::bad_client(&error))
        };
        Ok(Settled { kafka, stop, stable: client("read_committed")?, last: client("read_uncommitted")? })
    }

    /// Waits while a transaction is open.
    pub(super) fn end(&self, topic: &str, partition: i32) -> Result<i64, Stop> {
        let end = |client: &BaseConsumer| {
            let ends = client.fetch_watermarks(topic, partition, REQUEST_TIMEOUT);
            ends.map(|(_, end)| end).map_err(|error| topics::away(self.kafka, &error))
        };
        let begun = Instant::now();
        loop {
            let (stable, last) = (end(&self.stable)?, end(&self.last)?);
            if stable >= last {
                return Ok(last);
            }
            let asked_to_stop = self.stop.sleep(PAUSE);
            if asked_to_stop || begun.elapsed() > OPEN_MAX {
                return Err(Stop::start(format!("a transaction is open in topic {topic} partition {partition}"))
                    .hint("a host that was killed leaves one for half a minute; try again then, nothing was changed"));
            }
        }
    }
}
