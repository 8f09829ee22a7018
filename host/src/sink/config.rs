//! The connector file: Kafka Connect's JSON, every key checked before anything starts.
//!
//! A message names the key, the value seen and what is allowed; it never shows a secret.

mod conversion;

use std::path::Path;
use std::time::Duration;

use conversion::Conversion;

use super::boundaries::Rules;
use super::compatibility::Compatibility;
use super::formats::{self, Formats};
use super::keys::{IGNORED, KNOWN};
use super::name::Naming;
use super::partitioner::{self, Partitioner};
use super::store::Access;
use crate::connect::Converter;
use crate::connector_file::{self, Values};
use crate::exit::Stop;
use crate::kafka::From;
use crate::registry::Registry;

/// `behavior.on.null.values`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnNull {
    Fail,
    Ignore,
    Write,
}

/// What becomes of a record that cannot be converted or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Errors {
    /// `errors.tolerance=all`
    pub(super) tolerated: bool,
    pub(super) logged: bool,
    /// `errors.deadletterqueue.…`
    pub(super) dead_letters: Option<DeadLetters>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeadLetters {
    pub(super) topic: String,
    pub(super) replication: i32,
    /// With Connect's headers.
    pub(super) context: bool,
}

/// A checked connector file.
#[derive(Debug, Clone)]
pub struct Connector {
    pub name: String,
    /// Names, or one pattern after `^`.
    pub(super) topics: Vec<String>,
    pub(super) tasks: usize,
    pub(super) naming: Naming,
    pub(super) partitioner: Partitioner,
    pub(super) rules: Rules,
    pub(super) formats: Formats,
    key_conversion: Conversion,
    value_conversion: Conversion,
    pub(super) on_null: OnNull,
    pub(super) errors: Errors,
    pub(super) access: Access,
    pub(super) part_size: usize,
    /// `smt.buffer.max.bytes`: of all files that are open or on their way.
    pub(super) buffer_max: usize,
    /// `retry.backoff.ms`: between attempts of what the S3 client gave up.
    pub(super) pause: Duration,
    pub(super) tags: Option<Tags>,
    /// `enable.conditional.writes`, where it has an effect.
    pub(super) no_overwrite: bool,
    pub(super) from: From,
    pub(super) uncommitted: bool,
    /// `smt.flush.idle.ms`: a tail closes when nothing came for so long.
    pub(super) idle_ms: Option<i64>,
    /// `smt.manifest`: each object has a document beside it.
    pub(super) manifest: bool,
    /// Keys without an effect, and why.
    ignored: Vec<(&'static str, &'static str)>,
}

/// `s3.object.tagging`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tags {
    pub(super) more: Vec<(String, String)>,
    /// `s3.object.behavior.on.tagging.error=fail`
    pub(super) required: bool,
}

impl Connector {
    /// Reads a file.
    pub fn load(file: &Path, overrides: &[(String, String)]) -> Result<Connector, Stop> {
        let json = connector_file::text_of(file, "sink/connect_s3_sink.config")?;
        Connector::parse(&json, overrides)
    }

    /// Reads `{"name":…,"config":{…}}`, or the config alone with its name in it. `overrides` win over the file.
    pub fn parse(json: &str, overrides: &[(String, String)]) -> Result<Connector, Stop> {
        let values = connector_file::read(json, overrides, &KNOWN)?;
        check_fixed(&values)?;
        let naming = Naming::parse(&values)?;
        let partitioner = Partitioner::parse(&values, &naming.delimiter)?;
        let (rules, formats) = (rules(&values)?, formats::parse(&values)?);
        let on_null = on_null(&values, &formats)?;
        let mut ignored: Vec<_> = IGNORED.iter().filter(|(key, _)| values.get(key).is_some()).copied().collect();
        if rules.interval_ms.is_some() && !partitioner.is_timed() {
            ignored.push(("rotate.interval.ms", "partitioner.class is none of time"));
        }
        let conditional = values.boolean("enable.conditional.writes", true)?;
        let no_overwrite =
            conditional && rules.schedule.is_some() && formats.key.is_none() && formats.headers.is_none();
        Ok(Connector {
            name: values.required("name")?.to_owned(),
            topics: topics(&values)?,
            tasks: values.number("tasks.max", 1, 1..=256)? as usize,
            key_conversion: Conversion::parse(&values, "key.converter", Conversion::String)?,
            value_conversion: Conversion::parse(&values, "value.converter", Conversion::Avro)?,
            errors: errors(&values)?,
            access: Access::parse(&values)?,
            part_size: values.number("s3.part.size", 26_214_400, 5_242_880..=i32::MAX.into())? as usize,
            buffer_max: values.number("smt.buffer.max.bytes", 134_217_728, 5_242_880..=i64::MAX)? as usize,
            pause: values.millis("retry.backoff.ms", 5000)?,
            tags: tags(&values)?,
            from: values.choice(
                "consumer.override.auto.offset.reset",
                &[("earliest", From::Earliest), ("latest", From::Latest)],
            )?,
            uncommitted: values.choice(
                "consumer.override.isolation.level",
                &[("read_committed", false), ("read_uncommitted", true)],
            )?,
            manifest: values.boolean("smt.manifest", false)?,
            idle_ms: interval(&values, "smt.flush.idle.ms")?,
            naming,
            partitioner,
            rules,
            formats,
            on_null,
            no_overwrite,
            ignored,
        })
    }

    /// Connect's name for the group of a connector.
    pub fn group(&self) -> String {
        format!("connect-{}", self.name)
    }

    /// The topics by name; none where a pattern says which.
    pub fn named_topics(&self) -> impl Iterator<Item = &str> {
        self.topics.iter().map(String::as_str).filter(|topic| !topic.starts_with('^'))
    }

    /// So many records of a partition close its files.
    pub fn flush_size(&self) -> u64 {
        self.rules.flush_size
    }

    /// Of keys and of values.
    pub(super) fn converters(&self, registry: &Registry) -> (Converter, Converter) {
        (self.key_conversion.build(registry, true), self.value_conversion.build(registry, false))
    }

    /// One warning for each key that has no effect.
    pub fn say_what_is_ignored(&self) {
        for (key, why) in &self.ignored {
            tracing::warn!(connector = self.name, "{key} has no effect: {why}");
        }
    }
}

/// The default chain and its members, by the names of both of AWS's SDKs for Java: the chain asks all of them.
const PROVIDERS: &[(&str, ())] = &[
    ("com.amazonaws.auth.DefaultAWSCredentialsProviderChain", ()),
    ("com.amazonaws.auth.EnvironmentVariableCredentialsProvider", ()),
    ("com.amazonaws.auth.profile.ProfileCredentialsProvider", ()),
    ("com.amazonaws.auth.WebIdentityTokenCredentialsProvider", ()),
    ("com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper", ()),
    ("com.amazonaws.auth.InstanceProfileCredentialsProvider", ()),
    ("software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider", ()),
    ("software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider", ()),
    ("software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider", ()),
    ("software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider", ()),
    ("software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider", ()),
    ("software.amazon.awssdk.auth.credentials.InstanceProfileCredentialsProvider", ()),
];

/// Keys with one possible meaning.
fn check_fixed(values: &Values) -> Result<(), Stop> {
    values.required("connector.class")?;
    values.choice(
        "connector.class",
        &[("io.confluent.connect.s3.S3SinkConnector", ()), ("S3SinkConnector", ()), ("S3Sink", ())],
    )?;
    let storage = "io.confluent.connect.s3.storage.S3Storage";
    values.choice("storage.class", &[(storage, ()), ("S3Storage", ())])?;
    values.choice("s3.credentials.provider.class", PROVIDERS)
}

fn topics(values: &Values) -> Result<Vec<String>, Stop> {
    let (listed, pattern) = (values.list("topics"), values.get("topics.regex").map(str::trim));
    match (listed.is_empty(), pattern.filter(|pattern| !pattern.is_empty())) {
        (false, None) => Ok(listed),
        // The whole name has to match, as in Java.
        (true, Some(pattern)) => Ok(vec![format!("^({pattern})$")]),
        (true, None) => Err(Stop::usage("topics is missing").hint("give topics or topics.regex")),
        (false, Some(_)) => Err(Stop::usage("topics and topics.regex exclude each other")),
    }
}

/// -1 and 0 switch off.
fn interval(values: &Values, key: &str) -> Result<Option<i64>, Stop> {
    Ok(Some(values.number(key, -1, -1..=i64::MAX / 2)?).filter(|millis| *millis > 0))
}

fn rules(values: &Values) -> Result<Rules, Stop> {
    values.required("flush.size")?;
    let schedule = match interval(values, "rotate.schedule.interval.ms")? {
        None => None,
        Some(millis) => match partitioner::zone(values)? {
            Some(zone) => Some((millis, zone)),
            None => {
                return Err(Stop::usage("timezone is missing: rotate.schedule.interval.ms counts from its midnight")
                    .hint("for example timezone=UTC"));
            }
        },
    };
    let open_files = values.number("max.open.files.per.partition", -1, -1..=i32::MAX.into())?;
    Ok(Rules {
        flush_size: values.number("flush.size", 0, 1..=i32::MAX.into())?.unsigned_abs(),
        interval_ms: interval(values, "rotate.interval.ms")?,
        on_place_change: values.boolean("rotate.file.on.partition.change", true)?,
        schedule,
        open_files_max: usize::try_from(open_files).ok().filter(|most| *most > 0),
        compatibility: values.choice(
            "schema.compatibility",
            &[
                ("NONE", Compatibility::None),
                ("BACKWARD", Compatibility::Backward),
                ("FORWARD", Compatibility::Forward),
                ("FULL", Compatibility::Backward),
            ],
        )?,
    })
}

fn on_null(values: &Values, formats: &Formats) -> Result<OnNull, Stop> {
    let choices = [("fail", OnNull::Fail), ("ignore", OnNull::Ignore), ("write", OnNull::Write)];
    let on_null = values.choice("behavior.on.null.values", &choices)?;
    if on_null == OnNull::Write && formats.key.is_none() {
        return Err(Stop::usage("behavior.on.null.values is write, and store.kafka.keys is false")
            .hint("a null value is written as its key: set store.kafka.keys=true"));
    }
    Ok(on_null)
}

fn errors(values: &Values) -> Result<Errors, Stop> {
    let topic = values.get("errors.deadletterqueue.topic.name").map(str::trim).filter(|topic| !topic.is_empty());
    let replication = values.number("errors.deadletterqueue.topic.replication.factor", 3, -1..=1000)? as i32;
    let context = values.boolean("errors.deadletterqueue.context.headers.enable", false)?;
    Ok(Errors {
        tolerated: values.choice("errors.tolerance", &[("none", false), ("all", true)])?,
        // What is left out without a dead letter is always told.
        logged: values.boolean("errors.log.enable", false)? || topic.is_none(),
        dead_letters: topic.map(|topic| DeadLetters { topic: topic.to_owned(), replication, context }),
    })
}

fn tags(values: &Values) -> Result<Option<Tags>, Stop> {
    const PAIRS: &str = "s3.object.tagging.key.value.pairs";
    let on_error = values.choice("s3.object.behavior.on.tagging.error", &[("ignore", false), ("fail", true)])?;
    let pair = |entry: String| match entry.split_once(':') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Stop::usage(format!("{PAIRS} has {entry:?}; allowed: key:value"))),
    };
    let more = values.list(PAIRS).into_iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    Ok(values.boolean("s3.object.tagging", false)?.then_some(Tags { more, required: on_error }))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
