//! Everything embedded, from one command: broker, registry, database, customers, source and plugins.
//!
//! The very code paths of a real deployment, over sockets on loopback. At the end it counts for itself what is in the
//! table and in the topics; its own counters prove nothing.

mod broker;
pub mod check;
mod sample;
mod tell;
mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::exit::{Exit, Stop};
use crate::guest::{Engine, Limits, Plugin};
use crate::kafka::topics::{self, Shape};
use crate::kafka::{From, Settings};
use crate::pipeline::{self, Member, OnError, Progress, Spec, WindowOptions};
use crate::platform::dir::Directory;
use crate::platform::postgres::Postgres;
use crate::registry::{self, Registry};
use crate::shutdown::Shutdown;
use crate::{generate, source};
use broker::{Broker, dead_letter_topic};
use sample::Sample;
use view::{Stage, View};

const INPUT: &str = "postgres-customers";
const PARTITIONS: i32 = 2;
const PLUGINS: [&str; 2] = ["jovens", "idadeclass"];
/// The workshop's own file; only the database's address is another.
const SOURCE: &str = include_str!("../../connectors/source/connect_jdbc_postgres.config");
/// So long nothing may move before the demo says that something hangs.
const STALL_MAX: Duration = Duration::from_secs(60);

#[derive(clap::Args, Debug, Clone)]
pub struct Args {
    /// Keep everything here, and go on from what is there; by default a directory that goes away afterwards.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// End when so many customers have gone all the way; without it, go on until Ctrl-C.
    #[arg(long)]
    customers: Option<u64>,
    /// Seconds between rounds of new customers.
    #[arg(long, default_value_t = 0.3, value_parser = seconds)]
    interval: f64,
    /// Keep the platform up afterwards, until Ctrl-C.
    #[arg(long)]
    hold: bool,
    /// Where jovens.wasm and idadeclass.wasm are; by default beside the built binary.
    #[arg(long, env = "SMT_PLUGINS")]
    plugins: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=3600.0).contains(&value) => Ok(value),
        _ => Err("seconds from 0 to 3600".to_owned()),
    }
}

/// The servers, in the order in which they end.
struct Platform {
    registry: registry::server::Server,
    kafka: Broker,
    postgres: Postgres,
    dir: Directory,
}

/// What flows.
struct Flow {
    customers: Arc<generate::Progress>,
    source: Arc<source::Progress>,
    plugins: Vec<(String, Arc<Progress>)>,
    /// Rows of earlier runs that flow again, because the broker has forgotten them.
    again: u64,
    generator: JoinHandle<Result<u64, Stop>>,
    services: Vec<(String, JoinHandle<Result<(), Stop>>)>,
}

pub fn run(args: Args) -> Result<(), Stop> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
    let plugins = find_plugins(args.plugins.as_deref())?;
    let platform = start_platform(args.dir.as_deref())?;
    let settings = Settings::new(platform.kafka.brokers());
    let stop = Shutdown::new();
    let flow = start_flow(&args, &platform, &settings, &plugins, &stop)?;
    tell::endpoints(&platform)?;
    let registry = Registry::new(registry::Config::new(&platform.registry.url()));
    let sample = Sample::of(&settings, &registry, PLUGINS[0], PARTITIONS);
    let watched = watch(&args, &flow, sample, &shutdown);
    // Stopping commits what is complete: only then is there something to count.
    stop.request();
    end(flow).and(watched)?;
    if args.customers.is_some() && !shutdown.is_requested() {
        check::all(&platform.postgres.url(), &settings, &registry, platform.kafka.delivery())?;
        tell::how_to_go_on(args.hold);
    }
    if args.hold && !shutdown.is_requested() {
        tell::where_it_is(&platform);
        while !shutdown.sleep(Duration::from_secs(1)) {}
    }
    Ok(())
}

fn find_plugins(given: Option<&Path>) -> Result<PathBuf, Stop> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join("plugins")));
    let dir = given.map(Path::to_path_buf).or(beside).unwrap_or_else(|| PathBuf::from("target/plugins"));
    for name in PLUGINS {
        let file = dir.join(format!("{name}.wasm"));
        if !file.is_file() {
            return Err(Stop::start(format!("plugin file {} does not exist", file.display()))
                .hint("build the plugins with `make plugins`, or name their folder with --plugins"));
        }
    }
    Ok(dir)
}

fn start_platform(dir: Option<&Path>) -> Result<Platform, Stop> {
    let dir = Directory::open(dir)?;
    println!("directory    {}", dir.path().display());
    let begun = Instant::now();
    let postgres = Postgres::start(dir.path())?;
    println!("postgres     up after {:.1} s", begun.elapsed().as_secs_f64());
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let registry = registry::server::start(loopback, &dir.path().join("registry"))?;
    println!("registry     {}", registry.url());
    let kafka = Broker::start(dir.path())?;
    println!("kafka        {}, up after {:.1} s", kafka.brokers(), begun.elapsed().as_secs_f64());
    Ok(Platform { registry, kafka, postgres, dir })
}

fn start_flow(
    args: &Args,
    platform: &Platform,
    settings: &Settings,
    plugins: &Path,
    shutdown: &Shutdown,
) -> Result<Flow, Stop> {
    topics::ensure(settings, INPUT, Shape { partitions: PARTITIONS, replicas: 1 })?;
    let registry = Registry::new(registry::Config::new(&platform.registry.url()));
    let again = if platform.kafka.remembers() { 0 } else { check::table_rows(&platform.postgres.url())?.rows };
    let customers = Arc::new(generate::Progress::default());
    let generator = start_generator(args, platform, &customers, shutdown)?;
    let source = Arc::new(source::Progress::default());
    let mut services = vec![start_source(platform, settings, &registry, &source, shutdown)?];
    let engine = Engine::new(Some(&platform.dir.path().join("compiled")))?;
    let mut counters = Vec::new();
    for name in PLUGINS {
        let plugin = Plugin::load(&engine, &plugins.join(format!("{name}.wasm")), Limits::default())?;
        let mut spec = spec(name, plugin.configure(&[])?, settings, &registry);
        spec.delivery = platform.kafka.delivery();
        let progress = Arc::new(Progress::default());
        counters.push((name.to_owned(), progress.clone()));
        let shutdown = shutdown.clone();
        services.push((name.to_owned(), spawn(name, move || pipeline::run(spec, &shutdown, &progress))?));
    }
    println!("plugins      {}", PLUGINS.join(", "));
    Ok(Flow { customers, source, plugins: counters, again, generator, services })
}

fn spec(name: &str, configured: crate::guest::Configured, settings: &Settings, registry: &Registry) -> Spec {
    Spec {
        name: name.to_owned(),
        group: format!("smt-{name}"),
        inputs: vec![INPUT.to_owned()],
        members: vec![Member { configured, topics: Vec::new(), windows: WindowOptions::default() }],
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

type Service = (String, JoinHandle<Result<(), Stop>>);

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

fn spawn<T: Send + 'static>(name: &str, body: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, Stop> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| Stop::start(format!("no thread for {name}: {error}")))
}

/// Shows what flows until all customers have arrived, something fails, or a signal asks.
fn watch(args: &Args, flow: &Flow, mut sample: Sample, shutdown: &Shutdown) -> Result<(), Stop> {
    let (mut view, mut last, mut moved) = (View::new(), Vec::new(), Instant::now());
    loop {
        let stopped = shutdown.sleep(Duration::from_millis(100));
        let stages = stages(flow);
        if stages != last {
            (last, moved) = (stages, Instant::now());
        }
        let arrived = args.customers.is_some_and(|total| arrived(flow, total));
        view.show(&last, &sample.newest(), arrived || stopped);
        if arrived || stopped {
            println!();
            return Ok(());
        }
        if flow.services.iter().any(|(_, thread)| thread.is_finished()) {
            return Ok(());
        }
        if args.customers.is_some() && moved.elapsed() > STALL_MAX {
            let counts: Vec<String> = last.iter().map(|stage| format!("{} {}", stage.name, stage.count)).collect();
            let text = format!("nothing moved for {} s: {}", STALL_MAX.as_secs(), counts.join(", "));
            return Err(Stop::new(Exit::CheckFailed, text));
        }
    }
}

fn stages(flow: &Flow) -> Vec<Stage> {
    let stage = |name: String, count, of| Stage { name, count, of };
    let plugin = |(name, progress): &(String, Arc<Progress>)| {
        let read = Progress::get(&progress.records_in);
        stage(format!("topic {name}"), Progress::get(&progress.records_out), Some(read))
    };
    let mut stages = vec![
        stage("table customers".to_owned(), flow.customers.rows.load(Relaxed), None),
        stage(format!("topic {INPUT}"), flow.source.records.load(Relaxed), None),
    ];
    stages.extend(flow.plugins.iter().map(plugin));
    stages
}

/// What this run made has been read by every plugin.
fn arrived(flow: &Flow, total: u64) -> bool {
    let flowed = total + flow.again;
    flow.customers.rows.load(Relaxed) >= total
        && flow.source.records.load(Relaxed) >= flowed
        && flow.plugins.iter().all(|(_, progress)| Progress::get(&progress.records_in) >= flowed)
}

/// Waits for all services; the first failure is the result.
fn end(flow: Flow) -> Result<(), Stop> {
    let mut result = Ok(());
    let panicked = |name: &str| Stop::new(Exit::Bug, format!("{name} panicked; this is a bug"));
    for (name, thread) in flow.services {
        result = result.and(thread.join().unwrap_or_else(|_| Err(panicked(&name))));
    }
    result.and(flow.generator.join().unwrap_or_else(|_| Err(panicked("generator"))).map(|_| ()))
}
