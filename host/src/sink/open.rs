//! One open file: the objects of a record's parts, written side by side so that their lines belong together.

use super::format::{Compression, FileWriter, Format, View};
use super::store::{Body, Object, Outbox};
use crate::connect::{Datum, Reason};

/// A converted record.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) value: Datum,
    /// Where keys are stored.
    pub(super) key: Option<Datum>,
    /// Where headers are stored.
    pub(super) headers: Option<Datum>,
    /// The registry's ids of the schemas of value and key.
    pub(super) ids: (Option<u32>, Option<u32>),
}

impl Parts {
    fn schema_id(&self, part: View) -> Option<u32> {
        match part {
            View::Value => self.ids.0,
            View::Key => self.ids.1,
            View::Headers => None,
        }
    }

    /// What is written of it. A null value has no file: its key says it all.
    pub(super) fn get(&self, part: View) -> Option<&Datum> {
        match part {
            View::Value => Some(&self.value).filter(|value| !value.is_null()),
            View::Key => self.key.as_ref(),
            View::Headers => self.headers.as_ref(),
        }
    }
}

/// Why a record is not in its files.
#[derive(Debug)]
pub(super) enum Faulty {
    /// The files are as they were.
    Clean(Reason),
    /// Some of them have it: they have to be made again without it.
    Torn(Reason),
}

struct Writing {
    part: View,
    format: &'static str,
    schema_id: Option<u32>,
    file: FileWriter,
    object: Object,
}

pub(super) struct Open(Vec<Writing>);

impl Open {
    pub(super) fn begin() -> Open {
        Open(Vec::new())
    }

    /// Adds the object of a part. Nothing is written yet.
    pub(super) fn add(
        &mut self,
        part: View,
        format: &Format,
        compression: Compression,
        first: &Parts,
        key: String,
    ) -> Result<(), Reason> {
        let Some(datum) = first.get(part) else { return Ok(()) };
        let file = format.open(compression, datum)?;
        let (format, schema_id) = (format.name(), first.schema_id(part));
        self.0.push(Writing { part, format, schema_id, file, object: Object::new(key) });
        Ok(())
    }

    /// `value`: as the file wants it, where that is not as it came.
    pub(super) fn append(&mut self, record: &Parts, value: Option<&Datum>) -> Result<(), Faulty> {
        for (number, writing) in self.0.iter_mut().enumerate() {
            let given = value.filter(|_| writing.part == View::Value).or_else(|| record.get(writing.part));
            let Some(datum) = given else { continue };
            if let Err(reason) = writing.file.append(datum) {
                return Err(if number == 0 { Faulty::Clean(reason) } else { Faulty::Torn(reason) });
            }
        }
        Ok(())
    }

    /// A file of tombstones has keys only.
    pub(super) fn has_value(&self) -> bool {
        self.0.iter().any(|writing| writing.part == View::Value)
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        self.0.iter().map(|writing| writing.file.buffered() + writing.object.pending()).sum()
    }

    /// Sends what makes whole parts.
    pub(super) fn ship(&mut self, part_size: usize, outbox: &Outbox) {
        for writing in &mut self.0 {
            if writing.file.buffered() + writing.object.pending() >= part_size {
                let ready = writing.file.take();
                writing.object.push(ready, part_size, outbox);
            }
        }
    }

    /// Format and schema id of each object.
    pub(super) fn kinds(&self) -> Vec<(&'static str, Option<u32>)> {
        self.0.iter().map(|writing| (writing.format, writing.schema_id)).collect()
    }

    /// The objects in the order in which they are completed.
    pub(super) fn close(self, outbox: &Outbox) -> Result<Vec<Body>, Reason> {
        let close = |writing: Writing| Ok(writing.object.close(writing.file.finish()?, outbox));
        self.0.into_iter().map(close).collect()
    }
}
