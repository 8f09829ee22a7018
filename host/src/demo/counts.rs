//! What the topic idadecont says: the last count of each class in each window, as a consumer sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedMessage, Message};

use super::sample;
use crate::exit::Stop;
use crate::kafka::reading::Reading;
use crate::kafka::{Settings, topics};
use crate::registry::Registry;

/// How often it is looked whether the topic is there.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// By window start and class.
#[derive(Default)]
pub(super) struct Counts(BTreeMap<(i64, String), u64>);

impl Counts {
    /// Everything that is in the topic now.
    pub(super) fn read(settings: &Settings, registry: &Registry, topic: &str) -> Result<Counts, Stop> {
        let mut counts = Counts::default();
        Reading::open(settings, topic)?.to_end(|record| counts.take(registry, record))?;
        Ok(counts)
    }

    /// A record of another form counts as nothing, which the sum shows.
    fn take(&mut self, registry: &Registry, record: &BorrowedMessage<'_>) {
        let Some((key, start)) = record.key().and_then(|key| key.split_last_chunk::<8>()) else { return };
        let row = record.payload().and_then(|value| sample::json(registry, value));
        let row = row.and_then(|json| serde_json::from_str::<serde_json::Value>(&json).ok());
        let count = row.and_then(|row| row["CONTAGEM"].as_u64());
        self.0.insert((i64::from_be_bytes(*start), String::from_utf8_lossy(key).into_owned()), count.unwrap_or(0));
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.values().sum()
    }

    pub(super) fn of_class(&self, class: &str) -> u64 {
        self.0.iter().filter(|((_, of), _)| of == class).map(|(_, count)| count).sum()
    }

    /// The latest windows, the last one last: start, and the counts by class.
    fn latest(&self, windows: usize) -> Vec<(i64, Vec<(&str, u64)>)> {
        let starts: BTreeSet<i64> = self.0.keys().map(|(start, _)| *start).collect();
        let classes = |start: i64| {
            let from = self.0.range((start, String::new())..).take_while(move |((of, _), _)| *of == start);
            from.map(|((_, class), count)| (class.as_str(), *count)).collect()
        };
        starts.into_iter().rev().take(windows).rev().map(|start| (start, classes(start))).collect()
    }
}

/// Windows as the demo shows them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) size_ms: i64,
    pub(super) grace_ms: i64,
}

impl Span {
    /// For a quiet topic, whose time is the wall clock's. `None`: it is over.
    fn closes_in(self, start: i64, now_ms: i64) -> Option<i64> {
        let left = start + self.size_ms + self.grace_ms - now_ms;
        (left > 0).then_some((left + 999) / 1000)
    }

    /// The latest windows, one a line.
    pub(super) fn lines(self, counts: &Counts, windows: usize, now_ms: i64) -> Vec<String> {
        let clock = |ms: i64| {
            let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
            time.strftime("%H:%M:%S").to_string()
        };
        let line = |(start, classes): (i64, Vec<(&str, u64)>)| {
            let classes = classes.iter().map(|(class, count)| format!("{class} {count:<8}")).collect::<String>();
            let end = match self.closes_in(start, now_ms) {
                Some(seconds) => format!("closes in {seconds} s"),
                None => "closed".to_owned(),
            };
            format!("window {} – {} UTC   {classes}{end}", clock(start), clock(start + self.size_ms))
        };
        counts.latest(windows).into_iter().map(line).collect()
    }

    /// When the last window closes, in seconds from now.
    pub(super) fn all_closed_in(self, counts: &Counts, now_ms: i64) -> Option<i64> {
        let ((start, _), _) = counts.0.last_key_value()?;
        self.closes_in(*start, now_ms)
    }
}

/// Follows the topic from its beginning, as soon as it is there.
pub(super) struct Follower {
    settings: Settings,
    registry: Registry,
    topic: &'static str,
    reading: Option<Reading>,
    looked: Option<Instant>,
    counts: Counts,
}

impl Follower {
    pub(super) fn of(settings: &Settings, registry: &Registry, topic: &'static str) -> Follower {
        let (settings, registry) = (settings.clone(), registry.clone());
        Follower { settings, registry, topic, reading: None, looked: None, counts: Counts::default() }
    }

    /// As far as it can be read without waiting. A broker that does not answer now may the next time.
    pub(super) fn newest(&mut self) -> &Counts {
        if self.reading.is_none() && self.looked.is_none_or(|at| at.elapsed() > LOOK_INTERVAL) {
            self.looked = Some(Instant::now());
            if let Ok(Some(_)) = topics::shape(&self.settings, self.topic) {
                self.reading = Reading::open(&self.settings, self.topic).ok();
            }
        }
        if let Some(reading) = &self.reading {
            let (counts, registry) = (&mut self.counts, &self.registry);
            reading.further(Duration::ZERO, |record| counts.take(registry, record)).ok();
        }
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { size_ms: 30_000, grace_ms: 5_000 };

    fn counts(entries: &[(i64, &str, u64)]) -> Counts {
        Counts(entries.iter().map(|(start, class, count)| ((*start, (*class).to_owned()), *count)).collect())
    }

    #[test]
    fn the_latest_windows_are_shown_with_what_is_left_of_them() {
        let counts = counts(&[(0, "JOVEM", 1), (30_000, "ADULTO", 20), (30_000, "JOVEM", 3), (60_000, "ADULTO", 4)]);
        let lines = SPAN.lines(&counts, 2, 65_000);
        let expected = [
            "window 00:00:30 – 00:01:00 UTC   ADULTO 20      JOVEM 3       closed",
            "window 00:01:00 – 00:01:30 UTC   ADULTO 4       closes in 30 s",
        ];
        assert_eq!(lines, expected);
        assert_eq!((counts.sum(), counts.of_class("JOVEM")), (28, 4));
    }

    #[test]
    fn the_last_second_of_a_window_counts_as_one() {
        let counts = counts(&[(0, "JOVEM", 1)]);
        for (now, left) in [(0, Some(35)), (34_000, Some(1)), (34_999, Some(1)), (35_000, None)] {
            assert_eq!(SPAN.all_closed_in(&counts, now), left, "{now}");
        }
        assert_eq!(SPAN.all_closed_in(&Counts::default(), 0), None);
    }
}
