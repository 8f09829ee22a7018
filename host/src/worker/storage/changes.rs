//! Changes of what is wanted, one after the other, whichever worker of the group they are asked of.
//!
//! Who makes one holds the group's transactional id, and has read all that others had written with it: Kafka fences
//! whoever held it before, so nobody decides by what is no longer so. The same id is that of a Connect leader, which
//! does the same.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use super::write::{self, Deliveries, Offsets, Producer, Undelivered};
use super::{PATIENCE, Storage, TIMED_OUT};
use crate::exit::Stop;
use crate::kafka::producer::{self, Kind};
use crate::kafka::{Settings, patience, topics};
use crate::worker::records::Record;
use crate::worker::refusal::Refusal;

/// Others who were fenced wait at most so long, so that not all come again at once.
const PAUSE_MS_MAX: u64 = 200;
/// Nobody waits longer for a transaction that a killed worker left open, and that nobody follows.
const OPEN_MS_MAX: &str = "10000";

pub(in crate::worker) struct Changes {
    id: String,
    /// Holds the id, as far as is known here.
    producer: Option<Producer>,
}

enum Failed {
    /// Another worker has made a change since.
    Fenced,
    /// Nothing of it stands. While another worker takes the id, brokers say other things than that it is fenced, too.
    Undone(Stop),
    /// It stands or not: whoever holds the id next sees which.
    Unclear(Offsets, Stop),
    Stop(Stop),
}

impl Changes {
    pub(in crate::worker) fn of(group: &str) -> Changes {
        Changes { id: format!("connect-cluster-{group}"), producer: None }
    }

    /// Writes what `decide` gives, all or nothing, and answers as it says. It decides anew where another worker was
    /// quicker.
    pub(in crate::worker) fn make<T>(
        &mut self,
        storage: &Storage,
        decide: impl Fn() -> Result<(Vec<Record>, T), Refusal>,
    ) -> Result<T, Refusal> {
        let end = Instant::now() + PATIENCE;
        loop {
            let producer = self.producer(storage)?;
            let (records, answer) = decide()?;
            match commit(producer, storage, &records) {
                Ok(offsets) => {
                    // What was not read back would be decided without.
                    storage.read_back(&offsets).inspect_err(|_| self.producer = None)?;
                    return Ok(answer);
                }
                Err(failed) => {
                    self.producer = None;
                    let again = match failed {
                        Failed::Fenced => Stop::dependency(TIMED_OUT),
                        Failed::Undone(stop) => stop,
                        Failed::Unclear(offsets, stop) => {
                            self.producer(storage)?;
                            if storage.has_committed(&offsets)? {
                                return Ok(answer);
                            }
                            stop
                        }
                        Failed::Stop(stop) => return Err(stop.into()),
                    };
                    if Instant::now() >= end {
                        return Err(again.into());
                    }
                    pause();
                }
            }
        }
    }

    /// One that holds the id, after this worker has read all that was written before.
    fn producer(&mut self, storage: &Storage) -> Result<&Producer, Stop> {
        let held = match self.producer.take() {
            Some(held) => held,
            None => {
                let held = open(&storage.kafka, &self.id)?;
                storage.catch_up()?;
                held
            }
        };
        Ok(self.producer.insert(held))
    }
}

/// Ends what another one has open, and fences it.
fn open(kafka: &Settings, id: &str) -> Result<Producer, Stop> {
    let mut config = kafka.transactional(id);
    // No request may outlast its transaction.
    config.set("transaction.timeout.ms", OPEN_MS_MAX).set("socket.timeout.ms", OPEN_MS_MAX).set("linger.ms", "0");
    // Java's partitioner, so that a key has one partition whoever writes it.
    config.set("partitioner", "murmur2_random");
    let producer: Producer = config.create_with_context(Deliveries).map_err(|error| topics::bad_client(&error))?;
    producer.init_transactions(PATIENCE).map_err(|error| match patience::is_unanswered(&error) {
        true => Stop::dependency(TIMED_OUT),
        false => topics::away(kafka, &error),
    })?;
    Ok(producer)
}

fn commit(producer: &Producer, storage: &Storage, records: &[Record]) -> Result<Offsets, Failed> {
    let failed = |error: KafkaError, otherwise: &dyn Fn(Stop) -> Failed| match producer::kind(producer, &error) {
        _ if patience::is_unanswered(&error) => Failed::Stop(Undelivered::TimedOut.into_stop()),
        Kind::Fenced => Failed::Fenced,
        Kind::Fatal | Kind::Abortable => otherwise(Undelivered::Refused(error).into_stop()),
    };
    producer.begin_transaction().map_err(|error| failed(error, &Failed::Undone))?;
    let delivered = write::deliver(producer, &storage.topics, records).map_err(|undelivered| match undelivered {
        Undelivered::Refused(error) if is_its_own_fault(&error) => failed(error, &Failed::Stop),
        Undelivered::Refused(error) => failed(error, &Failed::Undone),
        Undelivered::TimedOut => Failed::Stop(undelivered.into_stop()),
    })?;
    let unclear = |stop| Failed::Unclear(delivered.clone(), stop);
    producer.commit_transaction(PATIENCE).map_err(|error| failed(error, &unclear))?;
    Ok(delivered)
}

/// It would be refused every time.
fn is_its_own_fault(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(code, Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::TopicAuthorizationFailed))
}

fn pause() {
    std::thread::sleep(Duration::from_millis(rand::random_range(0..PAUSE_MS_MAX)));
}
