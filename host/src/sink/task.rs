//! One task: a consumer, what it has open, and the loop between them.
//!
//! An offset is committed only once the objects of all records before it are complete. What is away is waited for;
//! what is undone is read again.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};

use super::boundaries::Arrival;
use super::config::Connector;
use super::convert::{Convert, Converted};
use super::open::Faulty;
use super::partitioner::{Moment, Partitioner};
use super::place::{Desk, Place};
use super::progress::{Progress, Report, TaskProgress};
use super::reject::{Rejects, Stage};
use super::store::{Ended, Failure, Outbox};
use crate::connect::Reason;
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::kafka::member::{Change, Member};
use crate::kafka::patience::{Backoff, Outage, Patience, Thing};
use crate::kafka::transaction::Span;
use crate::registry::Registry;
use crate::shutdown::Shutdown;

mod brake;
mod errors;
mod landing;
mod partitions;

use brake::Brake;
use errors::Errors;

/// After so many records the loop looks at everything else.
const TURN_RECORDS_MAX: usize = 1000;
const IDLE_WAIT: Duration = Duration::from_millis(50);
const COMMIT_INTERVAL: Duration = Duration::from_millis(500);

/// What all tasks of a connector share.
pub(super) struct Shared<'a> {
    pub(super) connector: &'a Connector,
    pub(super) kafka: &'a Settings,
    pub(super) registry: &'a Registry,
    pub(super) outbox: &'a Outbox,
    pub(super) outage: &'a Arc<Outage>,
    pub(super) shutdown: &'a Shutdown,
    pub(super) progress: &'a Progress,
    pub(super) fail_fast: bool,
}

struct Task<'a> {
    shared: &'a Shared<'a>,
    member: &'a Member,
    convert: Convert,
    partitioner: Partitioner,
    places: Vec<Place>,
    /// The place of the last record.
    at: usize,
    desk: Desk<'a>,
    ended: mpsc::Receiver<Ended>,
    rejects: Rejects<'a>,
    patience: Patience,
    brake: Brake,
    errors: Errors,
    registry_away: Backoff,
    committed_at: Instant,
    commit_failed: bool,
    report: Report,
    now_ms: i64,
}

/// Runs until asked to stop, or until it fails for good.
pub(super) fn run(shared: &Shared<'_>, number: usize, progress: TaskProgress) -> Result<(), Stop> {
    let connector = shared.connector;
    let patience = Patience::new(shared.shutdown, shared.outage);
    let topics: Vec<&str> = connector.topics.iter().map(String::as_str).collect();
    let rejects = Rejects::open(connector, number, shared.kafka, &patience)?;
    let member = Member::join(shared.kafka, &connector.group(), connector.from, &topics, progress.lag)?;
    let (sender, ended) = mpsc::channel();
    let mut task = Task {
        shared,
        member: &member,
        convert: Convert::new(connector, shared.registry),
        partitioner: connector.partitioner.clone(),
        places: Vec::new(),
        at: 0,
        desk: Desk { connector, outbox: shared.outbox.clone(), ended: sender, flushes: 0 },
        ended,
        rejects,
        patience,
        brake: Brake::new(connector.buffer_max),
        errors: Errors::default(),
        registry_away: Backoff::default(),
        committed_at: Instant::now(),
        commit_failed: false,
        report: progress.report,
        now_ms: now_ms(),
    };
    task.run()
}

impl Task<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        while !self.shared.shutdown.is_requested() {
            self.now_ms = now_ms();
            self.hear()?;
            self.rebalance()?;
            for place in &mut self.places {
                place.tick(&mut self.desk, self.now_ms)?;
            }
            let caught_up = if self.brakes()? {
                true
            } else {
                let caught_up = self.turn()?;
                if caught_up {
                    self.close_idle()?;
                }
                caught_up
            };
            // A commit that failed is not tried again at once.
            if (caught_up && !self.commit_failed) || self.committed_at.elapsed() >= COMMIT_INTERVAL {
                self.commit()?;
            }
            self.brake.others_hold(self.report.set(&self.places));
        }
        self.finish()
    }

    /// What was closed gets a little time to arrive; what is open is aborted.
    fn finish(&mut self) -> Result<(), Stop> {
        self.land(None)?;
        self.commit()
    }

    /// Polls and writes. True: nothing more is waiting.
    fn turn(&mut self) -> Result<bool, Stop> {
        let mut wait = IDLE_WAIT;
        for _ in 0..TURN_RECORDS_MAX {
            match self.member.poll(wait) {
                Some(Ok(message)) => {
                    self.write(&message)?;
                    if self.brake.is_due(&self.places, &self.desk.outbox) {
                        return Ok(false);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.consumer_error(&error)?,
                None => {
                    self.shared.outage.brokers(self.member.reach());
                    return Ok(true);
                }
            }
            wait = Duration::ZERO;
        }
        Ok(false)
    }

    fn write(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Stop> {
        let offset = message.offset();
        let at = self.place_of(message);
        if offset < self.places[at].next {
            return Ok(());
        }
        if let Some(reason) = self.places[at].known_fault(offset) {
            self.rejects.reject(message, Stage::Put, &reason)?;
            self.places[at].next = offset + 1;
            return Ok(());
        }
        let record = match self.convert.record(message)? {
            Converted::Record(record) => record,
            Converted::Skipped => {
                self.places[at].next = offset + 1;
                return Ok(());
            }
            Converted::Faulty(stage, reason) => return self.faulty(message, at, stage, &reason),
        };
        self.registry_back();
        let moment = Moment {
            partition: message.partition(),
            timestamp_ms: message.timestamp().to_millis(),
            now_ms: self.now_ms,
        };
        let (place, time_ms) = match self.partitioner.encode(&moment, &record.value) {
            Ok(encoded) => encoded,
            Err(reason) => return self.faulty(message, at, Stage::Put, &reason),
        };
        let schema = record.value.schema.as_ref();
        let arrival = Arrival { place, schema, time_ms, now_ms: self.now_ms };
        match self.places[at].write(&mut self.desk, &record, &arrival, offset)? {
            Ok(()) => {
                self.places[at].next = offset + 1;
                Ok(())
            }
            Err(Faulty::Clean(reason)) => self.faulty(message, at, Stage::Put, &reason),
            Err(Faulty::Torn(reason)) => {
                // Without tolerance there is nothing to be made again.
                if !self.desk.connector.errors.tolerated {
                    return self.faulty(message, at, Stage::Put, &reason);
                }
                self.places[at].note_fault(offset, reason);
                self.read_again(at)
            }
        }
    }

    fn faulty(&mut self, message: &BorrowedMessage<'_>, at: usize, stage: Stage, reason: &Reason) -> Result<(), Stop> {
        if let Reason::Away(why) = reason {
            self.shared.outage.away(&Thing::Registry, why);
            self.brake.hold(self.registry_away.pause());
            let span = Span::at(message.topic(), message.partition(), message.offset());
            return self.member.seek_first(&[span]).map_err(|error| self.lost_place(&error));
        }
        self.rejects.reject(message, stage, reason)?;
        self.places[at].next = message.offset() + 1;
        Ok(())
    }

    fn registry_back(&mut self) {
        if self.registry_away.is_waiting() {
            self.registry_away.reset();
            self.shared.outage.back(&Thing::Registry);
        }
    }

    fn place_of(&mut self, message: &BorrowedMessage<'_>) -> usize {
        let (topic, partition) = (message.topic(), message.partition());
        if self.places.get(self.at).is_some_and(|place| place.is(topic, partition)) {
            return self.at;
        }
        self.at = self.places.iter().position(|place| place.is(topic, partition)).unwrap_or_else(|| {
            let place = Place::new(self.desk.connector, topic, partition, message.offset(), self.now_ms);
            self.places.push(place);
            self.places.len() - 1
        });
        self.at
    }

    fn lost_place(&self, error: &KafkaError) -> Stop {
        let what = format!("sink {}: its place in the topic cannot be found: {error}", self.desk.connector.name);
        Stop::dependency(what).hint("nothing is lost: start it again, it goes on from what is committed")
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
