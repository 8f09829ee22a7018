//! The supervisor: holds the directory and its servers until it is asked to stop.
//!
//! Its output goes to `logs/platform.log`, where `up` has pointed it. Tells how far it is in `platform.json`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::state::{Phase, State};
use super::{BUCKET, PASSWORD, Ports, USER};
use crate::exit::{Exit, Stop};
use crate::platform::dir::Directory;
use crate::platform::kafka::{Kafka, KafkaOptions};
use crate::platform::servers::Servers;
use crate::platform::{connect, endpoints};
use crate::shutdown::Shutdown;
use crate::worker::Worker;

/// In the order in which they end.
struct Running {
    connect: Worker,
    servers: Servers<Kafka>,
}

pub(super) fn run(dir: &Path, ports: Ports) -> Result<(), Stop> {
    // Away from the terminal: its Ctrl-C and its end are not for this process. It leads a session already where an
    // init system starts it.
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "no session of its own");
    }
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::new(Exit::Bug, format!("signals: {error}")))?;
    let directory = Directory::open(Some(dir))?;
    let dir = directory.path().to_owned();
    let mut state = State { process: std::process::id(), ports, steps: Vec::new(), phase: Phase::Starting };
    state.write(&dir)?;
    let ended = start(directory, ports, &mut state).and_then(|running| hold(running, &mut state, &shutdown));
    std::fs::remove_file(endpoints::file(&dir)).ok();
    if let Err(Stop { exit, what, hint }) = &ended {
        state.phase = Phase::Failed { exit: *exit as u8, what: what.clone(), hint: hint.clone() };
        state.write(&dir)?;
    }
    ended
}

fn start(dir: Directory, ports: Ports, state: &mut State) -> Result<Running, Stop> {
    let path = dir.path().to_owned();
    let numbers = ports.numbers();
    let broker = |dir: &Path| Kafka::start(dir, KafkaOptions { port: numbers.kafka, ..KafkaOptions::default() });
    let mut tell = |name: &str, what: &str| {
        tracing::info!("{name}: {what}");
        state.steps.push((name.to_owned(), what.to_owned()));
        // Nobody's decision depends on a step that was not told.
        state.write(&path).ok();
    };
    let mut servers = Servers::start(dir, numbers, BUCKET, broker, &mut tell)?;
    let password = match ports {
        Ports::Workshop => PASSWORD.to_owned(),
        Ports::Free => servers.postgres.password().to_owned(),
    };
    servers.postgres.log_in_as(USER, &password)?;
    let mut endpoints = servers.endpoints(servers.kafka.brokers());
    let worker = connect::start(&endpoints, numbers.connect, &path, plugins())?;
    state.steps.push(("connect".to_owned(), worker.url()));
    endpoints.connect = Some(worker.url());
    endpoints.write(&path)?;
    state.phase = Phase::Up;
    state.write(&path)?;
    Ok(Running { connect: worker, servers })
}

/// `SMT_PLUGINS`, or those beside the built binary; none, where there are none.
fn plugins() -> Option<PathBuf> {
    let named = std::env::var_os("SMT_PLUGINS").map(PathBuf::from);
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("plugins"));
    named.or_else(beside).filter(|dir| dir.is_dir())
}

/// A server that ends by itself is said once; `status` shows it, too.
fn hold(running: Running, state: &mut State, shutdown: &Shutdown) -> Result<(), Stop> {
    let Running { connect, mut servers } = running;
    let (mut kafka_runs, mut postgres_runs, mut connect_runs) = (true, true, true);
    while !shutdown.sleep(Duration::from_secs(1)) {
        said_once(&mut kafka_runs, servers.kafka.runs(), "Kafka");
        said_once(&mut postgres_runs, servers.postgres.runs(), "Postgres");
        said_once(&mut connect_runs, connect.is_alive(), "Connect");
    }
    tracing::info!("stopping");
    state.phase = Phase::Stopping;
    state.write(servers.dir.path())?;
    connect.stop()
}

fn said_once(before: &mut bool, now: bool, name: &str) {
    if *before && !now {
        tracing::error!("{name} has ended; `smt-host platform down`, then `up`, starts it anew");
    }
    *before = now;
}
