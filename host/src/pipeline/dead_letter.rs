//! Dead letters: the record as it was, and why it stands here.
//!
//! Headers are Kafka Connect's plus the plugin's name, version and file hash. Written in the same transaction as the
//! outputs.

use rdkafka::message::{BorrowedMessage, Header, Message};

use super::prepare::Target;
use crate::guest::{Configured, Failure};
use crate::kafka::connect_errors;
use crate::kafka::transaction::Record;

/// Where in the record's way it failed; the names are Connect's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    KeyConverter,
    ValueConverter,
    Transformation,
}

const BROKE_CONTRACT: &str = "smt_host.PluginBrokeContract";

/// What went wrong with one record.
pub struct Cause {
    pub stage: Stage,
    pub class: &'static str,
    pub message: String,
    pub backtrace: String,
}

impl Cause {
    pub fn undecodable(message: String) -> Cause {
        Cause { stage: Stage::ValueConverter, class: "smt_host.Undecodable", message, backtrace: String::new() }
    }

    pub fn undecodable_key(message: String) -> Cause {
        Cause { stage: Stage::KeyConverter, ..Cause::undecodable(message) }
    }

    pub fn rejected(message: String) -> Cause {
        Cause { stage: Stage::Transformation, class: "smt_host.Rejected", message, backtrace: String::new() }
    }

    /// After the close of all its windows.
    pub fn late(lateness_ms: i64) -> Cause {
        let message = format!("{lateness_ms} ms late: its windows are closed");
        Cause { stage: Stage::Transformation, class: "smt_host.Late", message, backtrace: String::new() }
    }

    /// An output that is not what the plugin declared.
    pub fn off_schema(message: String) -> Cause {
        Cause { class: BROKE_CONTRACT, ..Cause::rejected(message) }
    }

    /// An output that no producer takes.
    pub fn too_large(bytes: usize, target: &Target) -> Cause {
        let Target { topic, record_bytes_max, .. } = target;
        Cause {
            class: "smt_host.RecordTooLarge",
            ..Cause::rejected(format!(
                "the plugin's output for topic {topic} is too large to be sent: {bytes} bytes with key and headers, \
                 of {record_bytes_max} that message.max.bytes allows"
            ))
        }
    }

    pub fn failed(failure: &Failure) -> Cause {
        let class = match failure {
            Failure::Trap { .. } => "smt_host.PluginTrapped",
            Failure::Time { .. } => "smt_host.PluginTimeLimit",
            Failure::Memory { .. } => "smt_host.PluginMemoryLimit",
            Failure::Output { .. } => "smt_host.PluginOutputLimit",
            Failure::Contract { .. } => BROKE_CONTRACT,
        };
        let backtrace = if let Failure::Trap { backtrace, .. } = failure { backtrace.clone() } else { String::new() };
        Cause { stage: Stage::Transformation, class, message: failure.to_string(), backtrace }
    }
}

/// The dead letter of `message`.
pub fn letter<'a>(
    topic: &'a str,
    pipeline: &str,
    configured: &Configured,
    message: &'a BorrowedMessage<'_>,
    cause: &Cause,
    record_bytes_max: usize,
) -> Record<'a> {
    let plugin = configured.plugin();
    let stage = match cause.stage {
        Stage::KeyConverter => "KEY_CONVERTER",
        Stage::ValueConverter => "VALUE_CONVERTER",
        Stage::Transformation => "TRANSFORMATION",
    };
    let context = connect_errors::Context {
        connector: pipeline,
        task: 0,
        stage,
        class: cause.class,
        message: &cause.message,
        backtrace: &cause.backtrace,
    };
    let mut headers = connect_errors::headers(message, &context);
    let description = plugin.description();
    for (name, value) in [
        ("smt.plugin.name", description.name.as_str()),
        ("smt.plugin.version", description.version.as_str()),
        ("smt.plugin.sha256", plugin.sha256()),
    ] {
        headers = headers.insert(Header { key: name, value: Some(value) });
    }
    let (value, headers) = connect_errors::fitting(message, headers, record_bytes_max);
    Record {
        topic,
        partition: None,
        key: message.key(),
        value,
        timestamp_ms: message.timestamp().to_millis(),
        headers: Some(headers),
    }
}
