//! The `platform` command: what the workshop's docker-compose starts, in the background and without Docker.
//!
//! `up` starts a supervisor, which is this program once more in a session of its own (`serve`); the others find it by
//! its directory's lock. The servers are the supervisor's children and threads, so none outlives it.

/// What `up` gives a shell.
mod env;
/// Servers, really asked.
mod health;
/// The supervisor.
mod serve;
/// Tables for people.
mod show;
/// What the supervisor says of itself.
mod state;
/// Starting and ending a supervisor.
mod up;

use std::path::{Path, PathBuf};

use super::dir;
use super::endpoints::Endpoints;
use super::servers::Ports as Numbers;
use crate::exit::Stop;

/// The class's bucket.
const BUCKET: &str = "workshop";
/// The database's user in the workshop's connector file, and its password there.
const USER: &str = "postgres";
const PASSWORD: &str = "Postgres2023!";

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Start broker, registry, database, S3 and Connect in the background, and wait until all of them answer.
    Up {
        #[command(flatten)]
        place: Place,
        /// The workshop's ports, or free ones [default: those of the last start here, else workshop]
        #[arg(long)]
        ports: Option<Ports>,
    },
    /// End them in order. What they keep stays.
    Down {
        #[command(flatten)]
        place: Place,
    },
    /// Ask each of them how it is.
    Status {
        #[command(flatten)]
        place: Place,
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Print `export` lines with all addresses and the S3 keys, for a shell's eval.
    Env {
        #[command(flatten)]
        place: Place,
    },
    /// What `up` starts.
    #[command(hide = true)]
    Serve {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        ports: Ports,
    },
}

#[derive(clap::Args, Debug)]
struct Place {
    /// Where everything is kept [default: $XDG_STATE_HOME/smt-host/platform, ~/.local/state/smt-host/platform, or
    /// /var/lib/smt-host/platform for root]
    #[arg(long, env = "SMT_PLATFORM_DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ports {
    /// Kafka 9092, registry 8081, Postgres 5432, S3 9000, Connect 8083; the database's password is the workshop's.
    Workshop,
    /// Any free ports, the same ones at the next start; the database's password is random.
    Free,
}

impl Ports {
    fn numbers(self) -> Numbers {
        match self {
            Ports::Workshop => Numbers {
                kafka: Some(9092),
                registry: Some(8081),
                postgres: Some(5432),
                s3: Some(9000),
                connect: Some(8083),
            },
            Ports::Free => Numbers::default(),
        }
    }
}

impl Place {
    fn path(&self) -> Result<PathBuf, Stop> {
        if let Some(dir) = &self.dir {
            return std::path::absolute(dir).map_err(|error| dir::failed("open", dir, &error));
        }
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = variable("XDG_STATE_HOME").or_else(|| match rustix::process::geteuid().is_root() {
            // Root's database runs as another user, who cannot get into root's home.
            true => Some(PathBuf::from("/var/lib")),
            false => variable("HOME").map(|home| home.join(".local/state")),
        });
        state.map(|state| state.join("smt-host/platform")).ok_or_else(|| {
            Stop::usage("there is no directory for the platform: neither XDG_STATE_HOME nor HOME is set")
                .hint("name one with --dir")
        })
    }
}

pub fn run(args: Args) -> Result<(), Stop> {
    match args.action {
        Action::Up { place, ports } => up::up(&place.path()?, ports),
        Action::Down { place } => up::down(&place.path()?),
        Action::Status { place, json } => status(&place.path()?, json),
        Action::Env { place } => env::print(&place.path()?),
        Action::Serve { place, ports } => serve::run(&place.path()?, ports),
    }
}

fn status(dir: &Path, json: bool) -> Result<(), Stop> {
    let endpoints = up::running(dir)?.and_then(|_| Endpoints::read(dir));
    let servers = endpoints.map(|endpoints| health::ask(&endpoints)).unwrap_or_default();
    match json {
        true => show::json(dir, &servers),
        false => show::table(&servers),
    }
    if servers.is_empty() {
        return Err(is_down(dir));
    }
    let sick: Vec<&str> = servers.iter().filter(|server| server.problem.is_some()).map(|server| server.name).collect();
    if sick.is_empty() {
        return Ok(());
    }
    Err(Stop::dependency(format!("no answer from {}; logs: {}", sick.join(", "), dir.join("logs").display())).hint(
        format!("start the platform anew: {program} platform down, then {program} platform up", program = up::PROGRAM),
    ))
}

fn is_down(dir: &Path) -> Stop {
    Stop::dependency(format!("no platform is up in {}", dir.display())).hint(format!(
        "{} platform up --dir {}",
        up::PROGRAM,
        dir.display()
    ))
}
