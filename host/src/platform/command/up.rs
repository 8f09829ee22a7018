//! Starting and ending a supervisor from outside, and finding one.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::state::{Phase, State};
use super::{Ports, health, is_down, show};
use crate::exit::{Exit, Stop};
use crate::platform::dir::{self, failed};
use crate::platform::endpoints::{self, Endpoints};
use crate::platform::port;

pub(super) const PROGRAM: &str = "smt-host";
const UP_WITHIN: Duration = Duration::from_secs(180);
/// Kafka and Postgres are given ten seconds each, and Connect waits for deliveries.
const DOWN_WITHIN: Duration = Duration::from_secs(90);
const LOOK_INTERVAL: Duration = Duration::from_millis(30);

/// The supervisor that has `dir` open. Another user of the directory (a demo) is an error.
pub(super) fn running(dir: &Path) -> Result<Option<State>, Stop> {
    let end = Instant::now() + Duration::from_secs(2);
    loop {
        let Some(owner) = dir::owner(dir) else { return Ok(None) };
        match State::read(dir).filter(|state| state.process == owner) {
            Some(state) => return Ok(Some(state)),
            // It may be about to write its first state.
            None if Instant::now() < end => std::thread::sleep(LOOK_INTERVAL),
            None => {
                return Err(Stop::start(format!(
                    "{} is in use by process {owner}, which is no platform",
                    dir.display()
                ))
                .hint("stop that process, or name another directory with --dir"));
            }
        }
    }
}

pub(super) fn up(dir: &Path, ports: Option<Ports>) -> Result<(), Stop> {
    let dir = &dir::prepare(dir)?;
    if let Some(state) = running(dir)? {
        return already(dir, &state, ports);
    }
    let ports = ports.or_else(|| State::read(dir).map(|state| state.ports)).unwrap_or(Ports::Workshop);
    are_free(ports)?;
    println!("directory    {}", dir.display());
    let mut supervisor = start(dir, ports)?;
    let process = supervisor.id();
    wait(dir, process, || supervisor.try_wait().ok().flatten().is_some())?;
    show_healthy(dir)
}

fn already(dir: &Path, state: &State, wanted: Option<Ports>) -> Result<(), Stop> {
    if let Some(wanted) = wanted.filter(|wanted| *wanted != state.ports) {
        let (had, wanted) = (show::ports(state.ports), show::ports(wanted));
        return Err(Stop::start(format!("the platform in {} is up with --ports {had}, not {wanted}", dir.display()))
            .hint(format!("{PROGRAM} platform down --dir {}, then up again", dir.display())));
    }
    if state.phase != Phase::Up {
        wait(dir, state.process, || dir::owner(dir) != Some(state.process))?;
    }
    println!("The platform in {} is up already.", dir.display());
    show_healthy(dir)
}

/// Before anything is started: all that are taken, at once.
fn are_free(ports: Ports) -> Result<(), Stop> {
    let numbers = ports.numbers();
    let named = [
        ("Kafka", numbers.kafka),
        ("the registry", numbers.registry),
        ("Postgres", numbers.postgres),
        ("S3", numbers.s3),
        ("Connect", numbers.connect),
    ];
    let taken = named.into_iter().filter_map(|(name, port)| Some((name, port.filter(|port| !port::is_free(*port))?)));
    let taken: Vec<String> =
        taken.map(|(name, port)| format!("port {port} ({name}) is in use by {}", port::owner(port))).collect();
    if taken.is_empty() {
        return Ok(());
    }
    Err(Stop::start(taken.join("; ")).hint("end what uses it, or take other ports: --ports free"))
}

/// Its own session is the supervisor's first act.
fn start(dir: &Path, ports: Ports) -> Result<Child, Stop> {
    let logs = dir.join("logs");
    std::fs::create_dir_all(&logs).map_err(|error| failed("make", &logs, &error))?;
    let path = logs.join("platform.log");
    let log = File::create(&path).map_err(|error| failed("write", &path, &error))?;
    let errors = log.try_clone().map_err(|error| failed("write", &path, &error))?;
    let program = std::env::current_exe().map_err(|error| Stop::start(format!("this program's file: {error}")))?;
    let mut command = Command::new(program);
    command.args(["platform", "serve", "--ports", show::ports(ports), "--dir"]).arg(dir);
    // "/": it may run for longer than the current directory is there.
    command.stdin(Stdio::null()).stdout(log).stderr(errors).current_dir("/");
    command.spawn().map_err(|error| Stop::start(format!("cannot start the supervisor: {error}")))
}

/// Prints steps as they come, until the supervisor is up or has failed.
fn wait(dir: &Path, process: u32, mut has_ended: impl FnMut() -> bool) -> Result<(), Stop> {
    let end = Instant::now() + UP_WITHIN;
    let mut told = 0;
    loop {
        // Looked at first: what it wrote last is read after its end.
        let ended = has_ended();
        let state = State::read(dir).filter(|state| state.process == process);
        let steps = state.as_ref().map_or(&[][..], |state| &state.steps);
        for (name, what) in steps.iter().skip(told) {
            println!("{name:<12} {what}");
        }
        told = told.max(steps.len());
        match state.map(|state| state.phase) {
            Some(Phase::Up) if !ended => return Ok(()),
            Some(Phase::Failed { exit, what, hint }) => return Err(Stop { exit: Exit::from_code(exit), what, hint }),
            _ if ended => return Err(Stop::dependency(format!("the supervisor has ended; {}", log_of(dir)))),
            _ if Instant::now() >= end => return Err(late(dir, "up", UP_WITHIN)),
            _ => std::thread::sleep(LOOK_INTERVAL),
        }
    }
}

fn show_healthy(dir: &Path) -> Result<(), Stop> {
    let endpoints = Endpoints::read(dir).ok_or_else(|| is_down(dir))?;
    let servers = health::ask(&endpoints);
    show::table(&servers);
    println!("\nAddresses, passwords and keys: {}", endpoints::file(dir).display());
    println!("For a shell:                   eval \"$({PROGRAM} platform env --dir {})\"", dir.display());
    println!("Logs:                          {}", dir.join("logs").display());
    match servers.iter().find_map(|server| Some((server.name, server.problem.as_ref()?))) {
        None => Ok(()),
        Some((name, problem)) => Err(Stop::dependency(format!("{name} does not answer: {problem}; {}", log_of(dir)))),
    }
}

pub(super) fn down(dir: &Path) -> Result<(), Stop> {
    let Some(state) = running(dir)? else {
        println!("No platform is up in {}.", dir.display());
        return Ok(());
    };
    let begun = Instant::now();
    signal(state.process, Signal::TERM)?;
    while dir::owner(dir) == Some(state.process) {
        if begun.elapsed() >= DOWN_WITHIN {
            signal(state.process, Signal::KILL)?;
            return Err(late(dir, "down", DOWN_WITHIN).hint("it was ended hard; the next start takes longer"));
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    println!("The platform in {} is down; its data is kept.", dir.display());
    Ok(())
}

fn signal(process: u32, signal: Signal) -> Result<(), Stop> {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw);
    match id.map(|id| kill_process(id, signal)) {
        Some(Ok(()) | Err(rustix::io::Errno::SRCH)) => Ok(()),
        Some(Err(error)) => Err(Stop::start(format!("cannot stop process {process}: {error}"))),
        None => Err(Stop::start(format!("there is no process {process}"))),
    }
}

fn late(dir: &Path, what: &str, limit: Duration) -> Stop {
    Stop::dependency(format!("the platform is not {what} after {} s; {}", limit.as_secs(), log_of(dir)))
}

fn log_of(dir: &Path) -> String {
    format!("its log is {}", dir.join("logs/platform.log").display())
}
