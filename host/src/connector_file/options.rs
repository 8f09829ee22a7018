//! What every command that runs a connector file is given.

use std::path::PathBuf;

use crate::config::{Properties, RegistryOptions, Secret};
use crate::exit::Stop;
use crate::kafka::Settings;
use crate::registry::Registry;
use crate::run;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The connector file: Kafka Connect's JSON
    pub(crate) file: PathBuf,
    /// Set a key of the connector file (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = super::pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Kafka's address
    #[arg(long, env = "SMT_BROKERS", default_value = "localhost:9092")]
    pub(crate) brokers: String,
    #[command(flatten)]
    pub(crate) registry: RegistryOptions,
    /// Give up where Kafka, the registry or what the file names is away at start, instead of waiting for it
    #[arg(long, env = "SMT_FAIL_FAST")]
    pub(crate) fail_fast: bool,
    /// Any librdkafka property; repeatable. In the environment one a line. A value may be ${env:NAME} or ${file:PATH}
    #[arg(short = 'X', env = "SMT_KAFKA_PROPERTIES", hide_env_values = true, value_name = "KEY=VALUE",
          value_delimiter = '\n', value_parser = run::pair)]
    pub(crate) properties: Vec<(String, Secret)>,
}

impl Options {
    pub(crate) fn registry(&self) -> Result<Registry, Stop> {
        Ok(Registry::new(self.registry.registry().resolve()?))
    }

    pub(crate) fn kafka(&self) -> Result<Settings, Stop> {
        let properties = Properties(self.properties.iter().cloned().collect()).resolve()?;
        Ok(Settings { brokers: self.brokers.clone(), properties })
    }
}
