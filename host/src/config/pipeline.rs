//! `[[pipeline]]` and `[[pipeline.plugin]]`. As options they hold for every pipeline, and win over the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use serde::{Deserialize, Serialize};

use super::{Count, Properties, Size, Time, Window, one_or_many, set, set_list};
use crate::kafka::From;
use crate::pipeline::{Delivery, OnError};

/// One input, one consumer group, and plugins that share reads, transactions and fate.
#[derive(clap::Args, Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pipeline {
    /// By default the plugin's.
    #[arg(skip)]
    pub name: Option<String>,
    /// Consumer group [default: smt-<pipeline>]
    #[arg(long, env = "SMT_GROUP")]
    pub group: Option<String>,
    /// Input topic; repeatable, or comma-separated [default: postgres-customers]
    #[arg(long, env = "SMT_INPUT", value_name = "TOPIC", value_delimiter = ',')]
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<String>,
    /// Worker threads a pipeline, 1 to 256 [default: 1]
    #[arg(long, env = "SMT_WORKERS", value_name = "N")]
    pub workers: Option<Count>,
    /// Where a group without committed offsets begins [default: earliest]
    #[arg(long, env = "SMT_FROM")]
    pub from: Option<From>,
    /// What holds after a crash [default: exactly-once]
    #[arg(long, env = "SMT_DELIVERY")]
    pub delivery: Option<Delivery>,
    /// The longest that a transaction stays open under load [default: 100ms]
    #[arg(long, env = "SMT_COMMIT_INTERVAL", value_name = "TIME")]
    pub commit_interval: Option<Time>,
    /// What is done with a record that cannot be handled [default: dead-letter]
    #[arg(long, env = "SMT_ON_ERROR")]
    pub on_error: Option<OnError>,
    /// So many failures in a row stop the pipeline [default: 100]
    #[arg(long, env = "SMT_FAILURES_MAX", value_name = "N")]
    pub failures_max: Option<Count>,
    /// Dead-letter topic [default: smt-dead-letters-<pipeline>]
    #[arg(long, env = "SMT_DEAD_LETTER_TOPIC", value_name = "TOPIC")]
    pub dead_letter_topic: Option<String>,
    /// Create output topics that do not exist [default: true]
    #[arg(long, env = "SMT_CREATE_TOPICS", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub create_topics: Option<bool>,
    /// Stop with exit code 0 when everything that was in the input at start is done [default: false]
    #[arg(long, env = "SMT_UNTIL_END", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub until_end: Option<bool>,
    #[arg(skip)]
    pub plugin: Vec<Plugin>,
}

/// One plugin file and what it is given.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plugin {
    pub file: PathBuf,
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub settings: Properties,
    /// Output name to topic.
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Window::is_empty")]
    pub window: Window,
    #[serde(default)]
    pub limits: Limits,
}

/// What a plugin may use.
#[derive(clap::Args, Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Memory that a plugin's instance may use [default: 128MiB]
    #[arg(long, env = "SMT_MEMORY", value_name = "SIZE")]
    pub memory: Option<Size>,
    /// CPU time that a plugin may use, for each record of a batch [default: 1ms]
    #[arg(long, env = "SMT_CPU_PER_RECORD", value_name = "TIME")]
    pub cpu_per_record: Option<Time>,
    /// Records that a plugin may make, for each record of a batch [default: 1000]
    #[arg(long, env = "SMT_OUTPUT_RECORDS", value_name = "N")]
    pub output_records: Option<Count>,
    /// Bytes that a plugin may make of one batch [default: 64MiB]
    #[arg(long, env = "SMT_OUTPUT_BYTES", value_name = "SIZE")]
    pub output_bytes: Option<Size>,
    /// Bytes that an aggregating plugin may keep of one group in one window [default: 1MiB]
    #[arg(long, env = "SMT_ACCUMULATOR_BYTES", value_name = "SIZE")]
    pub accumulator_bytes: Option<Size>,
}

impl Pipeline {
    pub fn override_by(&mut self, over: &Pipeline) {
        set(&mut self.group, &over.group);
        set_list(&mut self.input, &over.input);
        set(&mut self.workers, &over.workers);
        set(&mut self.from, &over.from);
        set(&mut self.delivery, &over.delivery);
        set(&mut self.commit_interval, &over.commit_interval);
        set(&mut self.on_error, &over.on_error);
        set(&mut self.failures_max, &over.failures_max);
        set(&mut self.dead_letter_topic, &over.dead_letter_topic);
        set(&mut self.create_topics, &over.create_topics);
        set(&mut self.until_end, &over.until_end);
    }
}

impl Limits {
    pub fn override_by(&mut self, over: &Limits) {
        set(&mut self.memory, &over.memory);
        set(&mut self.cpu_per_record, &over.cpu_per_record);
        set(&mut self.output_records, &over.output_records);
        set(&mut self.output_bytes, &over.output_bytes);
        set(&mut self.accumulator_bytes, &over.accumulator_bytes);
    }
}
