//! Everything that moves records in the demo: generator, source connector and pipelines, each on threads of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use super::broker::dead_letter_topic;
use super::{Args, CLASSES, COUNTED, INPUT, PARTITIONS, PLUGINS, Platform, WINDOWS, check, counts_windows};
use crate::exit::{Exit, Stop};
use crate::guest::{Configured, Engine, Limits, Plugin};
use crate::kafka::topics::{self, Shape};
use crate::kafka::{From, Settings};
use crate::pipeline::aggregate::Idle;
use crate::pipeline::{self, Member, OnError, Progress, Spec, WindowOptions};
use crate::registry::{self, Registry};
use crate::shutdown::Shutdown;
use crate::{generate, source};

/// The workshop's own file; only the database's address is another.
const SOURCE: &str = include_str!("../../../connectors/source/connect_jdbc_postgres.config");
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// The windows of a topic that went quiet close by the wall clock.
const IDLE: Duration = Duration::from_secs(5);

/// What flows.
pub(super) struct Flow {
    pub(super) customers: Arc<generate::Progress>,
    pub(super) source: Arc<source::Progress>,
    pub(super) plugins: Vec<(String, Arc<Progress>)>,
    /// The plugin that counts in windows, where there are transactions.
    pub(super) counted: Option<Arc<Progress>>,
    /// Rows of earlier runs.
    pub(super) before: u64,
    /// Those of them that flow again, because the broker has forgotten them.
    pub(super) again: u64,
    generator: JoinHandle<Result<u64, Stop>>,
    services: Vec<Service>,
}

type Service = (String, JoinHandle<Result<(), Stop>>);

impl Flow {
    pub(super) fn start(
        args: &Args,
        platform: &Platform,
        settings: &Settings,
        plugins: &Path,
        shutdown: &Shutdown,
    ) -> Result<Flow, Stop> {
        let delivery = platform.kafka.delivery();
        for topic in [INPUT, CLASSES] {
            topics::ensure(settings, topic, Shape { partitions: PARTITIONS, replicas: 1 })?;
        }
        let registry = Registry::new(registry::Config::new(&platform.registry.url()));
        let before = check::table_rows(&platform.postgres.url())?.rows;
        let again = if platform.kafka.remembers() { 0 } else { before };
        let customers = Arc::new(generate::Progress::default());
        let generator = start_generator(args, platform, &customers, shutdown)?;
        // The source refuses a table that is not there yet.
        while customers.rows.load(Relaxed) == 0 && !generator.is_finished() && !shutdown.sleep(LOOK_INTERVAL) {}
        let source = Arc::new(source::Progress::default());
        let mut services = vec![start_source(platform, settings, &registry, &source, shutdown)?];
        let engine = Engine::new(Some(&platform.dir.path().join("compiled")))?;
        let mut start = |name: &str, input: &str| -> Result<Arc<Progress>, Stop> {
            let plugin = Plugin::load(&engine, &plugins.join(format!("{name}.wasm")), Limits::default())?;
            let mut spec = spec(name, input, plugin.configure(&[])?, settings, &registry);
            spec.delivery = delivery;
            spec.store_dir = Some(platform.dir.path().join("state").join(name));
            let progress = Arc::new(Progress::default());
            let (told, shutdown) = (progress.clone(), shutdown.clone());
            services.push((name.to_owned(), spawn(name, move || pipeline::run(spec, &shutdown, &told))?));
            Ok(progress)
        };
        let mut counters = Vec::new();
        for name in PLUGINS {
            counters.push((name.to_owned(), start(name, INPUT)?));
        }
        let counted = counts_windows(delivery).then(|| start(COUNTED, CLASSES)).transpose()?;
        let names = PLUGINS.into_iter().chain(counted.iter().map(|_| COUNTED));
        println!("plugins      {}", names.collect::<Vec<_>>().join(", "));
        Ok(Flow { customers, source, plugins: counters, counted, before, again, generator, services })
    }

    pub(super) fn has_failed(&self) -> bool {
        self.services.iter().any(|(_, thread)| thread.is_finished())
    }

    /// Waits for all services; the first failure is the result.
    pub(super) fn end(self) -> Result<(), Stop> {
        let mut result = Ok(());
        let panicked = |name: &str| Stop::new(Exit::Bug, format!("{name} panicked; this is a bug"));
        for (name, thread) in self.services {
            result = result.and(thread.join().unwrap_or_else(|_| Err(panicked(&name))));
        }
        result.and(self.generator.join().unwrap_or_else(|_| Err(panicked("generator"))).map(|_| ()))
    }
}

fn spec(name: &str, input: &str, configured: Configured, settings: &Settings, registry: &Registry) -> Spec {
    // Plugins without windows have no use for these.
    let windows = WindowOptions {
        grace: Some(Duration::from_millis(WINDOWS.grace_ms as u64)),
        idle: Some(Idle::After(IDLE)),
        ..WindowOptions::default()
    };
    Spec {
        name: name.to_owned(),
        group: format!("smt-{name}"),
        inputs: vec![input.to_owned()],
        members: vec![Member { configured, topics: Vec::new(), windows }],
        workers: 1,
        from: From::Earliest,
        delivery: pipeline::Delivery::ExactlyOnce,
        fail_fast: true,
        commit_interval: Duration::from_millis(100),
        instance_id: "demo".to_owned(),
        store_dir: None,
        until_end: false,
        dead_letter_topic: dead_letter_topic(name),
        on_error: OnError::DeadLetter,
        failures_max: 100,
        create_topics: true,
        kafka: settings.clone(),
        registry: registry.clone(),
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

fn start_source(
    platform: &Platform,
    settings: &Settings,
    registry: &Registry,
    progress: &Arc<source::Progress>,
    shutdown: &Shutdown,
) -> Result<Service, Stop> {
    let connector = source::Connector::parse(SOURCE, &database_overrides(&platform.postgres.url()))?;
    let mut kafka = source::KafkaSettings::new(&settings.brokers);
    kafka.delivery = platform.kafka.delivery();
    let (registry, progress, shutdown) = (registry.clone(), progress.clone(), shutdown.clone());
    let thread = spawn("source", move || {
        let register = |subject: &str, schema: &str| registry.register(subject, schema).map_err(Stop::from);
        source::run_connector(&connector, &kafka, &register, &shutdown, &progress)
    })?;
    Ok(("source".to_owned(), thread))
}

/// postgres://user:password@host:port/db as the settings of a JDBC connector.
fn database_overrides(url: &str) -> Vec<(String, String)> {
    let rest = url.trim_start_matches("postgres://");
    let (login, address) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    vec![
        ("connection.url".to_owned(), format!("jdbc:postgresql://{address}")),
        ("connection.user".to_owned(), user.to_owned()),
        ("connection.password".to_owned(), password.to_owned()),
    ]
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
