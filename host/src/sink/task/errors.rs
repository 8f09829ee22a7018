//! What librdkafka reports while a task polls. It goes on by itself from nearly everything; here it is said once.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::{Stop, Task};

/// The error that was logged last.
#[derive(Default)]
pub(super) struct Errors {
    last: Option<RDKafkaErrorCode>,
}

impl Task<'_> {
    pub(super) fn consumer_error(&mut self, error: &KafkaError) -> Result<(), Stop> {
        let name = &self.desk.connector.name;
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return Err(Stop::dependency(format!("sink {name}: the consumer failed for good: {error}")));
        }
        let code = error.rdkafka_error_code();
        let missing = code == Some(RDKafkaErrorCode::UnknownTopicOrPartition);
        match code {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) if self.shared.fail_fast => {
                return Err(Stop::start(format!("sink {name}: a topic is not there: {error}")));
            }
            Some(RDKafkaErrorCode::AllBrokersDown) => self.member.lost(),
            // One connection of several, or the way to all brokers being down.
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut,
            ) => tracing::debug!(connector = name, %error, "consumer"),
            _ if code == self.errors.last => {}
            _ => {
                self.errors.last = code;
                let waits = if missing { "; waiting for it" } else { "" };
                tracing::warn!(connector = name, "consumer: {error}{waits}");
            }
        }
        Ok(())
    }
}
