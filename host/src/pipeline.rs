//! The way of a record, from poll to commit.
//!
//! A pipeline is one input, one consumer group, its workers and one or more plugins that share its reads, its
//! transactions and its fate. A worker is one thread with one consumer and one producer; nothing asynchronous and no
//! lock stands in a record's way.

pub mod aggregate;
pub mod batch;
mod cells;
pub mod dead_letter;
pub mod emit;
pub mod end;
pub mod fleet;
pub mod group;
mod outputs;
pub mod plugin;
pub mod prepare;
pub mod progress;
pub mod ready;
pub mod resolve;
pub mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::exit::Stop;
use crate::guest::Configured;
use crate::kafka::patience::Outage;
use crate::kafka::{From, Settings};
use crate::registry::Registry;
use crate::shutdown::Shutdown;

pub use aggregate::WindowOptions;
pub use progress::Progress;

/// What is done with a record that cannot be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    DeadLetter,
    Stop,
}

/// What holds between input and output after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    ExactlyOnce,
    AtLeastOnce,
}

/// One plugin of a pipeline, and the topics that the operator chose for its outputs.
#[derive(Clone)]
pub struct Member {
    pub configured: Configured,
    /// (output name, topic); an output that is not here goes where the plugin says.
    pub topics: Vec<(String, String)>,
    /// For one that aggregates.
    pub windows: WindowOptions,
}

/// Everything that a pipeline is.
#[derive(Clone)]
pub struct Spec {
    pub name: String,
    pub group: String,
    pub inputs: Vec<String>,
    pub members: Vec<Member>,
    pub workers: usize,
    pub from: From,
    pub delivery: Delivery,
    /// Give up where the cluster, the registry or a topic is away at start, instead of waiting for it.
    pub fail_fast: bool,
    pub commit_interval: Duration,
    /// Stable across restarts: a killed instance's transaction is fenced by its successor, not by a time-out.
    pub instance_id: String,
    /// Where plugins that aggregate keep a copy of their state. `None`: in memory, rebuilt from Kafka at each start.
    pub store_dir: Option<PathBuf>,
    pub until_end: bool,
    pub dead_letter_topic: String,
    pub on_error: OnError,
    /// So many failures in a row stop the pipeline.
    pub failures_max: usize,
    pub create_topics: bool,
    pub kafka: Settings,
    pub registry: Registry,
}

/// How long the registry is waited for in one go where it is asked again anyway.
const REGISTRY_TRY: Duration = Duration::from_secs(2);

const WATCH_INTERVAL: Duration = Duration::from_millis(20);

/// Runs a pipeline until it is asked to stop, its input's end is reached (`until_end`), or it fails. Blocking.
pub fn run(mut spec: Spec, shutdown: &Shutdown, progress: &Arc<Progress>) -> Result<(), Stop> {
    if !spec.fail_fast {
        spec.registry = spec.registry.with_deadline(REGISTRY_TRY);
    }
    // One worker that fails stops its siblings too, but never other pipelines.
    let stop = shutdown.child();
    let outage = Arc::new(Outage::new(&spec.name));
    let Some(ready) = ready::wait(&spec, &stop, &outage)? else { return Ok(()) };
    let task = worker::Task { spec: &spec, ready: &ready, stop: &stop, outage: &outage, progress };
    let results: Vec<Result<(), Stop>> = std::thread::scope(|scope| {
        let start = |number| {
            scope.spawn(move || {
                let result = worker::run(task, number);
                if result.is_err() {
                    task.stop.request();
                }
                result
            })
        };
        let threads: Vec<_> = (0..spec.workers).map(start).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(WATCH_INTERVAL);
            outage.watch();
        }
        threads.into_iter().map(join).collect()
    });
    results.into_iter().collect()
}

fn join(thread: std::thread::ScopedJoinHandle<'_, Result<(), Stop>>) -> Result<(), Stop> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
