//! Dead letters: the record as it was, and why it stands here.
//!
//! Headers are Kafka Connect's (`org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter`) plus the plugin's
//! name, version and file hash. Written in the same transaction as the outputs.

use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};

use crate::guest::{Configured, Failure};
use crate::kafka::transaction::Record;

/// Where in the record's way it failed; the names are Connect's.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    ValueConverter,
    Transformation,
}

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

    pub fn rejected(message: String) -> Cause {
        Cause { stage: Stage::Transformation, class: "smt_host.Rejected", message, backtrace: String::new() }
    }

    /// After the close of all its windows.
    pub fn late(lateness_ms: i64) -> Cause {
        let message = format!("{lateness_ms} ms late: its windows are closed");
        Cause { stage: Stage::Transformation, class: "smt_host.Late", message, backtrace: String::new() }
    }

    pub fn failed(failure: &Failure) -> Cause {
        let class = match failure {
            Failure::Trap { .. } => "smt_host.PluginTrapped",
            Failure::Time { .. } => "smt_host.PluginTimeLimit",
            Failure::Memory { .. } => "smt_host.PluginMemoryLimit",
            Failure::Output { .. } => "smt_host.PluginOutputLimit",
            Failure::Contract { .. } => "smt_host.PluginBrokeContract",
        };
        let backtrace = if let Failure::Trap { backtrace, .. } = failure { backtrace.clone() } else { String::new() };
        Cause { stage: Stage::Transformation, class, message: failure.to_string(), backtrace }
    }
}

/// A message is kept within what a broker takes: reasons are a plugin's text and may be huge.
const TEXT_BYTES_MAX: usize = 4096;

const STACKTRACE: &str = "__connect.errors.exception.stacktrace";

/// The dead letter of `message`.
pub fn letter<'a>(
    topic: &'a str,
    pipeline: &str,
    configured: &Configured,
    message: &'a BorrowedMessage<'_>,
    cause: &Cause,
) -> Record<'a> {
    let plugin = configured.plugin();
    let stage = match cause.stage {
        Stage::ValueConverter => "VALUE_CONVERTER",
        Stage::Transformation => "TRANSFORMATION",
    };
    let mut headers = message.headers().map_or_else(OwnedHeaders::new, |headers| headers.detach());
    let (partition, offset) = (message.partition().to_string(), message.offset().to_string());
    let description = plugin.description();
    for (name, value) in [
        ("__connect.errors.topic", message.topic()),
        ("__connect.errors.partition", partition.as_str()),
        ("__connect.errors.offset", offset.as_str()),
        ("__connect.errors.connector.name", pipeline),
        ("__connect.errors.task.id", "0"),
        ("__connect.errors.stage", stage),
        ("__connect.errors.class.name", cause.class),
        ("__connect.errors.exception.class.name", cause.class),
        ("__connect.errors.exception.message", shortened(&cause.message)),
        (STACKTRACE, shortened(&cause.backtrace)),
        ("smt.plugin.name", description.name.as_str()),
        ("smt.plugin.version", description.version.as_str()),
        ("smt.plugin.sha256", plugin.sha256()),
    ] {
        // As Connect does for an error without a trace: no header rather than an empty one.
        if name != STACKTRACE || !value.is_empty() {
            headers = headers.insert(Header { key: name, value: Some(value) });
        }
    }
    Record {
        topic,
        partition: None,
        key: message.key(),
        value: message.payload(),
        timestamp_ms: message.timestamp().to_millis(),
        headers: Some(headers),
    }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_reasons_are_cut_at_a_character() {
        let text = "é".repeat(TEXT_BYTES_MAX);
        assert_eq!(shortened(&text).len(), TEXT_BYTES_MAX);
        assert_eq!(shortened(&format!("a{text}")).len(), TEXT_BYTES_MAX - 1);
        assert_eq!(shortened("short"), "short");
    }
}
