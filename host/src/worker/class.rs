//! The classes of connectors that a worker has, and what each makes of a configuration.
//!
//! A connector is checked by its own parser, and run by its own module; nothing of either is here.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use super::Options;
use super::records::Config;
use super::{plugin_pipeline, secrets};
use crate::exit::Stop;
use crate::guest::Engine;
use crate::pipeline::{self, Delivery, Spec};
use crate::shutdown::Shutdown;
use crate::{sink, source};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    JdbcSource,
    S3Sink,
    PluginPipeline,
}

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Class {
    pub(super) const ALL: [Class; 3] = [Class::S3Sink, Class::JdbcSource, Class::PluginPipeline];

    /// By the whole name, by its last part, or by that without `Connector`.
    pub(super) fn find(word: &str) -> Option<Class> {
        let simple = |class: Class| class.name().rsplit('.').next().unwrap_or_default();
        let short = |class: Class| simple(class).strip_suffix("Connector").unwrap_or(simple(class));
        Class::ALL.into_iter().find(|class| [class.name(), simple(*class), short(*class)].contains(&word))
    }

    pub(super) fn of(config: &Config) -> Option<Class> {
        Class::find(text(config, "connector.class")?.trim())
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Class::JdbcSource => "io.confluent.connect.jdbc.JdbcSourceConnector",
            Class::S3Sink => "io.confluent.connect.s3.S3SinkConnector",
            Class::PluginPipeline => "smt-host.PluginPipeline",
        }
    }

    /// A pipeline is a sink to Connect: it reads topics, and its offsets are its group's.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Class::JdbcSource => "source",
            Class::S3Sink | Class::PluginPipeline => "sink",
        }
    }

    fn task_class(self) -> &'static str {
        match self {
            Class::JdbcSource => "io.confluent.connect.jdbc.source.JdbcSourceTask",
            Class::S3Sink => "io.confluent.connect.s3.S3SinkTask",
            Class::PluginPipeline => "smt-host.PluginPipelineTask",
        }
    }

    pub(super) fn has_key(self, key: &str) -> bool {
        match self {
            Class::JdbcSource => source::Connector::keys().contains(&key),
            Class::S3Sink => sink::Connector::keys().contains(&key),
            Class::PluginPipeline => plugin_pipeline::has_key(key),
        }
    }

    /// The configurations of its tasks. A source reads all of its tables in one.
    pub(super) fn tasks(self, config: &Config) -> Vec<Config> {
        let most = text(config, "tasks.max").and_then(|text| text.trim().parse().ok()).unwrap_or(1);
        let count = if self == Class::JdbcSource { 1 } else { most };
        let mut task = config.clone();
        task.insert("task.class".into(), self.task_class().into());
        vec![task; count]
    }

    /// Tasks that begin, fail and restart together. A sink's share nothing but their group. A source has one; a
    /// pipeline's are threads of one loop, whose outputs and state are one transaction's or nobody's.
    pub(super) fn fates(self, tasks: usize) -> Vec<Range<usize>> {
        match self {
            Class::S3Sink => (0..tasks).map(|task| task..task + 1).collect(),
            Class::JdbcSource | Class::PluginPipeline => std::iter::once(0..tasks).collect(),
        }
    }

    /// Reads a configuration with its references replaced. Contacts nothing.
    pub(super) fn parse(self, config: &Config, options: &Options, engine: &Engine) -> Result<Job, Stop> {
        let mut config = secrets::resolved(config)?;
        for (key, value) in options.set.iter().filter(|(key, _)| self.has_key(key)) {
            config.insert(key.clone(), value.resolve(key)?.into());
        }
        let json = || serde_json::Value::Object(config.clone()).to_string();
        match self {
            Class::JdbcSource => Ok(Job::Source(Box::new(source::Connector::parse(&json(), &[])?))),
            Class::S3Sink => Ok(Job::Sink(Box::new(sink::Connector::parse(&json(), &[])?))),
            Class::PluginPipeline => Ok(Job::Pipeline(Box::new(plugin_pipeline::spec(&config, options, engine)?))),
        }
    }
}

pub(super) fn text<'a>(config: &'a Config, key: &str) -> Option<&'a str> {
    config.get(key).and_then(serde_json::Value::as_str)
}

/// A connector that is ready to run.
pub(super) enum Job {
    Source(Box<source::Connector>),
    Sink(Box<sink::Connector>),
    Pipeline(Box<Spec>),
}

/// What a running connector has done.
#[derive(Default, Clone)]
pub struct Progress {
    pub source: Arc<source::Progress>,
    pub sink: Arc<sink::Progress>,
    pub pipeline: Arc<pipeline::Progress>,
}

impl Progress {
    pub(super) fn records(&self) -> u64 {
        self.source.records.load(Relaxed) + self.sink.records.load(Relaxed) + self.pipeline.records_in.load(Relaxed)
    }

    /// Topics that a source wrote to.
    pub(super) fn written(&self) -> Vec<String> {
        self.source.topics.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Job {
    /// The consumer group of one that reads topics.
    pub(super) fn group(&self) -> Option<String> {
        match self {
            Job::Source(_) => None,
            Job::Sink(connector) => Some(connector.group()),
            Job::Pipeline(spec) => Some(spec.group.clone()),
        }
    }

    /// Topics that it reads or writes, as far as its configuration says.
    pub(super) fn topics(&self) -> Vec<String> {
        match self {
            Job::Source(_) => Vec::new(),
            Job::Sink(connector) => connector.topics().to_vec(),
            Job::Pipeline(spec) => {
                let outputs = spec.members.iter().flat_map(|member| member.topics.iter().map(|(_, topic)| topic));
                spec.inputs.iter().chain(outputs).cloned().collect()
            }
        }
    }

    /// Runs tasks of one fate. Blocks until they fail or are asked to stop.
    pub(super) fn run(
        self,
        tasks: Range<usize>,
        options: &Options,
        shutdown: &Shutdown,
        progress: &Progress,
    ) -> Result<(), Stop> {
        match self {
            Job::Source(connector) => {
                let register =
                    |subject: &str, schema: &str| options.registry.register(subject, schema).map_err(Stop::from);
                let kafka = source::KafkaSettings {
                    brokers: options.kafka.brokers.clone(),
                    offsets_topic: options.offset_topic.clone(),
                    properties: options.kafka.properties.clone(),
                    delivery: Delivery::ExactlyOnce,
                    fail_fast: false,
                };
                source::run_connector(&connector, &kafka, &register, shutdown, &progress.source)
            }
            Job::Sink(connector) => {
                let (kafka, registry) = (&options.kafka, &options.registry);
                sink::run_some(&connector, tasks, kafka, registry, false, shutdown, &progress.sink)
            }
            Job::Pipeline(spec) => pipeline::run(*spec, shutdown, &progress.pipeline),
        }
    }
}
