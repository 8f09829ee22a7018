//! What to do about a failure: wait (how long, and what is logged), or give up. It never waits itself.

use std::time::Duration;

use super::failure::Failure;
use crate::exit::Stop;
use crate::kafka::topics;

const DATABASE: &str = "the database";
const KAFKA: &str = "kafka";
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// So often in a row Kafka may refuse while it answers.
const REFUSALS_MAX: u32 = 20;

/// Where the servers are, for messages.
pub(super) struct Places {
    pub(super) database: String,
    pub(super) brokers: String,
}

pub(super) struct Outage {
    places: Places,
    pause: Duration,
    pause_max: Duration,
    /// What is away now; for one log line at each change.
    away: Option<&'static str>,
    /// Whether all was well once.
    started: bool,
    /// Attempts left for the database at start.
    attempts: u32,
    fail_fast: bool,
    /// Kafka was reached in this attempt.
    answered: bool,
    refusals: u32,
}

impl Outage {
    pub(super) fn new(places: Places, pause_max: Duration, attempts: u32, fail_fast: bool) -> Outage {
        let pause_max = pause_max.max(FIRST_PAUSE);
        let (started, answered, refusals) = (false, false, 0);
        Outage { places, pause: FIRST_PAUSE, pause_max, away: None, started, attempts, fail_fast, answered, refusals }
    }

    /// Kafka is there: if it now refuses, waiting may not help.
    pub(super) fn kafka_answers(&mut self) {
        self.answered = true;
    }

    /// All is well.
    pub(super) fn ends(&mut self) {
        if let Some(what) = self.away.take() {
            tracing::info!("{what} is back");
        }
        (self.started, self.pause, self.refusals) = (true, FIRST_PAUSE, 0);
    }

    /// How long to wait before the next attempt.
    pub(super) fn begins(&mut self, failure: Failure) -> Result<Duration, Stop> {
        let (what, why) = match &failure {
            Failure::Stop(_) | Failure::NoTable(_) => return Err(self.stop(failure)),
            Failure::Database(why) => (DATABASE, why),
            Failure::Kafka(why) => (KAFKA, why),
            Failure::Registry(stop) => ("the registry", &stop.what),
        };
        let first_look = !self.started && what == DATABASE;
        if first_look {
            self.attempts = self.attempts.saturating_sub(1);
        }
        self.refusals += u32::from(self.answered && what == KAFKA);
        if !self.started && (self.fail_fast || self.attempts == 0) || self.refusals > REFUSALS_MAX {
            return Err(self.stop(failure));
        }
        self.answered = false;
        if self.away != Some(what) {
            tracing::warn!("{what} is away, trying again: {why}");
            self.away = Some(what);
        }
        // The few attempts at start are as far apart as the original's (CachedConnectionProvider).
        if first_look {
            return Ok(self.pause_max);
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(self.pause_max);
        Ok(pause)
    }

    /// What giving up says.
    fn stop(&self, failure: Failure) -> Stop {
        let Places { database, brokers } = &self.places;
        match failure {
            Failure::Stop(stop) | Failure::NoTable(stop) | Failure::Registry(stop) => stop,
            Failure::Database(why) => Stop::dependency(format!("the database at {database} cannot be reached: {why}"))
                .hint("check connection.url, and that the database is running and reachable from here"),
            Failure::Kafka(why) if self.answered => Stop::dependency(format!("kafka at {brokers} refuses: {why}"))
                .hint(
                    "check that this client may write to the offsets topic and to the connector's own, in transactions",
                ),
            Failure::Kafka(why) => topics::no_answer(brokers, &why),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::exit::Exit;

    fn database() -> Failure {
        Failure::Database("no route".into())
    }

    fn outage(pause_max: Duration, attempts: u32, fail_fast: bool) -> Outage {
        let places = Places { database: "db:5432/x".into(), brokers: "kafka:9092".into() };
        Outage::new(places, pause_max, attempts, fail_fast)
    }

    #[test]
    fn at_start_the_database_gets_its_attempts_and_kafka_is_waited_for() {
        let mut outage = outage(Duration::from_secs(1), 2, false);
        for _ in 0..5 {
            outage.begins(Failure::Kafka("refused".into())).unwrap();
        }
        assert_eq!(outage.begins(database()).unwrap(), Duration::from_secs(1));
        let stop = outage.begins(database()).unwrap_err();
        assert_eq!(
            (stop.exit, stop.what.as_str()),
            (Exit::Dependency, "the database at db:5432/x cannot be reached: no route")
        );
    }

    #[test]
    fn what_was_there_once_is_waited_for_longer_and_longer() {
        let mut outage = outage(Duration::from_millis(500), 1, true);
        outage.ends();
        let pauses: Vec<u128> = (0..4).map(|_| outage.begins(database()).unwrap().as_millis()).collect();
        assert_eq!(pauses, [200, 400, 500, 500]);
        outage.ends();
        assert_eq!(outage.begins(database()).unwrap(), FIRST_PAUSE);
    }

    #[test]
    fn kafka_is_given_up_only_where_it_answers_and_refuses() {
        let mut outage = outage(Duration::ZERO, 1, false);
        let mut refused = |answers: bool| {
            if answers {
                outage.kafka_answers();
            }
            outage.begins(Failure::Kafka("no".into())).is_err()
        };
        assert!((0..100).all(|_| !refused(false)));
        assert!((0..REFUSALS_MAX).all(|_| !refused(true)));
        assert!(refused(true));
    }

    #[test]
    fn fail_fast_gives_up_at_the_first_failure_of_the_start_only() {
        let mut outage = outage(Duration::from_secs(1), 1, true);
        assert_eq!(outage.begins(Failure::Registry(Stop::dependency("refused"))).unwrap_err().exit, Exit::Dependency);
    }
}
