//! Everything embedded, from one command: broker, registry, database, S3, customers, source, plugins and sinks.
//!
//! The very code paths of a real deployment, over sockets on loopback. At the end it counts for itself what is in the
//! table, in the topics and in the objects; its own counters prove nothing.

mod broker;
pub mod check;
mod counts;
mod flow;
mod objects;
mod sample;
mod sinks;
mod tell;
mod view;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::exit::Stop;
use crate::kafka::Settings;
use crate::pipeline::Delivery;
use crate::platform::dir::Directory;
use crate::platform::servers::{Ports, Servers};
use crate::registry::{self, Registry};
use crate::shutdown::Shutdown;
use crate::sink::Connector;
use broker::Broker;
use counts::Span;
use flow::Flow;
use sinks::Sinks;
use watch::Watch;

const INPUT: &str = "postgres-customers";
const PARTITIONS: i32 = 2;
/// What reads the customers, each into the topic of its name.
const PLUGINS: [&str; 2] = ["jovens", "idadeclass"];
/// What counts the records of the topic `CLASSES` in windows, into the topic of its name.
const COUNTED: &str = "idadecont";
const CLASSES: &str = "idadeclass";
/// The plugin's own size; a short grace, so that nobody waits a day for a window to close, but longer than a record is
/// on its way on a busy machine.
const WINDOWS: Span = Span { size_ms: 30_000, grace_ms: 10_000 };

/// What is counted twice cannot be taken back: windows need transactions.
fn counts_windows(delivery: Delivery) -> bool {
    delivery == Delivery::ExactlyOnce
}

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
    /// Where jovens.wasm, idadeclass.wasm and idadecont.wasm are; by default beside the built binary.
    #[arg(long, env = "SMT_PLUGINS")]
    plugins: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=3600.0).contains(&value) => Ok(value),
        _ => Err("seconds from 0 to 3600".to_owned()),
    }
}

type Platform = Servers<Broker>;

pub fn run(args: Args) -> Result<(), Stop> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
    let plugins = find_plugins(args.plugins.as_deref())?;
    let platform = start_platform(args.dir.as_deref())?;
    let settings = Settings::new(platform.kafka.brokers());
    let stop = Shutdown::new();
    let registry = Registry::new(registry::Config::new(&platform.registry.url()));
    let flow = Flow::start(&args, &platform, &settings, &plugins, &stop)?;
    let sinks = start_sinks(&platform, &settings, &registry)?;
    tell::endpoints(&platform)?;
    let watched = Watch::new(&flow, &sinks, args.customers, &settings, &registry).until_arrived(&shutdown);
    // Stopping commits what is complete: only then is there something to count.
    stop.request();
    flow.end().and(watched)?;
    let is_counted = args.customers.is_some() && !shutdown.is_requested();
    let connectors = end_sinks(sinks, is_counted, &settings)?;
    if is_counted {
        check::all(&platform.postgres.url(), &settings, &registry, platform.kafka.delivery())?;
        if !connectors.is_empty() {
            objects::check(&connectors, &settings, &registry)?;
            tell::where_objects_are(&platform, args.hold || args.dir.is_some());
        }
        tell::how_to_go_on(args.hold);
    }
    if args.hold && !shutdown.is_requested() {
        tell::where_it_is(&platform);
        while !shutdown.sleep(Duration::from_secs(1)) {}
    }
    Ok(())
}

/// Only where topics outlive their broker.
fn start_sinks(platform: &Platform, settings: &Settings, registry: &Registry) -> Result<Sinks, Stop> {
    if platform.kafka.remembers() { Sinks::start(&platform.s3, settings, registry) } else { Ok(Sinks::none()) }
}

/// Stops the sinks; first they finish what is in the topics, where it is to be counted.
fn end_sinks(sinks: Sinks, finish: bool, settings: &Settings) -> Result<Vec<Connector>, Stop> {
    let connectors = sinks.connectors();
    let settled = if finish && !sinks.has_failed() { objects::settle(&connectors, settings) } else { Ok(()) };
    sinks.end().and(settled)?;
    Ok(connectors)
}

fn find_plugins(given: Option<&Path>) -> Result<PathBuf, Stop> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join("plugins")));
    let dir = given.map(Path::to_path_buf).or(beside).unwrap_or_else(|| PathBuf::from("target/plugins"));
    for name in PLUGINS.into_iter().chain([COUNTED]) {
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
    let mut tell = |name: &str, what: &str| println!("{name:<12} {what}");
    let platform = Servers::start(dir, Ports::default(), sinks::BUCKET, Broker::start, &mut tell)?;
    println!("kafka        {}", platform.kafka.brokers());
    Ok(platform)
}
