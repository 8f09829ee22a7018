//! `smt-host connect`: a worker until SIGTERM or SIGINT.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{CONFIG_TOPIC, GROUP, OFFSET_TOPIC, Options, STATUS_TOPIC, Worker};
use crate::config::{Properties, RegistryOptions, Secret};
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::registry::Registry;
use crate::run;
use crate::shutdown::Shutdown;

/// Between two attempts while Kafka is away.
const PAUSE: Duration = Duration::from_secs(1);

/// What `smt-host connect` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the REST API listens; port 0 takes a free one
    #[arg(long, env = "SMT_CONNECT_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8083")]
    pub listen: SocketAddr,
    /// Who may use the API: a file of user:bcrypt lines (htpasswd -B). Needed where --listen is no loopback address
    #[arg(long, env = "SMT_CONNECT_AUTH_FILE", value_name = "FILE")]
    pub auth_file: Option<PathBuf>,
    /// Where plugins of smt-host.PluginPipeline lie; others cannot be named
    #[arg(long, env = "SMT_PLUGIN_DIR", value_name = "DIR")]
    pub plugin_dir: Option<PathBuf>,
    /// For compiled plugins and copies of windows' state [default: ~/.local/state/smt-host]
    #[arg(long, env = "SMT_STATE_DIR", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Kafka's address
    #[arg(long, env = "SMT_BROKERS", default_value = "localhost:9092")]
    pub brokers: String,
    #[command(flatten)]
    pub registry: RegistryOptions,
    /// Workers of one group share its connectors
    #[arg(long, env = "CONNECT_GROUP_ID", default_value = GROUP)]
    pub group: String,
    /// The topic of configurations
    #[arg(long, env = "CONNECT_CONFIG_STORAGE_TOPIC", value_name = "TOPIC", default_value = CONFIG_TOPIC)]
    pub config_topic: String,
    /// The topic of sources' offsets
    #[arg(long, env = "CONNECT_OFFSET_STORAGE_TOPIC", value_name = "TOPIC", default_value = OFFSET_TOPIC)]
    pub offset_topic: String,
    /// The topic of statuses
    #[arg(long, env = "CONNECT_STATUS_STORAGE_TOPIC", value_name = "TOPIC", default_value = STATUS_TOPIC)]
    pub status_topic: String,
    /// Replicas of these topics where they are made; -1 is the broker's default
    #[arg(long, value_name = "N", default_value = "-1", allow_negative_numbers = true,
          value_parser = clap::value_parser!(i32).range(-1..=1000))]
    pub replication: i32,
    /// A key that wins over that of every connector that has it; repeatable
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = run::pair)]
    pub set: Vec<(String, Secret)>,
    /// Give up where Kafka is away at start, instead of waiting for it
    #[arg(long, env = "SMT_FAIL_FAST")]
    pub fail_fast: bool,
    /// Any librdkafka property; repeatable. In the environment one a line. A value may be ${env:NAME} or ${file:PATH}
    #[arg(short = 'X', env = "SMT_KAFKA_PROPERTIES", hide_env_values = true, value_name = "KEY=VALUE",
          value_delimiter = '\n', value_parser = run::pair)]
    pub properties: Vec<(String, Secret)>,
}

/// Runs a worker until it is asked to stop.
pub fn run(args: Args) -> Result<(), Stop> {
    let fail_fast = args.fail_fast;
    let options = args.options()?;
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::new(Exit::Bug, format!("no signal handling: {error}")))?;
    let Some(worker) = start(&options, fail_fast, &shutdown)? else { return Ok(()) };
    while worker.is_alive() && !shutdown.sleep(PAUSE) {}
    worker.stop()
}

/// None: it was asked to stop before Kafka was there.
fn start(options: &Options, fail_fast: bool, shutdown: &Shutdown) -> Result<Option<Worker>, Stop> {
    let mut is_told = false;
    loop {
        match Worker::start(options.clone()) {
            Err(stop) if stop.exit == Exit::Dependency && !fail_fast => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(hint = stop.hint, "{}; waiting for it", stop.what);
                }
                if shutdown.sleep(PAUSE) {
                    return Ok(None);
                }
            }
            done => return done.map(Some),
        }
    }
}

impl Args {
    fn options(self) -> Result<Options, Stop> {
        let properties = Properties(self.properties.into_iter().collect()).resolve()?;
        Ok(Options {
            listen: self.listen,
            kafka: Settings { brokers: self.brokers, properties },
            registry: Registry::new(self.registry.registry().resolve()?),
            group: self.group,
            config_topic: self.config_topic,
            offset_topic: self.offset_topic,
            status_topic: self.status_topic,
            replication: self.replication,
            plugin_dir: self.plugin_dir,
            dir: self.dir.unwrap_or_else(run::state_dir),
            auth_file: self.auth_file,
            set: self.set,
        })
    }
}
