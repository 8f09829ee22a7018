//! What becomes of a record that cannot be written: the task fails, or it is left out and told as the file asks.

use std::time::Duration;

use rdkafka::message::{BorrowedMessage, Message, OwnedHeaders};
use rdkafka::producer::Producer;

use super::config::{Connector, DeadLetters};
use crate::connect::Reason;
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::kafka::connect_errors::{self, Context};
use crate::kafka::patience::Patience;
use crate::kafka::producer::{self, Client, Record};
use crate::kafka::topics::{self, Shape};

/// Connect's names for the steps of a record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    KeyConverter,
    ValueConverter,
    HeaderConverter,
    Put,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Stage::KeyConverter => "KEY_CONVERTER",
            Stage::ValueConverter => "VALUE_CONVERTER",
            Stage::HeaderConverter => "HEADER_CONVERTER",
            Stage::Put => "TASK_PUT",
        }
    }
}

pub(super) struct Rejects<'a> {
    connector: &'a Connector,
    task: usize,
    letters: Option<(&'a DeadLetters, Client)>,
    unsent: bool,
    record_bytes_max: usize,
}

impl<'a> Rejects<'a> {
    pub(super) fn open(
        connector: &'a Connector,
        task: usize,
        kafka: &Settings,
        patience: &Patience,
    ) -> Result<Rejects<'a>, Stop> {
        let open = |letters: &'a DeadLetters| {
            topics::ensure(kafka, &letters.topic, Shape { partitions: 1, replicas: letters.replication })?;
            let client = producer::open(kafka, None, patience).map_err(|error| topics::away(kafka, &error))?;
            Ok::<_, Stop>((letters, client))
        };
        let wanted = connector.errors.dead_letters.as_ref().filter(|_| connector.errors.tolerated);
        Ok(Rejects {
            connector,
            task,
            letters: wanted.map(open).transpose()?,
            unsent: false,
            record_bytes_max: kafka.record_bytes_max(),
        })
    }

    /// The record is left out, or the task fails.
    pub(super) fn reject(&mut self, message: &BorrowedMessage<'_>, stage: Stage, reason: &Reason) -> Result<(), Stop> {
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        let what = format!("record {topic}-{partition} offset {offset}: {reason}");
        let errors = &self.connector.errors;
        if !errors.tolerated {
            return Err(Stop::new(Exit::Connector, what)
                .hint("errors.tolerance=all leaves such records out, errors.deadletterqueue.topic.name keeps them"));
        }
        if errors.logged {
            tracing::warn!(connector = self.connector.name, "left out: {what}");
        }
        let Some((letters, client)) = &self.letters else { return Ok(()) };
        let reason = reason.to_string();
        let context = Context {
            connector: &self.connector.name,
            task: self.task,
            stage: stage.name(),
            class: "smt_host.Unwritable",
            message: &reason,
            backtrace: "",
        };
        let headers = match letters.context {
            true => Some(connect_errors::headers(message, &context)),
            false => message.headers().map(|headers| headers.detach()),
        };
        let (value, headers) =
            connect_errors::fitting(message, headers.unwrap_or_else(OwnedHeaders::new), self.record_bytes_max);
        let letter = Record {
            topic: &letters.topic,
            partition: None,
            key: message.key(),
            value,
            timestamp_ms: message.timestamp().to_millis(),
            headers: Some(headers),
        };
        self.unsent = true;
        producer::send(client, letter).map_err(|error| self.lost(&error.to_string()))
    }

    /// All dead letters are there. Before the offsets behind them are committed.
    pub(super) fn flush(&mut self, patience: &Patience) -> Result<(), Stop> {
        let Some((_, client)) = self.letters.as_ref().filter(|_| self.unsent) else { return Ok(()) };
        let flushed = patience.ask(|wait: Duration| producer::flush(client, wait));
        let delivered = flushed.and_then(|()| client.context().check());
        delivered.map_err(|error| self.lost(&error.to_string()))?;
        self.unsent = false;
        Ok(())
    }

    fn lost(&self, why: &str) -> Stop {
        Stop::dependency(format!("sink {}: a dead letter could not be written: {why}", self.connector.name))
            .hint("nothing is lost: start it again, it goes on from what is committed")
    }
}
