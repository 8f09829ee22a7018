//! AvroConverter: the schema of an id from the registry, compiled once; its version in the subject is Connect's.

use crate::connect::avro::Reader;
use crate::connect::{Datum, Reason};
use crate::registry::{Error, Registry, wire};

#[derive(Debug)]
pub struct AvroConverter {
    registry: Registry,
    /// What the subject's name ends in.
    suffix: &'static str,
    /// Of each topic and schema id, newest last: few, and mostly the last is the one.
    readers: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    topic: Box<str>,
    id: u32,
    reader: Result<Reader, String>,
}

impl AvroConverter {
    pub(super) fn new(registry: Registry, key: bool) -> AvroConverter {
        AvroConverter { registry, suffix: if key { "-key" } else { "-value" }, readers: Vec::new() }
    }

    pub(super) fn convert(&mut self, topic: &str, bytes: &[u8]) -> Result<Datum, Reason> {
        let (id, datum) = wire::unframe(bytes).map_err(|error| Reason::record(error.to_string()))?;
        let reader = self.reader(topic, id)?;
        let value =
            reader.read_framed(datum).map_err(|error| Reason::record(format!("value with schema id {id}: {error}")))?;
        Ok(Datum { schema: Some(reader.schema.clone()), value })
    }

    fn reader(&mut self, topic: &str, id: u32) -> Result<&Reader, Reason> {
        let known = self.readers.iter().rposition(|known| known.id == id && *known.topic == *topic);
        let index = match known {
            Some(index) => index,
            None => {
                let reader = self.compile(topic, id)?;
                self.readers.push(Known { topic: topic.into(), id, reader });
                self.readers.len() - 1
            }
        };
        self.readers[index].reader.as_ref().map_err(|why| Reason::Record(why.clone()))
    }

    /// `Err` where the registry is away, an `Err` inside where the schema is of no use.
    fn compile(&self, topic: &str, id: u32) -> Result<Result<Reader, String>, Reason> {
        let schema = match self.registry.schema(id) {
            Ok(schema) => schema,
            Err(error @ Error::Unreachable { .. }) => return Err(Reason::Away(error.to_string())),
            Err(error) => return Ok(Err(format!("schema id {id}: {error}"))),
        };
        // Connect's task would fail where the subject lacks the schema; the data are whole without a version.
        let version = match self.registry.version(&format!("{topic}{}", self.suffix), &schema) {
            Ok(version) => version.and_then(|version| i32::try_from(version).ok()),
            Err(error @ Error::Unreachable { .. }) => return Err(Reason::Away(error.to_string())),
            Err(_) => None,
        };
        Ok(Reader::compile(&schema, version).map_err(|why| format!("schema id {id}: {why}")))
    }
}
