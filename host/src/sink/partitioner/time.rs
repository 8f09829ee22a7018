//! `TimeBasedPartitioner` and its hourly and daily forms: where a record's time is found, and the path of that time.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::field::integer;
use super::pattern::Pattern;
use super::{Moment, Path};
use crate::connect::{Datum, Kind, Reason, Value};
use crate::connector_file::Values;
use crate::exit::Stop;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// `timestamp.extractor`
#[derive(Debug, Clone)]
pub(super) enum Extractor {
    Wallclock,
    Record,
    Field(Path),
}

#[derive(Debug, Clone)]
pub(super) struct Buckets {
    pub(super) extractor: Extractor,
    duration_ms: i64,
    zone: TimeZone,
    pattern: Pattern,
}

impl Buckets {
    pub(super) fn parse(values: &Values, delimiter: &str) -> Result<Buckets, Stop> {
        let format = values.required("path.format")?;
        if format == delimiter {
            return Err(Stop::usage(format!("path.format is {format:?}; allowed: a Joda pattern")));
        }
        let format = if delimiter.is_empty() { format } else { format.strip_suffix(delimiter).unwrap_or(format) };
        values.required("partition.duration.ms")?;
        let duration_ms = values.number("partition.duration.ms", -1, 1..=i64::MAX)?;
        Buckets::new(values, format, duration_ms)
    }

    pub(super) fn hourly(values: &Values, delimiter: &str) -> Result<Buckets, Stop> {
        let parts = ["'year'=YYYY", "'month'=MM", "'day'=dd", "'hour'=HH"];
        Buckets::new(values, &parts.join(delimiter), HOUR_MS)
    }

    pub(super) fn daily(values: &Values, delimiter: &str) -> Result<Buckets, Stop> {
        Buckets::new(values, &["'year'=YYYY", "'month'=MM", "'day'=dd"].join(delimiter), DAY_MS)
    }

    fn new(values: &Values, format: &str, duration_ms: i64) -> Result<Buckets, Stop> {
        let locale = values.required("locale")?.trim();
        values.required("timezone")?;
        let pattern = Pattern::parse(format).map_err(|why| Stop::usage(format!("path.format is {format:?}: {why}")))?;
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        if pattern.has_words() && !language.eq_ignore_ascii_case("en") {
            return Err(Stop::usage(format!("path.format {format:?} prints words, and locale is {locale:?}"))
                .hint("smt-host knows English names only: use numbers (MM, e, HH), or locale en"));
        }
        let field = || Path::new(values.get("timestamp.field").unwrap_or("timestamp").to_owned());
        const PACKAGE: &str = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$";
        let class = values.get("timestamp.extractor").unwrap_or("Wallclock").trim();
        let short = class.strip_prefix(PACKAGE).unwrap_or(class);
        let extractor = match short.strip_suffix("TimestampExtractor").unwrap_or(short) {
            "Wallclock" => Extractor::Wallclock,
            "Record" => Extractor::Record,
            "RecordField" => Extractor::Field(field()),
            _ => {
                return Err(Stop::usage(format!(
                    "timestamp.extractor is {class:?}; allowed: Wallclock, Record, RecordField"
                )));
            }
        };
        Ok(Buckets { extractor, duration_ms, zone: zone(values)?.unwrap_or(TimeZone::UTC), pattern })
    }

    /// The record's time.
    pub(super) fn time(&mut self, moment: &Moment, value: &Datum) -> Result<i64, Reason> {
        match &mut self.extractor {
            Extractor::Wallclock => Ok(moment.now_ms),
            Extractor::Record => moment.timestamp_ms.ok_or_else(|| Reason::record("the record has no timestamp")),
            Extractor::Field(path) => match &value.value {
                // Schemaless JSON.
                Value::Map(entries) => member(entries, &path.name),
                _ => {
                    let (schema, found) = path.find(value)?;
                    match &schema.kind {
                        Kind::Int32 | Kind::Int64 | Kind::String => millis(found, &path.name),
                        other => {
                            Err(Reason::record(format!("field {:?} has type {}, no time", path.name, other.name())))
                        }
                    }
                }
            },
        }
    }

    /// The path of the bucket that holds `time_ms`; printed anew only where it is another one than `last`.
    pub(super) fn encode(&self, time_ms: i64, out: &mut String, last: &mut Option<i64>) -> Result<(), Reason> {
        let beyond = |_| Reason::record(format!("the time {time_ms} ms is beyond the years that are known"));
        let at = Timestamp::from_millisecond(time_ms).map_err(beyond)?;
        let local = time_ms.saturating_add(i64::from(self.zone.to_offset(at).seconds()) * 1000);
        let bucket = local / self.duration_ms * self.duration_ms;
        if *last == Some(bucket) {
            return Ok(());
        }
        let wall = Offset::UTC.to_datetime(Timestamp::from_millisecond(bucket).map_err(beyond)?);
        let zoned = self.zone.to_ambiguous_zoned(wall).compatible().map_err(beyond)?;
        out.clear();
        self.pattern.print(&zoned, out);
        *last = Some(bucket);
        Ok(())
    }
}

/// `timezone`, where it is given.
pub(in super::super) fn zone(values: &Values) -> Result<Option<TimeZone>, Stop> {
    let Some(name) = values.get("timezone").map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
    if name.eq_ignore_ascii_case("UTC") {
        return Ok(Some(TimeZone::UTC));
    }
    jiff::fmt::temporal::DateTimeParser::new().parse_time_zone(name).map(Some).map_err(|_| {
        Stop::usage(format!("timezone is {name:?}; allowed: an IANA name or an offset"))
            .hint("for example America/Sao_Paulo or -03:00")
    })
}

fn member(entries: &[(Value, Value)], name: &str) -> Result<i64, Reason> {
    let mut entries = entries;
    let mut names = name.split('.').peekable();
    while let Some(part) = names.next() {
        let found = entries.iter().find(|(key, _)| matches!(key, Value::String(key) if **key == *part));
        match found {
            Some((_, Value::Map(inner))) if names.peek().is_some() => entries = inner,
            Some((_, value)) if names.peek().is_none() => return millis(value, name),
            _ => break,
        }
    }
    Err(Reason::record(format!("the value has no field {name:?}")))
}

fn millis(value: &Value, name: &str) -> Result<i64, Reason> {
    let parsed = match value {
        Value::String(text) => iso(text.trim()),
        Value::Float64(number) => Some(*number as i64),
        other => integer(other),
    };
    parsed.ok_or_else(|| Reason::record(format!("field {name:?} holds no time")))
}

/// ISO 8601 with or without a zone (then UTC), or digits.
fn iso(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse() {
        return Some(millis);
    }
    let utc = |wall: DateTime| Offset::UTC.to_timestamp(wall).ok();
    let at = text.parse::<Timestamp>().ok();
    let at = at.or_else(|| utc(text.parse::<DateTime>().ok()?));
    let at = at.or_else(|| utc(text.parse::<Date>().ok()?.at(0, 0, 0, 0)));
    Some(at?.as_millisecond())
}
