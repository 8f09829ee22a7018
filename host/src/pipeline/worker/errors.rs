//! What librdkafka reports while a worker polls. It goes on by itself from nearly everything, and says the same thing
//! many times: here it is logged once.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::Worker;
use crate::exit::{Exit, Stop};
use crate::kafka::transaction::Failed;
use crate::pipeline::Spec;

/// The error that was logged last.
#[derive(Default)]
pub(super) struct Errors {
    last: Option<RDKafkaErrorCode>,
}

/// A broker's own limit, or headers beyond all measure: what is known to be too large was made a dead letter.
pub(super) fn too_large(spec: &Spec) -> Stop {
    let text = format!("pipeline {}: a record that it wrote is refused as too large for its topic", spec.name);
    Stop::new(Exit::Plugin, text).hint(format!(
        "raise max.message.bytes of the output topics and of {}, or give -X message.max.bytes=N what they take: larger \
         records are dead letters then; what came before is committed",
        spec.dead_letter_topic
    ))
}

/// Why a pipeline ends whose transaction cannot go on.
pub(super) fn fatal(spec: &Spec, failed: &Failed) -> Stop {
    match failed {
        Failed::Fenced => Stop::new(
            Exit::Fenced,
            format!("pipeline {}: another instance with id {} has taken over", spec.name, spec.instance_id),
        )
        .hint("give each live instance its own --instance-id or --state-dir"),
        Failed::Aborted(error) | Failed::Fatal(error) => {
            Stop::dependency(format!("pipeline {}: the transaction cannot go on: {error}", spec.name))
        }
    }
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
            Some(RDKafkaErrorCode::AllBrokersDown) => self.member.lost(),
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
