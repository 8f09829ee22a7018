//! One native Postgres as a child process: the embedded default's database.
//!
//! Listens on loopback TCP only and always asks for the password: `trust` there would make every local user a
//! superuser. Never uses a cluster that it did not make.

/// The role that owns the database.
mod owner;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::child::Process;
use super::dir::failed;
use super::port;
use crate::exit::Stop;

/// The superuser, which made the cluster.
const OWNER: &str = "smt";
const STARTS: usize = 5;
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running Postgres. Dropping it stops it; its data stays in the directory.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    login: Login,
    process: Process,
}

impl Postgres {
    /// Starts a Postgres whose data is in `dir`/postgres, and returns when it takes connections.
    pub fn start(dir: &Path) -> Result<Postgres, Stop> {
        Postgres::start_at(dir, None)
    }

    /// The same at a port of the caller's.
    pub fn start_at(dir: &Path, fixed: Option<u16>) -> Result<Postgres, Stop> {
        let server = Server::prepare(dir)?;
        let mut port = fixed.or_else(|| server.kept_port()).unwrap_or_else(port::free);
        let mut failure = None;
        for _ in 0..STARTS {
            match server.start(port) {
                Ok(process) => {
                    let login = Login { user: OWNER.to_owned(), password: server.password };
                    return Ok(Postgres { port, login, process });
                }
                Err(stop) => failure = Some(stop),
            }
            // A port taken meanwhile, or a predecessor that is still closing down after its host was killed.
            std::thread::sleep(Duration::from_millis(200));
            port = fixed.unwrap_or_else(port::free);
        }
        Err(failure.unwrap_or_else(|| Stop::dependency("the embedded Postgres was not started")))
    }

    /// For any client: `postgres://USER:PASSWORD@127.0.0.1:PORT/postgres`. Holds the password: not for logs.
    pub fn url(&self) -> String {
        let Login { user, password } = &self.login;
        format!("postgres://{user}:{password}@127.0.0.1:{}/postgres", self.port)
    }

    /// The password of the cluster's owner, which is random.
    pub fn password(&self) -> &str {
        &self.login.password
    }

    /// Makes `user` the owner of the database, no superuser, with this password; `url` names it from now on. What a
    /// superuser may do (run programs, read files) is nothing that a well-known password may open.
    pub fn log_in_as(&mut self, user: &str, password: &str) -> Result<(), Stop> {
        owner::make(&self.url(), user, password)?;
        self.login = Login { user: user.to_owned(), password: password.to_owned() };
        Ok(())
    }

    /// Whether its process still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// The postmaster's process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

struct Login {
    user: String,
    password: String,
}

/// Not the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.user)
    }
}

/// Where everything is, and as whom it runs.
struct Server {
    programs: PathBuf,
    folder: PathBuf,
    user: Option<(u32, u32)>,
    password: String,
}

impl Server {
    fn prepare(dir: &Path) -> Result<Server, Stop> {
        let folder = dir.join("postgres");
        let user = other_user()?;
        if !folder.is_dir() {
            fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|error| failed("make", &folder, &error))?;
            give(&folder, user)?;
        }
        let mut server = Server { programs: programs()?, folder, user, password: String::new() };
        server.password = server.kept_password()?;
        if !server.data().join("PG_VERSION").is_file() || server.half_made().exists() {
            server.init()?;
        }
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    fn half_made(&self) -> PathBuf {
        self.folder.join("initdb.unfinished")
    }

    fn kept_password(&self) -> Result<String, Stop> {
        let path = self.folder.join("password");
        if let Ok(text) = fs::read_to_string(&path)
            && !text.trim().is_empty()
        {
            return Ok(text.trim().to_owned());
        }
        let password: String = rand::random::<[u8; 16]>().iter().map(|byte| format!("{byte:02x}")).collect();
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{password}"))
            .map_err(|error| failed("write", &path, &error))?;
        // initdb reads it as the database's user.
        give(&path, self.user)?;
        Ok(password)
    }

    fn kept_port(&self) -> Option<u16> {
        let text = fs::read_to_string(self.folder.join("port")).ok()?;
        text.trim().parse().ok().filter(|port| port::is_free(*port))
    }

    /// The marker makes an initdb that was killed half-way be done again.
    fn init(&self) -> Result<(), Stop> {
        let marker = self.half_made();
        File::create(&marker).map_err(|error| failed("write", &marker, &error))?;
        if self.data().exists() {
            fs::remove_dir_all(self.data()).map_err(|error| failed("remove", &self.data(), &error))?;
        }
        let mut command = self.command("initdb")?;
        command.arg("-D").arg(self.data()).arg("--pwfile").arg(self.folder.join("password"));
        command.args(["-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        let mut process = self.spawn(command)?;
        if process.ends_within(Duration::from_secs(60)) && process.ended().is_some_and(|status| status.success()) {
            return fs::remove_file(&marker).map_err(|error| failed("remove", &marker, &error));
        }
        Err(self.failed("could not make its data directory"))
    }

    fn start(&self, port: u16) -> Result<Process, Stop> {
        let path = self.folder.join("port");
        fs::write(&path, format!("{port}\n")).map_err(|error| failed("write", &path, &error))?;
        let mut command = self.command("postgres")?;
        command.arg("-D").arg(self.data()).arg("-p").arg(port.to_string());
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        let mut process = self.spawn(command)?;
        let end = Instant::now() + READY_WITHIN;
        while !self.is_ready(process.id()) {
            if process.ended().is_some() {
                return Err(self.failed("ended before it was ready"));
            }
            if Instant::now() >= end {
                return Err(self.failed("was not ready in time"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(process)
    }

    /// The first line of `postmaster.pid` is the process, the eighth its state.
    fn is_ready(&self, id: u32) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&id.to_string()) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }

    fn command(&self, program: &str) -> Result<Command, Stop> {
        let path = self.log();
        let log = File::create(&path).map_err(|error| failed("write", &path, &error))?;
        let errors = log.try_clone().map_err(|error| failed("write", &path, &error))?;
        let mut command = Command::new(self.programs.join(program));
        // "/": the other user must be able to read its current directory.
        command.stdin(Stdio::null()).stdout(log).stderr(errors).current_dir("/");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        Ok(command)
    }

    /// SIGINT is Postgres's fast shutdown: connections end, data is complete.
    fn spawn(&self, command: Command) -> Result<Process, Stop> {
        Process::spawn(command, Signal::INT, Signal::INT, Duration::from_secs(10)).map_err(|error| {
            Stop::dependency(format!("cannot start Postgres from {}: {error}", self.programs.display()))
        })
    }

    fn failed(&self, why: &str) -> Stop {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let last = log.lines().rfind(|line| line.contains("rror") || line.contains("FATAL")).unwrap_or("").trim();
        let stop =
            Stop::dependency(format!("the embedded Postgres {why}; its log is {}: {last}", self.log().display()));
        if last.contains("Permission denied") {
            return stop.hint("its user cannot reach that directory; give one that every user may pass through");
        }
        stop
    }
}

/// `synchronous_commit` off loses at most the last moments in a power cut and never breaks the data.
const SETTINGS: [&str; 7] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "wal_level=logical",
    "shared_buffers=32MB",
    "jit=off",
    "max_connections=40",
    "synchronous_commit=off",
];

/// Postgres refuses to run as root.
fn other_user() -> Result<Option<(u32, u32)>, Stop> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| failed("read", Path::new("/etc/passwd"), &error))?;
    let found = ["postgres", "nobody"].iter().find_map(|name| ids(&users, name));
    found.map(Some).ok_or_else(|| Stop::start("Postgres cannot run as root, and there is no user postgres or nobody"))
}

fn ids(users: &str, name: &str) -> Option<(u32, u32)> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn give(path: &Path, user: Option<(u32, u32)>) -> Result<(), Stop> {
    let Some((user, group)) = user else { return Ok(()) };
    chown(path, Some(user), Some(group)).map_err(|error| failed("hand over", path, &error))
}

/// `SMT_PG_BIN`, the newest of the distribution's (which are not on PATH), PATH.
fn programs() -> Result<PathBuf, Stop> {
    let named = std::env::var_os("SMT_PG_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = match named {
        Some(folder) => Some(folder).filter(|folder| has_programs(folder)),
        None => {
            let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
            distribution().into_iter().chain(on_path).find(|folder| has_programs(folder))
        }
    };
    found.ok_or_else(|| {
        Stop::start("no Postgres server programs (postgres and initdb) found")
            .hint("run `make setup`, or set SMT_PG_BIN to their folder")
    })
}

fn distribution() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort_by_key(|path| std::cmp::Reverse(version(path)));
    folders.into_iter().map(|path| path.join("bin")).collect()
}

fn has_programs(folder: &Path) -> bool {
    ["postgres", "initdb"].iter().all(|name| folder.join(name).is_file())
}

#[cfg(test)]
#[path = "postgres_tests.rs"]
mod tests;
