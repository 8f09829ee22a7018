//! What can go wrong while a connector runs, and whether trying again may help. It decides; it never waits.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio_postgres::error::SqlState;

use crate::exit::{Exit, Stop};
use crate::kafka::topics;

#[derive(Debug)]
pub(super) enum Failure {
    /// The database is away: connect again and go on from the last committed offset.
    Database(String),
    /// Kafka did not take a transaction: a new producer settles its fate, and the stored offsets tell it.
    Kafka(String),
    /// The registry is away: nothing was sent yet.
    Registry(Stop),
    /// A table is gone: look whether the connector may go on without it.
    NoTable(Stop),
    Stop(Stop),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stop(stop)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        let Some(db) = error.as_db_error() else { return without_code(&error) };
        let text = format!("{} (SQLSTATE {})", db.message(), db.code().code());
        let class = db.code().code().get(..2).unwrap_or_default();
        // Connection, out of resources, operator intervention, transaction rolled back, lock not available.
        if matches!(class, "08" | "53" | "57" | "40" | "58") || *db.code() == SqlState::LOCK_NOT_AVAILABLE {
            return Failure::Database(text);
        }
        let stop = Stop::new(Exit::Connector, format!("the database refused: {text}"));
        if *db.code() == SqlState::UNDEFINED_TABLE { Failure::NoTable(stop) } else { Failure::Stop(stop) }
    }
}

/// Everything that is not the server's answer: sockets, and values that do not convert.
fn without_code(error: &tokio_postgres::Error) -> Failure {
    let text = chain(error);
    let socket = std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>());
    if error.is_closed() || socket || text.contains("timed out") || text.contains("timeout") {
        return Failure::Database(text);
    }
    Failure::Stop(Stop::new(Exit::Connector, format!("the database connection failed: {text}")))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

impl From<KafkaError> for Failure {
    fn from(error: KafkaError) -> Failure {
        let code = error.rdkafka_error_code();
        if matches!(
            code,
            Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch)
        ) {
            return Failure::Stop(Stop::new(Exit::Fenced, "another instance of this connector has taken over"));
        }
        match code {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                Failure::Stop(Stop::new(Exit::Connector, format!("kafka refuses a record: {error}")))
            }
            _ => Failure::Kafka(topics::reason(&error)),
        }
    }
}
