//! Whether a consumer reaches its brokers, by what librdkafka counts once a second.
//!
//! Its events are of no use for that: a broker on its way down may answer for a moment more, and then no event says
//! that it went for good. Never asks the brokers.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use rdkafka::statistics::Statistics;

/// So many looks in a row without a connection are an outage; a single one is a connection made anew.
const LOOKS: u8 = 3;
/// A connection that has stood so long is no last gasp.
const STEADY_US: i64 = 1_000_000;
/// What was counted before that waited in a queue meanwhile; less than there are looks to an outage.
const FRESH_SECONDS: i64 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Reached,
    /// Not known, or not for long enough.
    Unclear,
    /// No connection, perhaps for a moment only.
    Lost,
    Away,
}

/// Written while the consumer is polled, read by its worker.
#[derive(Default)]
pub(super) struct Looks {
    /// 0: unclear; 1: reached; from 2 on, looks without a connection and one.
    state: AtomicU8,
}

impl Looks {
    pub(super) fn reach(&self) -> Reach {
        match self.state.load(Relaxed) {
            1 => Reach::Reached,
            0 => Reach::Unclear,
            looks if looks > LOOKS => Reach::Away,
            _ => Reach::Lost,
        }
    }

    /// The brokers have just answered, whatever was counted before.
    pub(super) fn answered(&self) {
        self.state.store(0, Relaxed);
    }

    /// All connections are down, by librdkafka's event.
    pub(super) fn lose(&self) {
        self.state.fetch_max(2, Relaxed);
    }

    pub(super) fn look(&self, statistics: &Statistics, now_seconds: i64) {
        if now_seconds - statistics.time > FRESH_SECONDS {
            return;
        }
        let up = statistics.brokers.values().filter(|broker| broker.nodeid >= 0 && broker.state == "UP");
        let state = match up.map(|broker| broker.stateage).max() {
            Some(age) if age >= STEADY_US => 1,
            Some(_) => 0,
            None => self.state.load(Relaxed).clamp(1, LOOKS) + 1,
        };
        self.state.store(state, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::Broker;

    use super::*;

    fn look(looks: &Looks, broker: Option<(&str, i64)>) -> Reach {
        let mut statistics = Statistics { time: 100, ..Statistics::default() };
        if let Some((state, stateage)) = broker {
            let broker = Broker { nodeid: 1, state: state.to_owned(), stateage, ..Broker::default() };
            statistics.brokers.insert("one".to_owned(), broker);
        }
        looks.look(&statistics, 101);
        looks.reach()
    }

    #[test]
    fn three_looks_without_a_connection_are_an_outage_and_a_steady_one_ends_it() {
        let looks = Looks::default();
        assert_eq!(looks.reach(), Reach::Unclear);
        assert_eq!(look(&looks, Some(("UP", STEADY_US))), Reach::Reached);
        assert_eq!(look(&looks, Some(("CONNECT", 5))), Reach::Lost);
        assert_eq!(look(&looks, None), Reach::Lost);
        assert_eq!(look(&looks, Some(("DOWN", 5))), Reach::Away);
        assert_eq!(look(&looks, None), Reach::Away);
        assert_eq!(look(&looks, Some(("UP", STEADY_US - 1))), Reach::Unclear, "perhaps a last gasp");
        assert_eq!(look(&looks, Some(("UP", STEADY_US))), Reach::Reached);
    }

    #[test]
    fn what_was_counted_long_ago_says_nothing() {
        let looks = Looks::default();
        for _ in 0..4 {
            looks.look(&Statistics { time: 98, ..Statistics::default() }, 100);
        }
        assert_eq!(looks.reach(), Reach::Unclear);
        looks.look(&Statistics { time: 99, ..Statistics::default() }, 100);
        assert_eq!(look(&looks, None), Reach::Lost, "two fresh looks");
        assert_eq!(look(&looks, None), Reach::Away);
    }

    #[test]
    fn a_lost_connection_counts_as_a_look() {
        let looks = Looks::default();
        looks.lose();
        assert_eq!(looks.reach(), Reach::Lost);
        assert_eq!(look(&looks, None), Reach::Lost);
        assert_eq!(look(&looks, None), Reach::Away);
        looks.lose();
        assert_eq!(looks.reach(), Reach::Away);
        looks.answered();
        assert_eq!(looks.reach(), Reach::Unclear);
    }
}
