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
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

pub use config::Connector;
pub use publish::KafkaSettings;
pub use task::Register;

use crate::connector_file;
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::pipeline::Delivery;
use crate::shutdown::Shutdown;

/// Where the workshop's Connect keeps its offsets.
pub const OFFSETS_TOPIC: &str = "docker-connect-offsets";

/// What `smt-host source` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: connector_file::Options,
    /// The topic that offsets are kept in, shared with Kafka Connect
    #[arg(long, default_value = OFFSETS_TOPIC)]
    offsets_topic: String,
    /// What holds after a crash: each row once, or at least once without transactions
    #[arg(long, env = "SMT_DELIVERY", default_value = "exactly-once")]
    delivery: Delivery,
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
pub fn run(Args { options, offsets_topic, delivery }: Args) -> Result<(), Stop> {
    let file = connector_file::text_of(&options.file, "source/connect_jdbc_postgres.config")?;
    let connector = Connector::parse(&file, &options.set)?;
    let (registry, Settings { brokers, properties }) = (options.registry()?, options.kafka()?);
    let register = |subject: &str, schema: &str| registry.register(subject, schema).map_err(Stop::from);
    let fail_fast = options.fail_fast;
    let kafka = KafkaSettings { brokers, offsets_topic, properties, delivery, fail_fast };
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::new(Exit::Bug, format!("no signal handling: {error}")))?;
    run_connector(&connector, &kafka, &register, &shutdown, &Progress::default())
}
