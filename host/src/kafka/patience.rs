//! Waiting for what is away: said once when it goes, once when it is back, and ended at once when asked to stop.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use super::reach::Reach;
use crate::shutdown::Shutdown;

/// How long one request waits for its answer before it looks whether stopping is asked for.
const SLICE: Duration = Duration::from_secs(2);
/// Between two attempts of a request that fails without waiting.
const PAUSE: Duration = Duration::from_millis(100);
/// So long no answer is a broker that is busy, not one that is away.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    Brokers,
    Registry,
    Topic(String),
    Bucket(String),
}

impl Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Thing::Brokers => f.write_str("Kafka"),
            Thing::Registry => f.write_str("the schema registry"),
            Thing::Topic(name) => write!(f, "topic {name}"),
            Thing::Bucket(name) => write!(f, "S3 bucket {name}"),
        }
    }
}

/// What one pipeline is waiting for. Logs changes only, however often it is told.
pub struct Outage {
    pipeline: String,
    away: Mutex<Vec<Thing>>,
    requests: Mutex<Vec<Arc<Request>>>,
}

/// What one asker waits for: since when in milliseconds after `epoch`, and 0 for nothing.
struct Request {
    epoch: Instant,
    since_ms: AtomicU64,
}

impl Request {
    fn begins(&self) {
        self.since_ms.store(self.now_ms(), Relaxed);
    }

    fn ends(&self) {
        self.since_ms.store(0, Relaxed);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn waits(&self) -> Duration {
        match self.since_ms.load(Relaxed) {
            0 => Duration::ZERO,
            since_ms => Duration::from_millis(self.now_ms().saturating_sub(since_ms)),
        }
    }
}

impl Outage {
    pub fn new(pipeline: &str) -> Outage {
        Outage { pipeline: pipeline.to_owned(), away: Mutex::default(), requests: Mutex::default() }
    }

    /// True: that is news.
    pub fn away(&self, thing: &Thing, reason: &dyn Display) -> bool {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let news = !away.contains(thing);
        if news {
            tracing::warn!(pipeline = self.pipeline, "{thing} is away, waiting for it: {reason}");
            away.push(thing.clone());
        }
        news
    }

    /// True: that is news.
    pub fn back(&self, thing: &Thing) -> bool {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let known = away.iter().position(|other| other == thing);
        if let Some(at) = known {
            tracing::info!(pipeline = self.pipeline, "{thing} is back");
            away.swap_remove(at);
        }
        known.is_some()
    }

    /// To be called now and then: librdkafka does not keep to the time that every request is given, so that whoever
    /// made it cannot say that there is no answer.
    pub fn watch(&self) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.iter().any(|request| request.waits() > BUSY_MAX) {
            self.away(&Thing::Brokers, &"a request has had no answer for 5 s");
        }
    }

    /// What a consumer that has nothing to read knows of its brokers.
    pub fn brokers(&self, reach: Reach) {
        match reach {
            Reach::Reached => _ = self.back(&Thing::Brokers),
            Reach::Away => _ = self.away(&Thing::Brokers, &"no connection to any broker"),
            Reach::Unclear | Reach::Lost => {}
        }
    }

    /// This is away, and everything else is not.
    pub fn only(&self, thing: &Thing, reason: &dyn Display) {
        self.back_but(Some(thing));
        self.away(thing, reason);
    }

    pub fn all_back(&self) {
        self.back_but(None);
    }

    fn back_but(&self, kept: Option<&Thing>) {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for thing in away.iter().filter(|thing| Some(*thing) != kept) {
            self.back(thing);
        }
    }
}

/// Longer and longer pauses, up to ten seconds.
#[derive(Debug, Default)]
pub struct Backoff {
    times: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(10);

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let pause = (Self::FIRST * 2_u32.pow(self.times)).min(Self::LONGEST);
        self.times = (self.times + 1).min(7);
        pause
    }

    pub fn reset(&mut self) {
        self.times = 0;
    }

    /// A pause was asked for since the last reset.
    pub fn is_waiting(&self) -> bool {
        self.times > 0
    }
}

/// Asks the brokers until they answer.
#[derive(Clone)]
pub struct Patience {
    stop: Shutdown,
    outage: Arc<Outage>,
    request: Arc<Request>,
}

impl Patience {
    /// For one thread and whatever it asks with a clone of it.
    pub fn new(stop: &Shutdown, outage: &Arc<Outage>) -> Patience {
        let request = Arc::new(Request { epoch: Instant::now(), since_ms: AtomicU64::new(0) });
        outage.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        Patience { stop: stop.clone(), outage: outage.clone(), request }
    }

    pub fn outage(&self) -> &Outage {
        &self.outage
    }

    /// Nothing is worth waiting for any more.
    pub fn is_over(&self) -> bool {
        self.stop.is_requested()
    }

    /// Repeats a request that has no answer. When stopping is asked for, the last try's error comes back.
    pub fn ask<T>(&self, mut request: impl FnMut(Duration) -> KafkaResult<T>) -> KafkaResult<T> {
        self.request.begins();
        let answer = loop {
            match request(SLICE) {
                Err(error) if is_unanswered(&error) && !self.is_over() => {
                    if self.request.waits() > BUSY_MAX {
                        self.outage.away(&Thing::Brokers, &error);
                    }
                    self.stop.sleep(PAUSE);
                }
                other => break other,
            }
        };
        self.request.ends();
        answer
    }
}

/// The same without a token, for at most `limit`: a broker that has just started answers in a moment.
pub fn ask_within<T>(limit: Duration, mut request: impl FnMut(Duration) -> KafkaResult<T>) -> KafkaResult<T> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match request(left.min(SLICE).max(PAUSE)) {
            Err(error) if is_unanswered(&error) && left > PAUSE => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
}

/// The brokers did not say no: they said nothing.
pub fn is_unanswered(error: &KafkaError) -> bool {
    if let KafkaError::Transaction(inner) = error {
        return inner.is_retriable() && !inner.txn_requires_abort();
    }
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::WaitingForCoordinator
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::NetworkException
                | RDKafkaErrorCode::UnstableOffsetCommit
        )
    )
}

#[cfg(test)]
#[path = "patience_tests.rs"]
mod tests;
