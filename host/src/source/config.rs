//! The connector file: Kafka Connect's JSON, every key checked before anything starts.
//!
//! A message names the key, the value seen and what is allowed; it never shows a password or the connection URL.

use std::time::Duration;

use super::clock::{self, Granularity, Zone};
use super::encode::Calendar;
use super::jdbc_url::{self, Database};
use super::keys::{SUPPORTED, UNSUPPORTED};
use super::select::Wanted;
use super::sql::{Origin, Quote};
use crate::connector_file::{self, Known, Values};
use crate::exit::Stop;

/// Which rows a poll reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Bulk,
    Timestamp,
    Incrementing,
    TimestampIncrementing,
}

impl Mode {
    pub(super) fn has_timestamp(self) -> bool {
        matches!(self, Mode::Timestamp | Mode::TimestampIncrementing)
    }

    pub(super) fn has_id(self) -> bool {
        matches!(self, Mode::Incrementing | Mode::TimestampIncrementing)
    }
}

/// What becomes of `numeric`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumericMapping {
    None,
    PrecisionOnly,
    BestFit,
    BestFitEagerDouble,
}

/// Where a table without an offset starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Initial {
    Now,
    /// Microseconds since 1970.
    At(i64),
}

/// A checked connector file.
#[derive(Debug, Clone)]
pub struct Connector {
    pub name: String,
    pub(super) database: Database,
    pub(super) mode: Mode,
    pub(super) timestamps: Vec<String>,
    pub(super) id: Option<String>,
    pub(super) validate_non_null: bool,
    /// Read instead of tables.
    pub(super) query: Option<String>,
    pub(super) wanted: Wanted,
    pub(super) quote: Quote,
    /// Postgres's letters for the wanted kinds of tables.
    pub(super) table_kinds: Vec<String>,
    pub(super) topic_prefix: String,
    pub(super) poll_interval: Duration,
    /// How often tables that came or went are looked for.
    pub(super) table_poll_interval: Duration,
    pub(super) batch_max_rows: usize,
    pub(super) query_suffix: String,
    pub(super) initial: Initial,
    pub(super) delay: Duration,
    pub(super) numeric: NumericMapping,
    pub(super) calendar: Calendar,
    pub(super) granularity: Granularity,
    pub(super) zone: Zone,
    pub(super) attempts: u32,
    pub(super) backoff: Duration,
    pub(super) partitions: i32,
    pub(super) replication: i32,
}

impl Connector {
    /// All keys that mean something here.
    pub(crate) fn keys() -> &'static [&'static str] {
        SUPPORTED
    }

    /// Reads `{"name":…,"config":{…}}`, or the config alone with its name in it. `overrides` win over the file.
    pub fn parse(json: &str, overrides: &[(String, String)]) -> Result<Connector, Stop> {
        let values = connector_file::read(json, overrides, &Known { supported: SUPPORTED, refused: UNSUPPORTED })?;
        check_fixed(&values)?;
        let mode = mode(&values)?;
        let wanted = Wanted::parse(&values)?;
        Ok(Connector {
            name: values.required("name")?.to_owned(),
            database: database(&values)?,
            mode,
            timestamps: columns(&values, "timestamp.column.name", mode.has_timestamp())?,
            id: columns(&values, "incrementing.column.name", mode.has_id())?.into_iter().next(),
            validate_non_null: values.boolean("validate.non.null", true)?,
            query: query(&values, &wanted)?,
            wanted,
            quote: values.choice("quote.sql.identifiers", &[("always", Quote::Always), ("never", Quote::Never)])?,
            table_kinds: table_kinds(&values)?,
            topic_prefix: topic_prefix(&values)?,
            poll_interval: values.millis("poll.interval.ms", 5000)?,
            table_poll_interval: values.millis("table.poll.interval.ms", 60_000)?,
            batch_max_rows: values.number("batch.max.rows", 1000, 1..=i32::MAX.into())? as usize,
            query_suffix: values.get("query.suffix").unwrap_or_default().to_owned(),
            initial: initial(&values)?,
            delay: values.millis("timestamp.delay.interval.ms", 0)?,
            numeric: numeric(&values)?,
            calendar: values.choice(
                "date.calendar.system",
                &[("LEGACY", Calendar::Legacy), ("PROLEPTIC_GREGORIAN", Calendar::Proleptic)],
            )?,
            granularity: clock::granularity(&values)?,
            zone: clock::zone(&values)?,
            attempts: values.number("connection.attempts", 3, 1..=i32::MAX.into())? as u32,
            backoff: values.millis("connection.backoff.ms", 10_000)?,
            partitions: values.number("topic.creation.default.partitions", 1, 1..=10_000)? as i32,
            replication: values.number("topic.creation.default.replication.factor", -1, -1..=1000)? as i32,
        })
    }

    /// The topic of a table: its schema never appears. A query's topic is the prefix itself.
    pub(super) fn topic(&self, origin: &Origin) -> String {
        match origin {
            Origin::Table(table) => format!("{}{}", self.topic_prefix, table.name),
            Origin::Query(_) => self.topic_prefix.clone(),
        }
    }
}

/// Keys with one possible meaning.
fn check_fixed(values: &Values) -> Result<(), Stop> {
    let class = "io.confluent.connect.jdbc.JdbcSourceConnector";
    values.required("connector.class")?;
    values.choice("connector.class", &[(class, ()), ("JdbcSourceConnector", ()), ("JdbcSource", ())])?;
    values.number("tasks.max", 1, 1..=i32::MAX.into())?;
    values.choice("dialect.name", &[("PostgreSqlDatabaseDialect", ()), ("", ())])?;
    values.choice("value.converter", &[("io.confluent.connect.avro.AvroConverter", ())])?;
    // Keys are null, which every converter leaves null.
    Ok(())
}

fn mode(values: &Values) -> Result<Mode, Stop> {
    values.required("mode")?;
    values.choice(
        "mode",
        &[
            ("bulk", Mode::Bulk),
            ("timestamp", Mode::Timestamp),
            ("incrementing", Mode::Incrementing),
            ("timestamp+incrementing", Mode::TimestampIncrementing),
        ],
    )
}

fn database(values: &Values) -> Result<Database, Stop> {
    let url = values.required("connection.url")?;
    let mut database = jdbc_url::parse(url).map_err(|why| {
        Stop::usage(format!("connection.url is not usable: {why}"))
            .hint("it looks like jdbc:postgresql://host:5432/database")
    })?;
    let given = |key: &str| values.get(key).map(str::to_owned);
    database.user = given("connection.user").or(database.user);
    database.password = given("connection.password").or(database.password);
    Ok(database)
}

fn columns(values: &Values, key: &str, needed: bool) -> Result<Vec<String>, Stop> {
    let columns = values.list(key);
    if needed && columns.is_empty() {
        let mode = values.get("mode").unwrap_or_default();
        return Err(Stop::usage(format!("{key} is missing: mode {mode} needs it")));
    }
    Ok(columns)
}

fn table_kinds(values: &Values) -> Result<Vec<String>, Stop> {
    let names = values.list("table.types");
    let names = if names.is_empty() { vec!["TABLE".to_owned()] } else { names };
    let letter = |name: &String| match name.to_uppercase().as_str() {
        "TABLE" => Ok("r".to_owned()),
        "PARTITIONED TABLE" => Ok("p".to_owned()),
        "VIEW" => Ok("v".to_owned()),
        "MATERIALIZED VIEW" => Ok("m".to_owned()),
        "FOREIGN TABLE" => Ok("f".to_owned()),
        _ => Err(Stop::usage(format!(
            "table.types has {name:?}; allowed: TABLE, PARTITIONED TABLE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE"
        ))),
    };
    names.iter().map(letter).collect()
}

fn topic_prefix(values: &Values) -> Result<String, Stop> {
    let prefix = values.required("topic.prefix")?.trim();
    if prefix.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Ok(prefix.to_owned());
    }
    Err(Stop::usage(format!("topic.prefix is {prefix:?}; allowed: letters, digits, '.', '_' and '-'")))
}

fn query(values: &Values, wanted: &Wanted) -> Result<Option<String>, Stop> {
    let given = |key: &str| values.get(key).map(str::trim).filter(|text| !text.is_empty());
    let query = match (given("query"), given("query.masked")) {
        (Some(_), Some(_)) => return Err(Stop::usage("query and query.masked exclude each other")),
        (one, other) => one.or(other),
    };
    if query.is_some() && wanted.is_given() {
        return Err(
            Stop::usage("query cannot stand beside a list of tables").hint("a connector reads one or the other")
        );
    }
    if query.is_some_and(|query| query.ends_with(';')) {
        return Err(Stop::usage("query ends with a semicolon").hint("leave it out: a condition is appended"));
    }
    Ok(query.map(str::to_owned))
}

fn initial(values: &Values) -> Result<Initial, Stop> {
    let millis = values.number("timestamp.initial", 0, -1..=i64::MAX / 1000)?;
    Ok(if millis == -1 { Initial::Now } else { Initial::At(millis * 1000) })
}

fn numeric(values: &Values) -> Result<NumericMapping, Stop> {
    let old = values.boolean("numeric.precision.mapping", false)?;
    if values.get("numeric.mapping").is_none() && old {
        return Ok(NumericMapping::PrecisionOnly);
    }
    values.choice(
        "numeric.mapping",
        &[
            ("none", NumericMapping::None),
            ("precision_only", NumericMapping::PrecisionOnly),
            ("best_fit", NumericMapping::BestFit),
            ("best_fit_eager_double", NumericMapping::BestFitEagerDouble),
        ],
    )
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
