//! The options that both forms understand. They win over the file, for every pipeline and plugin in it.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use crate::config::{Config, Kafka, Limits, Pipeline, RegistryOptions, Secret, Window};

#[derive(clap::Args, Debug, Clone, Default)]
pub struct Options {
    #[command(flatten)]
    pub cluster: Cluster,
    #[command(flatten)]
    pub registry: RegistryOptions,
    #[command(flatten)]
    pub pipeline: Pipeline,
    /// Where an output of a plugin goes; without a name, the only plugin's first output. Repeatable, or comma-separated
    #[arg(long = "output", env = "SMT_OUTPUT", value_name = "[NAME=]TOPIC", value_delimiter = ',', value_parser = output)]
    pub outputs: Vec<Output>,
    /// A plugin setting, for each plugin that has it; repeatable. In the environment one a line
    #[arg(long = "set", env = "SMT_SET", hide_env_values = true, value_name = "KEY=VALUE", value_delimiter = '\n',
          value_parser = pair)]
    pub settings: Vec<(String, Secret)>,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub window: Window,
    /// Where the instance id and compiled plugins are kept [default: ~/.local/state/smt-host]
    #[arg(long, env = "SMT_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Names this instance for good: after a crash its successor takes over its transactions at once
    #[arg(long, env = "SMT_INSTANCE_ID", value_name = "ID")]
    pub instance_id: Option<String>,
    /// Give up at start where a broker, registry or topic is away, instead of waiting for it [default: false]
    #[arg(long, env = "SMT_FAIL_FAST", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub fail_fast: Option<bool>,
    /// Begin anew at this start: offsets as --from says, without the state of windowed plugins; `smt-host reset` asks first
    #[arg(long)]
    pub reset_state: bool,
    /// Print what would run as a configuration file, with secrets masked, and start nothing
    #[arg(long)]
    pub print_config: bool,
}

/// How the Kafka cluster is reached.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct Cluster {
    #[command(flatten)]
    pub kafka: Kafka,
    /// Any librdkafka property; repeatable. In the environment one a line. A value may be ${env:NAME} or ${file:PATH}
    #[arg(short = 'X', env = "SMT_KAFKA_PROPERTIES", hide_env_values = true, value_name = "KEY=VALUE",
          value_delimiter = '\n', value_parser = pair)]
    pub properties: Vec<(String, Secret)>,
}

impl Cluster {
    pub(super) fn apply(&self, config: &mut Config) {
        config.kafka.override_by(&self.kafka);
        config.kafka.properties.0.extend(self.properties.iter().cloned());
    }
}

/// A plugin's output, and where it goes.
#[derive(Debug, Clone)]
pub struct Output {
    pub name: Option<String>,
    pub topic: String,
}

impl Options {
    /// Settings and outputs are given out later, when it is known which plugin has them.
    pub fn apply(&self, config: &mut Config) {
        self.cluster.apply(config);
        config.registry.override_by(&self.registry.registry());
        for pipeline in &mut config.pipeline {
            pipeline.override_by(&self.pipeline);
            for plugin in &mut pipeline.plugin {
                plugin.limits.override_by(&self.limits);
            }
        }
        config.state_dir = self.state_dir.clone().or(config.state_dir.take());
        config.instance_id = self.instance_id.clone().or(config.instance_id.take());
        config.fail_fast = self.fail_fast.or(config.fail_fast);
    }
}

/// `KEY=VALUE`, of which the value is told to nobody.
pub fn pair(text: &str) -> Result<(String, Secret), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("KEY=VALUE is needed")?;
    value.parse().map(|value| (key.trim().to_owned(), value)).map_err(|never| match never {})
}

fn output(text: &str) -> Result<Output, String> {
    let (name, topic) = match text.split_once('=') {
        Some((name, topic)) => (Some(name.trim().to_owned()), topic),
        None => (None, text),
    };
    if topic.trim().is_empty() || name.as_ref().is_some_and(String::is_empty) {
        return Err("TOPIC or NAME=TOPIC is needed".to_owned());
    }
    Ok(Output { name, topic: topic.trim().to_owned() })
}
