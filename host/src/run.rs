//! `smt-host --plugin FILE…`: from options to pipelines, their threads and their reports.

use std::path::PathBuf;
use std::time::Duration;

use crate::exit::Stop;
use crate::guest::{Engine, Limits, Plugin};
use crate::kafka::{From, Settings};
use crate::pipeline::{Delivery, Member, OnError, Spec, fleet};
use crate::registry::{self, Registry};
use crate::shutdown::Shutdown;

#[derive(clap::Args, Debug, Clone)]
pub struct Args {
    /// A plugin file (component, or core module with its component type). Each makes a pipeline of its own.
    #[arg(long = "plugin", value_name = "FILE", required = true)]
    pub plugins: Vec<PathBuf>,
    /// Kafka brokers, comma-separated.
    #[arg(long, env = "SMT_BROKERS", default_value = "localhost:9092")]
    pub brokers: String,
    /// Schema Registry URLs, comma-separated. User and password may stand in the URL.
    #[arg(long, env = "SMT_REGISTRY", hide_env_values = true, default_value = "http://localhost:8081")]
    pub registry: String,
    /// Input topic; repeatable.
    #[arg(
        long = "input",
        env = "SMT_INPUT",
        value_name = "TOPIC",
        value_delimiter = ',',
        default_value = "postgres-customers"
    )]
    pub inputs: Vec<String>,
    /// Where an output goes; without a name, the plugin's first output.
    #[arg(long = "output", value_name = "[NAME=]TOPIC")]
    pub outputs: Vec<String>,
    /// Consumer group; by default smt-<plugin name>.
    #[arg(long, env = "SMT_GROUP")]
    pub group: Option<String>,
    /// Worker threads a pipeline.
    #[arg(long, env = "SMT_WORKERS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// Where a group without committed offsets begins.
    #[arg(long, env = "SMT_FROM", default_value = "earliest")]
    pub from: From,
    /// The longest that a transaction stays open under load.
    #[arg(long, env = "SMT_COMMIT_INTERVAL", default_value = "100ms", value_parser = duration)]
    pub commit_interval: Duration,
    /// A plugin setting; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub settings: Vec<(String, String)>,
    /// Where the instance id and compiled plugins are kept.
    #[arg(long, env = "SMT_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Names this instance for good: after a crash its successor takes over its transactions at once.
    #[arg(long, env = "SMT_INSTANCE_ID")]
    pub instance_id: Option<String>,
    /// Stop with exit code 0 when the end of the input is reached.
    #[arg(long)]
    pub until_end: bool,
    /// Dead-letter topic; by default smt-dead-letters-<pipeline>.
    #[arg(long, env = "SMT_DEAD_LETTER_TOPIC")]
    pub dead_letter_topic: Option<String>,
    /// What is done with a record that cannot be handled.
    #[arg(long, env = "SMT_ON_ERROR", default_value = "dead-letter")]
    pub on_error: OnError,
    /// So many failures in a row stop the pipeline.
    #[arg(long, env = "SMT_FAILURES_MAX", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub failures_max: u32,
    /// Create output topics that do not exist.
    #[arg(long, env = "SMT_CREATE_TOPICS", default_value_t = true, action = clap::ArgAction::Set)]
    pub create_topics: bool,
    /// Any librdkafka property.
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = key_value)]
    pub properties: Vec<(String, String)>,
}

/// `500ms`, `2s`, `1m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "a whole number and a unit: 500ms, 2s, 1m".to_owned())?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err("a unit is needed: ms, s or m".to_owned()),
    }
}

/// `KEY=VALUE`.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Runs until all pipelines have ended or a signal asks.
pub fn run(args: Args) -> Result<(), Stop> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
    let specs = specs(&args)?;
    fleet::run_all(specs, &shutdown)
}

/// The pipelines that the options ask for.
pub fn specs(args: &Args) -> Result<Vec<Spec>, Stop> {
    let state = state_dir(args)?;
    let engine = Engine::new(Some(&state.join("compiled")))?;
    let instance_id = match &args.instance_id {
        Some(id) => id.clone(),
        None => kept_instance_id(&state)?,
    };
    let kafka = Settings { brokers: args.brokers.clone(), properties: args.properties.clone() };
    kafka.check()?;
    let registry = Registry::new(registry::Config::new(&args.registry));
    let mut specs = Vec::new();
    for file in &args.plugins {
        let configured = Plugin::load(&engine, file, Limits::default())?.configure(&args.settings)?;
        let name = configured.plugin().description().name.clone();
        let topics = args.outputs.iter().map(|output| match output.split_once('=') {
            Some((name, topic)) => (name.to_owned(), topic.to_owned()),
            None => (String::new(), output.clone()),
        });
        specs.push(Spec {
            group: args.group.clone().unwrap_or_else(|| format!("smt-{name}")),
            inputs: args.inputs.clone(),
            members: vec![Member { configured, topics: topics.collect() }],
            workers: usize::from(args.workers),
            from: args.from,
            delivery: Delivery::ExactlyOnce,
            fail_fast: true,
            commit_interval: args.commit_interval,
            instance_id: instance_id.clone(),
            until_end: args.until_end,
            dead_letter_topic: args.dead_letter_topic.clone().unwrap_or_else(|| format!("smt-dead-letters-{name}")),
            on_error: args.on_error,
            failures_max: args.failures_max as usize,
            create_topics: args.create_topics,
            kafka: kafka.clone(),
            registry: registry.clone(),
            name,
        });
    }
    refuse_twins(&specs)?;
    Ok(specs)
}

/// Two pipelines in one group and one instance would fence each other.
fn refuse_twins(specs: &[Spec]) -> Result<(), Stop> {
    for (i, spec) in specs.iter().enumerate() {
        if specs[..i].iter().any(|other| other.group == spec.group) {
            return Err(Stop::usage(format!("two pipelines have the consumer group {}", spec.group))
                .hint("give each plugin file once; --group fits one plugin only"));
        }
    }
    Ok(())
}

fn state_dir(args: &Args) -> Result<PathBuf, Stop> {
    let dir = args.state_dir.clone().unwrap_or_else(|| {
        let base = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        base.or_else(home).unwrap_or_else(std::env::temp_dir).join("smt-host")
    });
    std::fs::create_dir_all(&dir).map_err(|error| {
        Stop::start(format!("state directory {}: {error}", dir.display())).hint("choose another with --state-dir")
    })?;
    Ok(dir)
}

/// The id in the state directory, made at the first start.
fn kept_instance_id(state: &std::path::Path) -> Result<String, Stop> {
    let file = state.join("instance-id");
    if let Ok(id) = std::fs::read_to_string(&file)
        && !id.trim().is_empty()
    {
        return Ok(id.trim().to_owned());
    }
    let id = format!("{:016x}", rand::random::<u64>());
    std::fs::write(&file, &id).map_err(|error| Stop::start(format!("{}: {error}", file.display())))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_need_a_number_and_a_unit() {
        assert_eq!(duration("100ms").unwrap(), Duration::from_millis(100));
        assert_eq!(duration("2s").unwrap(), Duration::from_secs(2));
        assert_eq!(duration("1m").unwrap(), Duration::from_secs(60));
        for bad in ["", "ms", "100", "1h", "-1s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_instance_id_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let first = kept_instance_id(dir.path()).unwrap();
        assert_eq!(kept_instance_id(dir.path()).unwrap(), first);
    }
}
