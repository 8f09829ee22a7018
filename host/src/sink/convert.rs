//! From Kafka's bytes to what is written: the converters, and what a connector file says of nulls.

use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Headers, Message};

use super::config::{Connector, OnNull};
use super::format::{Format, View};
use super::open::Parts;
use super::reject::Stage;
use crate::connect::{Converter, Datum, Field, Kind, Reason, Schema, Value, text};
use crate::exit::{Exit, Stop};
use crate::registry::Registry;

pub(super) enum Converted {
    Record(Parts),
    /// `behavior.on.null.values=ignore`
    Skipped,
    Faulty(Stage, Reason),
}

pub(super) struct Convert {
    key: Converter,
    value: Converter,
    /// Where keys are stored.
    key_format: Option<Format>,
    /// Where headers are stored, with the schema of all headers of a record.
    headers: Option<(Format, Arc<Schema>)>,
    on_null: OnNull,
}

impl Convert {
    pub(super) fn new(connector: &Connector, registry: &Registry) -> Convert {
        let (key, value) = connector.converters(registry);
        let headers = connector.formats.headers.as_ref().map(|kind| (kind.format.clone(), header_schema()));
        let key_format = connector.formats.key.as_ref().map(|kind| kind.format.clone());
        Convert { key, value, key_format, headers, on_null: connector.on_null }
    }

    pub(super) fn record(&mut self, message: &BorrowedMessage<'_>) -> Result<Converted, Stop> {
        let topic = message.topic();
        let value = match self.value.to_connect(topic, message.payload()) {
            Ok(value) => value,
            Err(reason) => return Ok(Converted::Faulty(Stage::ValueConverter, reason)),
        };
        if value.is_null() {
            match self.on_null {
                OnNull::Fail => return Err(null_value(message)),
                OnNull::Ignore => return Ok(Converted::Skipped),
                OnNull::Write => {}
            }
        }
        let ids = (self.value.schema_id(message.payload()), self.key.schema_id(message.key()));
        let mut record = Parts { value, key: None, headers: None, ids };
        if let Some(format) = &self.key_format {
            match self.key.to_connect(topic, message.key()) {
                Ok(key) if key.is_null() => {
                    let reason = Reason::record("the key is null, and store.kafka.keys is true");
                    return Ok(Converted::Faulty(Stage::Put, reason));
                }
                Ok(key) => record.key = Some(format.view(View::Key, key)),
                Err(reason) => return Ok(Converted::Faulty(Stage::KeyConverter, reason)),
            }
        }
        if let Some((format, schema)) = &self.headers {
            match headers(schema, message) {
                Ok(headers) => record.headers = Some(format.view(View::Headers, headers)),
                Err(reason) => return Ok(Converted::Faulty(Stage::HeaderConverter, reason)),
            }
        }
        Ok(Converted::Record(record))
    }
}

fn null_value(message: &BorrowedMessage<'_>) -> Stop {
    let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
    let what =
        format!("record {topic}-{partition} offset {offset} has a null value, and behavior.on.null.values is fail");
    Stop::new(Exit::Connector, what).hint("set it to ignore, or with stored keys to write")
}

/// Of all headers of a record.
fn header_schema() -> Arc<Schema> {
    let field = |name: &str| Field { name: name.to_owned(), schema: Arc::new(Schema::new(Kind::String)) };
    let header = Schema::new(Kind::Struct(vec![field("key"), field("value")]));
    Arc::new(Schema::new(Kind::Array(Arc::new(header))))
}

fn headers(schema: &Arc<Schema>, message: &BorrowedMessage<'_>) -> Result<Datum, Reason> {
    let Some(given) = message.headers().filter(|headers| headers.count() > 0) else {
        return Err(Reason::record("the record has no headers, and store.kafka.headers is true"));
    };
    let one = |header: rdkafka::message::Header<'_, &[u8]>| match header.value {
        Some(bytes) => {
            Ok(Value::Struct(vec![Value::String(header.key.into()), Value::String(text::decode(bytes).into())]))
        }
        None => Err(Reason::record(format!("header {:?} is null", header.key))),
    };
    let all = given.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok(Datum { schema: Some(schema.clone()), value: Value::Array(all) })
}
