//! Source and pipelines on threads of their own, at least once: for the imitation of Kafka, which has neither the
//! transactions nor the compacted topics that a Connect worker needs.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::broker::dead_letter_topic;
use super::flow::{Connectors, Runner, SOURCE, spawn};
use super::sinks::Sinks;
use super::{INPUT, PLUGINS, Platform};
use crate::exit::{Exit, Stop};
use crate::guest::{Configured, Engine, Limits, Plugin};
use crate::kafka::{From, Settings};
use crate::pipeline::{self, Delivery, Member, OnError, Progress, Spec, WindowOptions};
use crate::platform::connect;
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use crate::source;

type Service = (String, JoinHandle<Result<(), Stop>>);

#[derive(Default)]
pub(super) struct Threads(Vec<Service>);

pub(super) fn start(
    platform: &Platform,
    settings: &Settings,
    registry: &Registry,
    plugins: &Path,
    shutdown: &Shutdown,
) -> Result<Connectors, Stop> {
    let source = Arc::new(source::Progress::default());
    let mut services = vec![start_source(platform, settings, registry, &source, shutdown)?];
    let engine = Engine::new(Some(&platform.dir.path().join("compiled")))?;
    let mut start = |name: &str| -> Result<(String, Arc<Progress>), Stop> {
        let plugin = Plugin::load(&engine, &plugins.join(format!("{name}.wasm")), Limits::default())?;
        let spec = spec(name, plugin.configure(&[])?, settings, registry);
        let progress = Arc::new(Progress::default());
        let (told, shutdown) = (progress.clone(), shutdown.clone());
        services.push((name.to_owned(), spawn(name, move || pipeline::run(spec, &shutdown, &told))?));
        Ok((name.to_owned(), progress))
    };
    let plugins = PLUGINS.into_iter().map(&mut start).collect::<Result<Vec<_>, Stop>>()?;
    println!("plugins      {}", PLUGINS.join(", "));
    let runner = Runner::Threads(Threads(services));
    Ok(Connectors { source, plugins, counted: None, sinks: Sinks::default(), runner })
}

impl Threads {
    pub(super) fn has_failed(&self) -> bool {
        self.0.iter().any(|(_, thread)| thread.is_finished())
    }

    /// Waits for all; the first failure is the result.
    pub(super) fn end(self) -> Result<(), Stop> {
        let panicked = |name: &str| Stop::new(Exit::Bug, format!("{name} panicked; this is a bug"));
        let end = |(name, thread): Service| thread.join().unwrap_or_else(|_| Err(panicked(&name)));
        let ended: Vec<_> = self.0.into_iter().map(end).collect();
        ended.into_iter().collect()
    }
}

fn spec(name: &str, configured: Configured, settings: &Settings, registry: &Registry) -> Spec {
    Spec {
        name: name.to_owned(),
        group: format!("smt-{name}"),
        inputs: vec![INPUT.to_owned()],
        members: vec![Member { configured, topics: Vec::new(), windows: WindowOptions::default() }],
        workers: 1,
        from: From::Earliest,
        delivery: Delivery::AtLeastOnce,
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

fn start_source(
    platform: &Platform,
    settings: &Settings,
    registry: &Registry,
    progress: &Arc<source::Progress>,
    shutdown: &Shutdown,
) -> Result<Service, Stop> {
    let connector = source::Connector::parse(SOURCE, &connect::database(&platform.postgres.url()))?;
    let mut kafka = source::KafkaSettings::new(&settings.brokers);
    kafka.delivery = Delivery::AtLeastOnce;
    let (registry, progress, shutdown) = (registry.clone(), progress.clone(), shutdown.clone());
    let thread = spawn("source", move || {
        let register = |subject: &str, schema: &str| registry.register(subject, schema).map_err(Stop::from);
        source::run_connector(&connector, &kafka, &register, &shutdown, &progress)
    })?;
    Ok(("source".to_owned(), thread))
}
