//! What librdkafka reports while a worker polls. It goes on by itself from nearly everything, and says the same thing
//! many times: here it is logged once.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::Worker;
use crate::exit::Stop;
use crate::kafka::patience::Thing;

/// The error that was logged last.
#[derive(Default)]
pub(super) struct Errors {
    last: Option<RDKafkaErrorCode>,
}

impl Worker<'_> {
    pub(super) fn consumer_error(&mut self, error: &KafkaError) -> Result<(), Stop> {
        let spec = self.task.spec;
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            let text = format!("pipeline {}: the consumer failed for good: {error}", spec.name);
            return Err(Stop::dependency(text));
        }
        let code = error.rdkafka_error_code();
        match code {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) if spec.fail_fast => {
                let inputs = spec.inputs.join(", ");
                return Err(Stop::start(format!(
                    "pipeline {}: an input topic of {inputs} is gone: {error}",
                    spec.name
                )));
            }
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                self.member.disconnected();
                self.task.outage.away(&Thing::Brokers, error);
            }
            // One connection of several, or the way to all brokers being down.
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut,
            ) => {
                tracing::debug!(pipeline = spec.name, %error, "consumer");
            }
            _ if code == self.errors.last => {}
            _ => {
                self.errors.last = code;
                tracing::warn!(pipeline = spec.name, "consumer: {error}");
            }
        }
        Ok(())
    }
}
