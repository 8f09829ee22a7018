//! How large a record may be, counted as librdkafka counts it before it takes one. Never decides what becomes of one
//! that is larger.

use rdkafka::message::Headers;

use super::Settings;

/// `message.max.bytes`, unless it is set.
const DEFAULT_BYTES_MAX: usize = 1_000_000;
/// Lengths, timestamp and the like of one record.
const RECORD_OVERHEAD: usize = 36;
/// The most that the two lengths of a header take.
const HEADER_OVERHEAD: usize = 10;

impl Settings {
    /// The largest record that a producer takes.
    pub fn record_bytes_max(&self) -> usize {
        let set = self.properties.iter().rev().find(|(name, _)| name == "message.max.bytes");
        set.and_then(|(_, value)| value.parse().ok()).unwrap_or(DEFAULT_BYTES_MAX)
    }
}

/// Of a record with a key and a value of so many bytes, without its headers.
pub fn of_record(key_bytes: usize, value_bytes: usize) -> usize {
    RECORD_OVERHEAD + key_bytes + value_bytes
}

pub fn of_headers(headers: &impl Headers) -> usize {
    let one = |header: rdkafka::message::Header<'_, &[u8]>| {
        HEADER_OVERHEAD + header.key.len() + header.value.map_or(0, <[u8]>::len)
    };
    headers.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::error::{KafkaError, RDKafkaErrorCode};
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{BaseProducer, BaseRecord};

    #[test]
    fn the_last_property_counts() {
        let mut settings = Settings::new("127.0.0.1:1");
        assert_eq!(settings.record_bytes_max(), 1_000_000);
        for value in ["2000", "3000"] {
            settings.properties.push(("message.max.bytes".to_owned(), value.to_owned()));
        }
        assert_eq!(settings.record_bytes_max(), 3000);
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn a_record_of_the_largest_size_is_taken_and_one_byte_more_is_not() {
        let mut settings = Settings::new("127.0.0.1:1");
        settings.properties.push(("message.max.bytes".to_owned(), "2000".to_owned()));
        let producer: BaseProducer = settings.idempotent().create().unwrap();
        let takes = |value_bytes: usize| {
            let value = vec![b'x'; value_bytes];
            let sent = producer.send(BaseRecord::to("t").partition(0).key("key").payload(&value));
            match sent {
                Ok(()) => true,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _)) => false,
                Err((error, _)) => panic!("{error}"),
            }
        };
        let largest = 2000 - of_record(3, 0);
        assert_eq!([takes(largest), takes(largest + 1)], [true, false]);
    }

    #[test]
    fn headers_count_with_their_names() {
        let headers = OwnedHeaders::new().insert(Header { key: "ab", value: Some("cde") });
        let headers = headers.insert(Header { key: "f", value: None::<&[u8]> });
        assert_eq!(of_headers(&headers), 2 * HEADER_OVERHEAD + 6);
    }
}
