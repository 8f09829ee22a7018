//! Everything that moves records in the demo: the generator on a thread of its own, and connectors, which others run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use super::connect::{self, Connect};
use super::direct::{self, Threads};
use super::sinks::Sinks;
use super::{Args, CLASSES, INPUT, PARTITIONS, Platform, check};
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::kafka::topics::{self, Shape};
use crate::pipeline::Progress;
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use crate::{generate, source};

/// The workshop's own file.
pub(super) const SOURCE: &str = include_str!("../../../connectors/source/connect_jdbc_postgres.config");
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// What flows.
pub(super) struct Flow {
    pub(super) customers: Arc<generate::Progress>,
    pub(super) connectors: Connectors,
    /// Rows of earlier runs.
    pub(super) before: u64,
    /// Those of them that flow again, because the broker has forgotten them.
    pub(super) again: u64,
    /// What the generator makes before it ends.
    total: Option<u64>,
    generator: JoinHandle<Result<u64, Stop>>,
    stop: Shutdown,
}

/// What runs between the table and the objects, with its counters.
pub(super) struct Connectors {
    pub(super) source: Arc<source::Progress>,
    pub(super) plugins: Vec<(String, Arc<Progress>)>,
    /// The plugin that counts in windows, where there are transactions.
    pub(super) counted: Option<Arc<Progress>>,
    pub(super) sinks: Sinks,
    pub(super) runner: Runner,
}

pub(super) enum Runner {
    Connect(Connect),
    Threads(Threads),
}

impl Flow {
    pub(super) fn start(
        args: &Args,
        platform: &Platform,
        settings: &Settings,
        registry: &Registry,
        plugins: &Path,
    ) -> Result<Flow, Stop> {
        for topic in [INPUT, CLASSES] {
            topics::ensure(settings, topic, Shape { partitions: PARTITIONS, replicas: 1 })?;
        }
        let stop = Shutdown::new();
        let before = check::table_rows(&platform.postgres.url())?.rows;
        let again = if platform.kafka.remembers() { 0 } else { before };
        let customers = Arc::new(generate::Progress::default());
        let generator = start_generator(args, platform, &customers, &stop)?;
        // The source waits for a table, and says so.
        while customers.rows.load(Relaxed) == 0 && !generator.is_finished() && !stop.sleep(LOOK_INTERVAL) {}
        let connectors = if platform.kafka.remembers() {
            connect::start(platform, settings, plugins, &stop)
        } else {
            direct::start(platform, settings, registry, plugins, &stop)
        }?;
        Ok(Flow { customers, connectors, before, again, total: args.customers, generator, stop })
    }

    /// Where Connect's REST API is, if there is one.
    pub(super) fn connect(&self) -> Option<String> {
        match &self.connectors.runner {
            Runner::Connect(connect) => Some(connect.url()),
            Runner::Threads(_) => None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        let is_short = |total| self.customers.rows.load(Relaxed) < total;
        if self.generator.is_finished() && self.total.is_none_or(is_short) {
            return true;
        }
        match &self.connectors.runner {
            Runner::Connect(connect) => connect.failure().is_some(),
            Runner::Threads(threads) => threads.has_failed(),
        }
    }

    /// Stops all, and waits for it; the first failure is the result.
    pub(super) fn end(self) -> Result<(), Stop> {
        self.stop.request();
        let ended = match self.connectors.runner {
            Runner::Connect(connect) => connect.end(),
            Runner::Threads(threads) => threads.end(),
        };
        let panicked = |_| Err(Stop::new(Exit::Bug, "generator panicked; this is a bug"));
        ended.and(self.generator.join().unwrap_or_else(panicked).map(|_| ()))
    }
}

fn start_generator(
    args: &Args,
    platform: &Platform,
    progress: &Arc<generate::Progress>,
    shutdown: &Shutdown,
) -> Result<JoinHandle<Result<u64, Stop>>, Stop> {
    let spec = generate::Spec {
        url: platform.postgres.url(),
        rows_per_round: args.customers.map_or(10, |total| total.div_ceil(10).clamp(1, 5000)),
        interval: Duration::from_secs_f64(args.interval),
        rounds: None,
        total: args.customers,
        seed: None,
        silent: true,
    };
    let (progress, shutdown) = (progress.clone(), shutdown.clone());
    spawn("generator", move || generate::generate(spec, &shutdown, &progress))
}

pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Stop> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| Stop::start(format!("no thread for {name}: {error}")))
}
