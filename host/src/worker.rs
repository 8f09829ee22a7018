//! A worker: connectors behind Kafka Connect's REST API, kept in Kafka Connect's own topics.
//!
//! Configurations, targets and statuses are records that every worker of a group reads; a request is answered by
//! whichever worker is asked. Which worker runs a connector is the consumer group's business. Nothing is kept outside
//! of Kafka but compiled plugins and copies of windows' state.

/// What `smt-host connect` is given.
mod args;
mod assignment;
mod auth;
mod board;
mod class;
mod connector;
mod definitions;
mod herder;
mod loggers;
mod offsets;
mod plugin_path;
mod plugin_pipeline;
mod records;
mod refusal;
mod rest;
mod running;
mod secrets;
mod state;
mod status;
mod storage;
mod tasks;
mod topics;
mod validate;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};

pub use args::{Args, run};
pub use class::Progress;

use crate::config::Secret;
use crate::exit::{Exit, Stop};
use crate::guest::Engine;
use crate::kafka;
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use assignment::Assignment;
use auth::Users;
use board::Board;
use herder::Herder;
use rest::{Api, Server};
use storage::Storage;
use topics::Topics;

/// The names that the workshop's Connect has.
pub const GROUP: &str = "docker-connect";
pub const CONFIG_TOPIC: &str = "docker-connect-configs";
pub const OFFSET_TOPIC: &str = crate::source::OFFSETS_TOPIC;
pub const STATUS_TOPIC: &str = "docker-connect-status";

const CLUSTER_ID_WITHIN: Duration = Duration::from_secs(5);

/// Everything that a worker is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub kafka: kafka::Settings,
    pub registry: Registry,
    /// Workers of one group share its connectors.
    pub group: String,
    pub config_topic: String,
    pub offset_topic: String,
    pub status_topic: String,
    /// Of topics that are made; -1 is the broker's default.
    pub replication: i32,
    /// Below it lie the plugins that connectors may name.
    pub plugin_dir: Option<PathBuf>,
    /// For compiled plugins and windows' state.
    pub dir: PathBuf,
    /// `user:bcrypt` lines. Without it only this machine is listened to.
    pub auth_file: Option<PathBuf>,
    /// Keys that win over those of every connector that has them.
    pub set: Vec<(String, Secret)>,
}

impl Options {
    /// With the workshop's names.
    pub fn new(listen: SocketAddr, kafka: kafka::Settings, registry: Registry, dir: PathBuf) -> Options {
        Options {
            listen,
            kafka,
            registry,
            group: GROUP.to_owned(),
            config_topic: CONFIG_TOPIC.to_owned(),
            offset_topic: OFFSET_TOPIC.to_owned(),
            status_topic: STATUS_TOPIC.to_owned(),
            replication: -1,
            plugin_dir: None,
            dir,
            auth_file: None,
            set: Vec::new(),
        }
    }
}

/// What all parts of a worker share.
struct Context {
    options: Options,
    engine: Engine,
    storage: Storage,
    board: Board,
    /// How other workers and people name this one.
    id: String,
    cluster: Option<String>,
    /// Stops connectors, and then what keeps their statuses.
    leave: Shutdown,
    shutdown: Shutdown,
}

/// A running worker.
pub struct Worker {
    context: Arc<Context>,
    server: Server,
    assignment: JoinHandle<()>,
}

impl Worker {
    /// Returns once requests are answered. Kafka has to be there.
    pub fn start(options: Options) -> Result<Worker, Stop> {
        let users = options.auth_file.as_deref().map(Users::load).transpose()?;
        if users.is_none() && !options.listen.ip().is_loopback() {
            return Err(Stop::usage(format!(
                "--listen {} is no loopback address, and there are no users",
                options.listen
            ))
            .hint("whoever reaches the API may run connectors: give --auth-file with user:bcrypt lines"));
        }
        options.kafka.check()?;
        let listener = rest::bind(options.listen)?;
        let address = listener.local_addr().map_err(|error| Stop::start(format!("no address: {error}")))?;
        std::fs::create_dir_all(&options.dir).map_err(|error| {
            Stop::start(format!("directory {}: {error}", options.dir.display())).hint("choose another with --dir")
        })?;
        let engine = Engine::new(Some(&options.dir.join("compiled")))?;
        let shutdown = Shutdown::new();
        let topics = Topics {
            configs: options.config_topic.clone(),
            offsets: options.offset_topic.clone(),
            statuses: options.status_topic.clone(),
            replication: options.replication,
        };
        let cluster = cluster_id(&options.kafka)?;
        let storage = Storage::open(&options.kafka, topics, &shutdown)?;
        let id = id(address);
        let leave = shutdown.child();
        let context =
            Arc::new(Context { options, engine, storage, board: Board::default(), id, cluster, leave, shutdown });
        let assignment = Assignment::join(context.clone())?;
        let assignment = std::thread::Builder::new()
            .name("connect-group".into())
            .spawn(move || assignment.run())
            .map_err(|error| Stop::start(format!("no thread for the group: {error}")))?;
        let api = Api { herder: Herder::new(context.clone()), users };
        let server = Server::start(listener, api)?;
        let worker = Worker { context, server, assignment };
        tracing::info!(group = worker.context.options.group, "Kafka Connect's REST API at {}", worker.url());
        Ok(worker)
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// An address that this machine reaches it by.
    pub fn url(&self) -> String {
        format!("http://{}", rest::reachable(self.address()))
    }

    /// What a connector has done in this worker. Counters go on where it is started again.
    pub fn progress(&self, connector: &str) -> Progress {
        self.context.board.progress(connector)
    }

    /// How the first of these connectors that failed did so.
    pub fn failure(&self, connectors: &[String]) -> Option<Stop> {
        self.context.board.failure(connectors)
    }

    /// False: a part of it is gone, which is a bug.
    pub fn is_alive(&self) -> bool {
        !self.assignment.is_finished()
    }

    /// Stops all connectors, lets other workers have them, and leaves the group.
    pub fn stop(self) -> Result<(), Stop> {
        let Worker { context, server, assignment } = self;
        drop(server);
        context.leave.request();
        let ended = assignment.join().map_err(|_| Stop::new(Exit::Bug, "the worker panicked; this is a bug"));
        context.shutdown.request();
        context.storage.join();
        ended
    }
}

/// Its address; where it listens on all, that of the machine.
fn id(address: SocketAddr) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().filter(|_| address.ip().is_unspecified());
    match host {
        Some(host) => format!("{}:{}", host.trim(), address.port()),
        None => address.to_string(),
    }
}

fn cluster_id(kafka: &kafka::Settings) -> Result<Option<String>, Stop> {
    kafka::topics::answers(kafka, kafka::REQUEST_TIMEOUT)?;
    let consumer: BaseConsumer = kafka.client("admin").create().map_err(|error| kafka::topics::bad_client(&error))?;
    Ok(consumer.client().fetch_cluster_id(CLUSTER_ID_WITHIN))
}
