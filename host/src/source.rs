//! The JDBC source connector: Postgres tables into Kafka topics, exactly once.
//!
//! It reads the same connector file, asks the same queries, and writes the same records, schemas and offsets as
//! Confluent's connector. It never holds a result set in memory and never sends a row twice.

mod clock;
mod columns;
mod config;
mod database;
mod encode;
mod failure;
mod jdbc_url;
mod keys;
mod numeric;
mod offset;
mod outage;
mod publish;
mod runner;
mod select;
mod sql;
mod stored;
pub(crate) mod stored_offset;
mod task;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

pub use config::Connector;
pub use publish::KafkaSettings;
pub use task::Register;

use crate::config::{Properties, RegistryOptions, Secret};
use crate::connector_file;
use crate::exit::{Exit, Stop};
use crate::pipeline::Delivery;
use crate::registry::Registry;
use crate::run;
use crate::shutdown::Shutdown;

/// Where the workshop's Connect keeps its offsets.
pub const OFFSETS_TOPIC: &str = "docker-connect-offsets";

/// What `smt-host source` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The connector file: Kafka Connect's JSON
    pub file: PathBuf,
    /// Set a key of the connector file (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = connector_file::pair)]
    pub set: Vec<(String, String)>,
    /// Kafka's address
    #[arg(long, env = "SMT_BROKERS", default_value = "localhost:9092")]
    pub brokers: String,
    #[command(flatten)]
    pub registry: RegistryOptions,
    /// The topic that offsets are kept in, shared with Kafka Connect
    #[arg(long, default_value = OFFSETS_TOPIC)]
    pub offsets_topic: String,
    /// What holds after a crash: each row once, or at least once without transactions
    #[arg(long, env = "SMT_DELIVERY", default_value = "exactly-once")]
    pub delivery: Delivery,
    /// Give up where Kafka, registry or database is away at start, instead of waiting for it
    #[arg(long, env = "SMT_FAIL_FAST")]
    pub fail_fast: bool,
    /// Any librdkafka property; repeatable. In the environment one a line. A value may be ${env:NAME} or ${file:PATH}
    #[arg(short = 'X', env = "SMT_KAFKA_PROPERTIES", hide_env_values = true, value_name = "KEY=VALUE",
          value_delimiter = '\n', value_parser = run::pair)]
    pub properties: Vec<(String, Secret)>,
}

/// What a running connector tells others.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records committed.
    pub records: AtomicU64,
    /// Topics that records were committed to.
    pub topics: Mutex<BTreeSet<String>>,
}

/// Runs one connector until it fails or `shutdown` is requested. Blocks.
pub fn run_connector(
    connector: &Connector,
    kafka: &KafkaSettings,
    register: Register<'_>,
    shutdown: &Shutdown,
    progress: &Progress,
) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::new(Exit::Bug, format!("no runtime: {error}")))?;
    runtime.block_on(runner::Runner::new(connector, kafka, register, shutdown, progress).run())
}

/// `smt-host source`: runs the file's connector until SIGTERM or SIGINT.
pub fn run(args: Args) -> Result<(), Stop> {
    let file = std::fs::read_to_string(&args.file).map_err(|error| {
        Stop::usage(format!("connector file {} cannot be read: {error}", args.file.display()))
            .hint("check the path; it is Kafka Connect's JSON, as connectors/source/connect_jdbc_postgres.config")
    })?;
    let connector = Connector::parse(&file, &args.set)?;
    let registry = Registry::new(args.registry.registry().resolve()?);
    let register = |subject: &str, schema: &str| registry.register(subject, schema).map_err(Stop::from);
    let kafka = KafkaSettings {
        brokers: args.brokers,
        offsets_topic: args.offsets_topic,
        properties: Properties(args.properties.into_iter().collect()).resolve()?,
        delivery: args.delivery,
        fail_fast: args.fail_fast,
    };
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::new(Exit::Bug, format!("no signal handling: {error}")))?;
    run_connector(&connector, &kafka, &register, &shutdown, &Progress::default())
}
