//! The headers that Kafka Connect puts on a dead letter
//! (`org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter`).

use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};

use super::size;

/// Where and why a record failed.
pub struct Context<'a> {
    /// Of the connector; of a pipeline, where there is none.
    pub connector: &'a str,
    pub task: usize,
    /// Connect's name for the step.
    pub stage: &'a str,
    pub class: &'a str,
    pub message: &'a str,
    /// Empty: none.
    pub backtrace: &'a str,
}

/// A message is kept within what a broker takes: reasons are others' text and may be huge.
const TEXT_BYTES_MAX: usize = 4096;

/// In place of a value that does not fit beside the headers.
const VALUE_DROPPED: &str = "smt.value.dropped";
const STACKTRACE: &str = "__connect.errors.exception.stacktrace";

/// The record's own headers, then Connect's.
pub fn headers(message: &BorrowedMessage<'_>, context: &Context<'_>) -> OwnedHeaders {
    let mut headers = message.headers().map_or_else(OwnedHeaders::new, |headers| headers.detach());
    let numbers = [message.partition().to_string(), message.offset().to_string(), context.task.to_string()];
    let [partition, offset, task] = numbers.each_ref().map(String::as_str);
    for (name, value) in [
        ("__connect.errors.topic", message.topic()),
        ("__connect.errors.partition", partition),
        ("__connect.errors.offset", offset),
        ("__connect.errors.connector.name", context.connector),
        ("__connect.errors.task.id", task),
        ("__connect.errors.stage", context.stage),
        ("__connect.errors.class.name", context.class),
        ("__connect.errors.exception.class.name", context.class),
        ("__connect.errors.exception.message", shortened(context.message)),
        (STACKTRACE, shortened(context.backtrace)),
    ] {
        // As Connect does for an error without a trace: no header rather than an empty one.
        if name != STACKTRACE || !value.is_empty() {
            headers = headers.insert(Header { key: name, value: Some(value) });
        }
    }
    headers
}

/// The value, and the headers: without the value, and saying so, where both together are more than a producer takes.
pub fn fitting<'a>(
    message: &'a BorrowedMessage<'_>,
    headers: OwnedHeaders,
    record_bytes_max: usize,
) -> (Option<&'a [u8]>, OwnedHeaders) {
    let bytes = size::of_record(message.key_len(), message.payload_len()) + size::of_headers(&headers);
    if bytes <= record_bytes_max {
        return (message.payload(), headers);
    }
    let why = format!(
        "its {} bytes and these headers are more than the {record_bytes_max} that message.max.bytes allows",
        message.payload_len()
    );
    (None, headers.insert(Header { key: VALUE_DROPPED, value: Some(&why) }))
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
