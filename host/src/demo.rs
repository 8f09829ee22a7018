//! Everything embedded, from one command: broker, registry, database, S3, customers, source, plugins and sinks.
//!
//! The very code paths of a real deployment, over sockets on loopback. At the end it counts for itself what is in the
//! table, in the topics and in the objects; its own counters prove nothing.

mod broker;
pub mod check;
mod connect;
mod counts;
mod direct;
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
    let registry = Registry::new(registry::Config::new(&platform.registry.url()));
    let flow = Flow::start(&args, &platform, &settings, &registry, &plugins)?;
    tell::endpoints(&platform, flow.connect())?;
    let watched = Watch::new(&flow, args.customers, &settings, &registry).until_arrived(&shutdown);
    let is_counted = args.customers.is_some() && !shutdown.is_requested();
    let sinks = flow.connectors.sinks.connectors();
    // Sinks finish what is in the topics, where it is to be counted.
    let settled = watched.and_then(|()| match is_counted && !flow.has_failed() {
        true => objects::settle(&sinks, &settings),
        false => Ok(()),
    });
    let holds = args.hold && settled.is_ok() && !flow.has_failed() && !shutdown.is_requested();
    // Without --hold only what is committed when all has stopped is counted.
    let held = if holds { Some(flow) } else { flow.end().and(settled).map(|()| None)? };
    let audited = if is_counted { audit(&args, &platform, &sinks, &settings, &registry) } else { Ok(()) };
    if audited.is_ok() && holds {
        tell::where_it_is(&platform, held.as_ref().and_then(Flow::connect).as_deref());
        while !shutdown.sleep(Duration::from_secs(1)) {}
    }
    audited.and(held.map_or(Ok(()), Flow::end))
}

fn audit(
    args: &Args,
    platform: &Platform,
    sinks: &[Connector],
    settings: &Settings,
    registry: &Registry,
) -> Result<(), Stop> {
    check::all(&platform.postgres.url(), settings, registry, platform.kafka.delivery())?;
    if !sinks.is_empty() {
        objects::check(sinks, settings, registry)?;
        tell::where_objects_are(platform, args.hold || args.dir.is_some());
    }
    tell::how_to_go_on(args.hold);
    Ok(())
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
