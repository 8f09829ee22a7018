//! The S3 sink connector: Kafka topics into the objects that Confluent's S3 sink writes, each record in exactly one.
//!
//! It takes the same connector file and gives objects the same names, so that replays replace what is there. Offsets
//! are committed only after the objects that hold their records are complete.

mod boundaries;
mod compatibility;
mod config;
mod convert;
/// Formats of the files a sink writes.
pub mod format;
mod formats;
mod keys;
mod manifest;
mod name;
mod open;
mod partitioner;
mod place;
mod progress;
mod recorded;
mod reject;
mod start;
mod store;
mod stored;
mod task;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub use config::Connector;
pub use progress::Progress;
pub use stored::{Stored, stored};

use crate::connector_file;
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::kafka::patience::Outage;
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use store::{Outbox, Store};

/// What `smt-host sink` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: connector_file::Options,
}

/// The most that aborts get at the end.
const GRACE: Duration = Duration::from_secs(1);

/// `smt-host sink`: runs the file's connector until SIGTERM or SIGINT.
pub fn run(Args { options }: Args) -> Result<(), Stop> {
    let connector = Connector::load(&options.file, &options.set)?;
    connector.say_what_is_ignored();
    let (registry, kafka) = (options.registry()?, options.kafka()?);
    kafka.check()?;
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::new(Exit::Bug, format!("no signal handling: {error}")))?;
    let progress = Progress::default();
    run_connector(&connector, &kafka, &registry, options.fail_fast, &shutdown, &progress)
}

/// Runs one connector until it fails or `shutdown` is requested. Blocks.
pub fn run_connector(
    connector: &Connector,
    kafka: &Settings,
    registry: &Registry,
    fail_fast: bool,
    shutdown: &Shutdown,
    progress: &Progress,
) -> Result<(), Stop> {
    run_some(connector, 0..connector.tasks, kafka, registry, fail_fast, shutdown, progress)
}

/// The same with some of its tasks: wherever the others run, they are one group.
pub fn run_some(
    connector: &Connector,
    tasks: Range<usize>,
    kafka: &Settings,
    registry: &Registry,
    fail_fast: bool,
    shutdown: &Shutdown,
    progress: &Progress,
) -> Result<(), Stop> {
    let mut kafka = kafka.clone();
    // So that a topic that comes later is noticed soon; whoever passes the property through wins.
    kafka.properties.insert(0, ("topic.metadata.refresh.interval.ms".into(), "10000".into()));
    if connector.uncommitted {
        kafka.properties.push(("isolation.level".into(), "read_uncommitted".into()));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("s3").enable_all().build();
    let runtime = runtime.map_err(|error| Stop::new(Exit::Bug, format!("no runtime: {error}")))?;
    let outage = Arc::new(Outage::new(&connector.name));
    let store = runtime.block_on(Store::open(&connector.access))?;
    let start = start::Start { connector, outage: &outage, fail_fast, shutdown };
    if !runtime.block_on(start.find_bucket(&store))? || !start.find_topics(&kafka)? {
        return Ok(());
    }
    let outbox = Outbox::new(store, runtime.handle().clone(), outage.clone(), connector.pause);
    let stop = shutdown.child();
    let shared = task::Shared {
        connector,
        kafka: &kafka,
        registry,
        outbox: &outbox,
        outage: &outage,
        shutdown: &stop,
        progress,
        fail_fast,
    };
    tracing::info!(connector = connector.name, group = connector.group(), "writing to {}", connector.access);
    let ended = run_tasks(&shared, tasks);
    outbox.settle(GRACE);
    runtime.shutdown_timeout(GRACE);
    let total = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let (records, objects) = (total(&progress.records), total(&progress.objects));
    tracing::info!(connector = connector.name, records, objects, bytes = total(&progress.bytes), "ended");
    ended
}

/// One thread each; the first that fails ends the others.
fn run_tasks(shared: &task::Shared<'_>, tasks: Range<usize>) -> Result<(), Stop> {
    std::thread::scope(|scope| {
        let start = |number| {
            let progress = shared.progress.task();
            let run = move || {
                let ended = task::run(shared, number, progress);
                if ended.is_err() {
                    shared.shutdown.request();
                }
                ended
            };
            let name = format!("{}-{number}", shared.connector.name);
            std::thread::Builder::new().name(name).spawn_scoped(scope, run)
        };
        let started: Vec<_> = tasks.map(start).collect();
        let join = |thread: std::io::Result<std::thread::ScopedJoinHandle<'_, Result<(), Stop>>>| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(error) => Err(Stop::start(format!("no thread for a task: {error}"))),
        };
        let ended: Vec<_> = started.into_iter().map(join).collect();
        ended.into_iter().collect()
    })
}
