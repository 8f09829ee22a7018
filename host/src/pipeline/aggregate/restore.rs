//! Bringing a store up to date from its changelog, in short steps, so that the worker stays a member of its group.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::stop_of;
use crate::exit::Stop;
use crate::kafka::patience::Patience;
use crate::kafka::{From, Settings, topics};
use crate::window::{Checkpoint, Store};

/// How often a long one says how far it is.
const SAY_INTERVAL: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(10);
const REQUEST: Duration = Duration::from_secs(2);

/// One partition's store on its way.
pub(super) struct Restoring {
    pub store: Store,
    /// The repartition partition's committed offset, for which the store is restored.
    pub input_offset: i64,
    topic: String,
    partition: i32,
    consumer: BaseConsumer,
    from: Offset,
    /// Behind all that was written when it began, by transactions still open too.
    end: i64,
    reading: bool,
    records: u64,
    begun: Instant,
    said: Instant,
}

impl Restoring {
    pub(super) fn begin(
        settings: &Settings,
        patience: &Patience,
        (topic, partition): (&str, i32),
        mut store: Store,
        input_offset: i64,
    ) -> Result<Restoring, Stop> {
        let consumer: BaseConsumer =
            settings.consumer("smt-restore", From::Earliest).create().map_err(|error| topics::bad_client(&error))?;
        let all: BaseConsumer = settings
            .client("restore")
            .set("isolation.level", "read_uncommitted")
            .create()
            .map_err(|error| topics::bad_client(&error))?;
        let (low, end) = patience
            .ask(|wait| all.fetch_watermarks(topic, partition, wait))
            .map_err(|error| topics::away(settings, &error))?;
        let checkpoint = store.checkpoint().map_err(stop_of)?;
        let from = match checkpoint.map(|checkpoint| checkpoint.changelog_offset) {
            Some(offset) if offset >= low => Offset::Offset(offset),
            _ => {
                store.clear().map_err(stop_of)?;
                Offset::Beginning
            }
        };
        let (topic, now) = (topic.to_owned(), Instant::now());
        let (reading, records) = (false, 0);
        Ok(Restoring {
            store,
            input_offset,
            topic,
            partition,
            consumer,
            from,
            end,
            reading,
            records,
            begun: now,
            said: now,
        })
    }

    /// Goes on for at most `budget`. True: the store is complete.
    pub(super) fn step(&mut self, budget: Duration) -> Result<bool, Stop> {
        let until = Instant::now() + budget;
        if !self.reading {
            if !self.is_settled() {
                std::thread::sleep(POLL);
                self.say("waiting for the end of an open transaction");
                return Ok(false);
            }
            self.read().map_err(|error| self.failed(&error))?;
        }
        while Instant::now() < until {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    let (key, value) = (message.key().unwrap_or_default().to_vec(), message.payload());
                    self.store.restore(key, value.map(<[u8]>::to_vec)).map_err(stop_of)?;
                    self.records += 1;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return self.complete().map(|()| true),
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(self.failed(&error)),
                // It goes on by itself once brokers are back.
                Some(Err(_)) | None => {}
            }
        }
        self.say("restoring state");
        Ok(false)
    }

    /// A record behind an open transaction, of an owner that was killed, cannot be seen before that one's end.
    fn is_settled(&self) -> bool {
        let stable = self.consumer.fetch_watermarks(&self.topic, self.partition, REQUEST);
        stable.is_ok_and(|(_, stable)| stable >= self.end)
    }

    fn read(&mut self) -> KafkaResult<()> {
        let mut one = TopicPartitionList::new();
        one.add_partition_offset(&self.topic, self.partition, self.from)?;
        self.consumer.assign(&one)?;
        self.reading = true;
        Ok(())
    }

    fn complete(&mut self) -> Result<(), Stop> {
        let checkpoint = Checkpoint { input_offset: self.input_offset, changelog_offset: self.end };
        self.store.restored(checkpoint).map_err(stop_of)?;
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = self.records as f64 / seconds.max(0.001);
        tracing::info!(
            topic = self.topic,
            partition = self.partition,
            "state restored: {} records in {seconds:.1} s, {rate:.0} records/s",
            self.records
        );
        Ok(())
    }

    fn say(&mut self, what: &str) {
        if self.said.elapsed() >= SAY_INTERVAL {
            self.said = Instant::now();
            let (records, end) = (self.records, self.end);
            tracing::info!(
                topic = self.topic,
                partition = self.partition,
                "{what}: {records} records so far, up to offset {end}"
            );
        }
    }

    fn failed(&self, error: &KafkaError) -> Stop {
        Stop::dependency(format!("changelog {} partition {}: {error}", self.topic, self.partition))
            .hint("nothing is lost: start it again, it goes on from what is committed")
    }

    /// Up to where changelog records are in the store.
    pub(super) fn end(&self) -> i64 {
        self.end
    }
}
