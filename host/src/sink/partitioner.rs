//! Which directory of its topic a record goes to: Confluent's partitioners.
//!
//! Reads nothing but the record and the clock that it is handed. What cannot be placed is the record's fault.

mod field;
mod pattern;
#[cfg(test)]
mod tests;
mod time;

use std::fmt::Write;
use std::sync::Arc;

use crate::connect::{Datum, Reason, Schema};
use crate::connector_file::Values;
use crate::exit::Stop;

use field::{Fields, Path};
pub(super) use time::zone;
use time::{Buckets, Extractor};

/// What is known of a record besides its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) partition: i32,
    /// As Kafka has it.
    pub(super) timestamp_ms: Option<i64>,
    pub(super) now_ms: i64,
}

/// `partitioner.class`
#[derive(Debug, Clone)]
enum Class {
    Default,
    Field(Fields),
    Time(Buckets),
}

#[derive(Debug, Clone)]
pub(super) struct Partitioner {
    class: Class,
    delimiter: String,
    /// Of tombstones, where they are written.
    tombstones: String,
    encoded: String,
    /// Of which bucket, or partition, `encoded` is.
    last: Option<i64>,
}

impl Partitioner {
    pub(super) fn parse(values: &Values, delimiter: &str) -> Result<Partitioner, Stop> {
        const PACKAGE: &str = "io.confluent.connect.storage.partitioner.";
        let class = values.get("partitioner.class").unwrap_or("DefaultPartitioner").trim();
        let class = match class.strip_prefix(PACKAGE).unwrap_or(class) {
            "DefaultPartitioner" => Class::Default,
            "FieldPartitioner" => Class::Field(Fields::parse(values)?),
            "TimeBasedPartitioner" => Class::Time(Buckets::parse(values, delimiter)?),
            "HourlyPartitioner" => Class::Time(Buckets::hourly(values, delimiter)?),
            "DailyPartitioner" => Class::Time(Buckets::daily(values, delimiter)?),
            other => {
                return Err(Stop::usage(format!(
                    "partitioner.class is {other:?}; allowed: DefaultPartitioner, FieldPartitioner, \
                     TimeBasedPartitioner, HourlyPartitioner, DailyPartitioner"
                ))
                .hint("classes of others need Java; smt-host has Confluent's built in"));
            }
        };
        let tombstones = values.get("tombstone.encoded.partition").unwrap_or("tombstone").to_owned();
        let delimiter = delimiter.to_owned();
        Ok(Partitioner { class, delimiter, tombstones, encoded: String::new(), last: None })
    }

    /// Only then `rotate.interval.ms` has a meaning.
    pub(super) fn is_timed(&self) -> bool {
        matches!(self.class, Class::Time(_))
    }

    /// The record's encoded partition, and its time where partitions are of time.
    pub(super) fn encode(&mut self, moment: &Moment, value: &Datum) -> Result<(&str, Option<i64>), Reason> {
        if value.is_null() {
            return Ok((&self.tombstones, self.class.time_of_a_tombstone(moment)));
        }
        match &mut self.class {
            Class::Default => {
                let partition = Some(moment.partition.into());
                if self.last != partition {
                    self.encoded.clear();
                    // Writing to a text cannot fail.
                    write!(self.encoded, "partition={}", moment.partition).ok();
                    self.last = partition;
                }
                Ok((&self.encoded, None))
            }
            Class::Field(fields) => {
                self.encoded.clear();
                fields.encode(value, &self.delimiter, &mut self.encoded)?;
                Ok((&self.encoded, None))
            }
            Class::Time(buckets) => {
                let time_ms = buckets.time(moment, value)?;
                buckets.encode(time_ms, &mut self.encoded, &mut self.last)?;
                Ok((&self.encoded, Some(time_ms)))
            }
        }
    }
}

impl Class {
    /// A tombstone has no fields; it never decides by itself that files close.
    fn time_of_a_tombstone(&self, moment: &Moment) -> Option<i64> {
        match self {
            Class::Time(buckets) => Some(match buckets.extractor {
                Extractor::Wallclock => moment.now_ms,
                _ => moment.timestamp_ms.unwrap_or(moment.now_ms),
            }),
            _ => None,
        }
    }
}

/// The schema at the end of a path, remembered for the schema that was met last.
#[derive(Debug, Clone)]
struct Found {
    root: Arc<Schema>,
    indexes: Vec<usize>,
    leaf: Arc<Schema>,
}
