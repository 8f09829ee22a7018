//! smt-host as a user runs it: the built binary as a process, its signals, its log and its children.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::World;

/// The binary alone, without any option.
pub fn binary() -> Command {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
    assert!(file.is_file(), "{} is missing: run `cargo build -p smt-host`", file.display());
    let mut command = Command::new(file);
    command.stdin(Stdio::null());
    command
}

/// The binary with a world's broker and registry.
pub fn command(world: &World, args: &[&str]) -> Command {
    let mut command = binary();
    command.args(args).args(["--brokers", &world.kafka.brokers(), "--registry", &world.registry_server.url()]);
    command.args(["--state-dir".as_ref(), world.dir.path().join("state").as_os_str()]);
    command
}

/// Runs to the end, which has to be a good one.
pub fn run(world: &World, args: &[&str]) -> Output {
    let output = command(world, args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {}\n{text}", output.status);
    output
}

/// A host that runs; killed hard when the test is done with it or fails.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Running {
        Running(command.spawn().unwrap())
    }

    /// A child whose output somebody reads.
    pub fn of(child: Child) -> Running {
        Running(child)
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// The exit code, which has to come in time.
    pub fn code_within(&mut self, limit: Duration) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status.code();
            }
            assert!(begun.elapsed() < limit, "still running after {} s", limit.as_secs());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// CPU time so far.
    pub fn cpu(&self) -> Duration {
        let ticks = |at: usize| stat(self.id()).map_or(0, |fields| fields[at].parse::<u64>().unwrap());
        // User and system time, in hundredths of a second on every Linux.
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A process, told from another one that gets its number later by when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub id: u32,
    pub name: String,
    began: String,
}

impl Process {
    pub fn lives(&self) -> bool {
        // A zombie has ended; whoever adopted it has not yet looked.
        stat(self.id).is_some_and(|fields| fields[19] == self.began && fields[0] != "Z")
    }
}

/// What follows the name in /proc/ID/stat: state, parent, group and so on.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// All processes below one, now.
pub fn descendants(root: u32) -> Vec<Process> {
    let ids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let all: BTreeMap<u32, Vec<String>> = ids.filter_map(|id| Some((id, stat(id)?))).collect();
    let below = |id: u32| {
        let mut at = id;
        while let Some(parent) = all.get(&at).and_then(|fields| fields[1].parse().ok()) {
            if parent == root {
                return true;
            }
            at = parent;
        }
        false
    };
    let process = |id: u32, fields: &[String]| Process {
        id,
        name: std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim().to_owned(),
        began: fields[19].clone(),
    };
    all.iter().filter(|(id, _)| below(**id)).map(|(id, fields)| process(*id, fields)).collect()
}
