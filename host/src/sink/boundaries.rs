//! When the files of one topic partition close, and which record begins which file.
//!
//! A state machine without Kafka, S3 or clock of its own: the same records in the same order make the same files. All
//! files of a topic partition close together, so that one offset says how far its objects reach.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::compatibility::{Compatibility, Of};
use crate::connect::Schema;

const DAY_MS: i64 = 86_400_000;

/// What a connector's file says of rotation.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) flush_size: u64,
    /// `rotate.interval.ms`, of record time.
    pub(super) interval_ms: Option<i64>,
    /// `rotate.file.on.partition.change`: with an interval, a record of another place closes.
    pub(super) on_place_change: bool,
    /// `rotate.schedule.interval.ms`, and the zone whose midnight it counts from.
    pub(super) schedule: Option<(i64, TimeZone)>,
    pub(super) open_files_max: Option<usize>,
    pub(super) compatibility: Compatibility,
}

/// A record that is to be placed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival<'a> {
    /// Its encoded partition.
    pub(super) place: &'a str,
    pub(super) schema: Of<'a>,
    /// Where partitions are of time.
    pub(super) time_ms: Option<i64>,
    pub(super) now_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All files close; then ask again.
    CloseFirst,
    /// Into the file of this number.
    Write(usize),
    /// A new file begins with it, unless it turns out to be faulty.
    Begin,
}

/// One file. Its number stays the same until all close.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct File {
    pub(super) place: String,
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) records: u64,
}

#[derive(Debug)]
pub(super) struct Boundaries {
    rules: Rules,
    files: Vec<File>,
    records: u64,
    /// The file that was written to last.
    current: usize,
    /// The time of the first record since all closed, and of the last one.
    base_ms: Option<i64>,
    time_ms: Option<i64>,
    scheduled_ms: Option<i64>,
}

impl Boundaries {
    pub(super) fn new(rules: &Rules, now_ms: i64) -> Boundaries {
        let mut new = Boundaries {
            rules: rules.clone(),
            files: Vec::new(),
            records: 0,
            current: 0,
            base_ms: None,
            time_ms: None,
            scheduled_ms: None,
        };
        new.schedule_next(now_ms);
        new
    }

    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// In the order of B2.5: without and with a schema, time, schema, number of files.
    pub(super) fn admit(&mut self, arrival: &Arrival<'_>) -> Verdict {
        if self.base_ms.is_none() {
            self.base_ms = arrival.time_ms;
        }
        let known = self.find(arrival.place);
        let file = known.map(|number| &self.files[number]);
        let has_schema = |file: &File| file.schema.is_some() == arrival.schema.is_some();
        if file.is_some_and(|file| !has_schema(file)) {
            return Verdict::CloseFirst;
        }
        if self.is_due(Some(arrival.place), arrival.time_ms, arrival.now_ms) {
            self.schedule_next(arrival.now_ms);
            return Verdict::CloseFirst;
        }
        self.time_ms = arrival.time_ms;
        match known {
            Some(number) => {
                let file = self.files[number].schema.as_ref();
                let closes = self.rules.compatibility.closes(arrival.schema, file);
                if closes { Verdict::CloseFirst } else { Verdict::Write(number) }
            }
            None if self.rules.open_files_max.is_some_and(|most| self.files.len() >= most) => Verdict::CloseFirst,
            None => Verdict::Begin,
        }
    }

    fn find(&self, place: &str) -> Option<usize> {
        let is = |number: &usize| self.files.get(*number).is_some_and(|file| file.place == place);
        Some(self.current).filter(is).or_else(|| self.files.iter().position(|file| file.place == place))
    }

    /// A record began a file. Gives its number, and whether all close now.
    pub(super) fn begun(&mut self, arrival: &Arrival<'_>, offset: i64) -> (usize, bool) {
        let (place, schema) = (arrival.place.to_owned(), arrival.schema.cloned());
        self.files.push(File { place, schema, first: offset, last: offset, records: 0 });
        let number = self.files.len() - 1;
        (number, self.written(number, offset))
    }

    /// A record is in a file. True: all close now.
    pub(super) fn written(&mut self, number: usize, offset: i64) -> bool {
        if let Some(file) = self.files.get_mut(number) {
            (file.last, file.records) = (offset, file.records + 1);
        }
        self.current = number;
        self.records += 1;
        self.records >= self.rules.flush_size
    }

    /// Nothing arrives. True: all close now.
    pub(super) fn tick(&mut self, now_ms: i64) -> bool {
        let due = self.is_due(None, self.time_ms, now_ms);
        if due {
            self.schedule_next(now_ms);
        }
        due
    }

    /// All files, in the order in which they began. Empty afterwards.
    pub(super) fn close(&mut self) -> Vec<File> {
        (self.records, self.current, self.base_ms) = (0, 0, None);
        std::mem::take(&mut self.files)
    }

    /// Time has come for what is open. `place`: of the record that arrives.
    fn is_due(&self, place: Option<&str>, time_ms: Option<i64>, now_ms: i64) -> bool {
        if self.records == 0 {
            return false;
        }
        let moved = place.is_some_and(|place| self.files.get(self.current).is_none_or(|file| file.place != place));
        let by_record = match (self.rules.interval_ms, time_ms, self.base_ms) {
            (Some(interval), Some(time), Some(base)) => {
                time.saturating_sub(base) >= interval || (moved && self.rules.on_place_change)
            }
            _ => false,
        };
        by_record || self.scheduled_ms.is_some_and(|at| now_ms >= at)
    }

    fn schedule_next(&mut self, now_ms: i64) {
        self.scheduled_ms = self.rules.schedule.as_ref().map(|(interval, zone)| next(now_ms, *interval, zone));
    }
}

/// The next multiple of `interval` since the zone's midnight; at the latest, a day after it.
fn next(now_ms: i64, interval: i64, zone: &TimeZone) -> i64 {
    let offset_ms = |at: i64| {
        let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        i64::from(zone.to_offset(at).seconds()) * 1000
    };
    let midnight = (now_ms + offset_ms(now_ms)).div_euclid(DAY_MS) * DAY_MS;
    let start = Timestamp::from_millisecond(midnight)
        .and_then(|wall| zone.to_ambiguous_timestamp(Offset::UTC.to_datetime(wall)).compatible())
        .map_or(midnight, |at| at.as_millisecond());
    start + (((now_ms - start) / interval + 1) * interval).min(DAY_MS)
}

#[cfg(test)]
#[path = "boundaries_tests.rs"]
mod tests;
