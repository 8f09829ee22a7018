//! `smt-host --plugin FILE…` and `smt-host run --config FILE`: from options and a file to pipelines at work.
//!
//! Both forms are one configuration: the first makes a pipeline of each plugin, the second reads them. Options win.

/// Where everything is, for commands that run nothing.
mod addresses;
/// Which pipeline a command is about.
mod at;
/// A configuration's pipelines, ready to run.
mod build;
/// What both forms understand.
mod options;
/// Which settings and outputs go to which plugin.
mod plugins;
/// The merged configuration as a file.
mod print;
/// `[[sink]]`: S3 sinks beside the pipelines.
mod sinks;
/// What is kept from one start to the next.
mod state;

use std::path::PathBuf;

use crate::config::{Config, Pipeline, Plugin};
use crate::exit::Stop;
use crate::guest::Engine;
use crate::log;
use crate::pipeline::fleet;
use crate::reset::{self, Request};
use crate::shutdown::Shutdown;

pub use addresses::{Addresses, Found, Platform};
pub use at::{At, Place};
#[cfg(test)]
pub(crate) use build::plain_spec;
pub use build::specs;
pub use options::{Cluster, Options, pair};
pub(crate) use state::default_dir as state_dir;

/// `smt-host --plugin FILE…`
#[derive(clap::Args, Debug, Clone)]
pub struct PluginArgs {
    /// A plugin file (component, or core module with its component type). Each makes a pipeline of its own.
    /// Repeatable, or comma-separated
    #[arg(long = "plugin", env = "SMT_PLUGIN", value_name = "FILE", value_delimiter = ',', required = true)]
    pub plugins: Vec<PathBuf>,
    #[command(flatten)]
    pub options: Options,
}

/// `smt-host run`
#[derive(clap::Args, Debug, Clone)]
pub struct FileArgs {
    /// The configuration file; host/smt-host.example.toml shows all keys
    #[arg(long, env = "SMT_CONFIG", value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub options: Options,
}

/// What to run, and what the command line says about it.
pub struct Job {
    pub config: Config,
    pub options: Options,
}

impl PluginArgs {
    pub fn job(self) -> Job {
        let pipeline = |file| Pipeline { plugin: vec![Plugin { file, ..Plugin::default() }], ..Pipeline::default() };
        let config = Config { pipeline: self.plugins.into_iter().map(pipeline).collect(), ..Config::default() };
        Job::new(config, self.options)
    }
}

impl FileArgs {
    pub fn job(self) -> Result<Job, Stop> {
        Ok(Job::new(Config::load(&self.config)?, self.options))
    }
}

impl Job {
    fn new(mut config: Config, options: Options) -> Job {
        options.apply(&mut config);
        Job { config, options }
    }

    /// Runs until all pipelines and sinks have ended or a signal asks.
    pub fn run(mut self, log_format: log::Format) -> Result<(), Stop> {
        self.config.log_format = Some(log_format);
        if self.options.print_config {
            let specs = specs(&mut self.config, &self.options, &Engine::new(None)?)?;
            sinks::connectors(&self.config)?;
            return print::print(self.config, &specs);
        }
        let state = state::dir(&self.config)?;
        let engine = Engine::new(Some(&state.join("compiled")))?;
        if self.config.instance_id.is_none() {
            self.config.instance_id = Some(state::kept_instance_id(&state)?);
        }
        let specs = specs(&mut self.config, &self.options, &engine)?;
        let connectors = sinks::connectors(&self.config)?;
        let shutdown = Shutdown::new();
        shutdown.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
        if self.options.reset_state {
            for spec in &specs {
                reset::reset(&spec.kafka, &Request::of(spec), &shutdown)?;
                tracing::info!(pipeline = spec.name, "offsets and state begin anew");
            }
        }
        sinks::run_beside(&connectors, &self.config, &shutdown, || fleet::run_all(specs, &shutdown))
    }
}
