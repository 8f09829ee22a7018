//! From the bytes on a topic to the layout that a plugin asked for.
//!
//! One plan for each writer schema, compiled when its id is first met. Never guesses: what cannot be resolved is
//! rejected with both schemas named.

use std::collections::VecDeque;

use crate::avro::{Plan, Schema, ToJson};
use crate::exit::Stop;
use crate::guest::{Column, Format};
use crate::registry::{self, Registry, wire};

/// Ids without a usable schema that are remembered, the oldest forgotten first: more than a batch can hold.
const REFUSED_MAX: usize = 2048;

/// What of its records a plugin's resolver is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Key,
    Value,
}

/// How one plugin wants its values, or its keys.
pub struct Resolver {
    part: Part,
    wanted: Wanted,
    registry: Registry,
    plans: Vec<(u32, Resolve)>,
    /// Ids without a usable schema, and why. Apart, so that no good record looks through them.
    refused: VecDeque<(u32, Reason)>,
    scratch: Vec<u8>,
}

enum Wanted {
    Avro(Schema),
    AvroAsJson(Schema, ToJson),
    Json,
    Bytes,
}

enum Resolve {
    /// The writer's layout is the reader's.
    Straight,
    Plan(Plan),
    Json(ToJson),
}

/// Why a value was rejected: text for the dead letter.
pub type Reason = String;

impl Resolver {
    pub fn new(part: Part, format: &Format, registry: Registry, plugin: &str) -> Result<Resolver, Stop> {
        let parse = |text: &str| {
            let what = if part == Part::Key { "the schema of its keys" } else { "the input schema" };
            Schema::parse(text).map_err(|error| Stop::start(format!("plugin {plugin}: {what} is not Avro: {error}")))
        };
        let wanted = match format {
            Format::Avro(text) => Wanted::Avro(parse(text)?),
            Format::AvroAsJson(text) => {
                let schema = parse(text)?;
                let to_json = ToJson::compile(&schema);
                Wanted::AvroAsJson(schema, to_json)
            }
            Format::Json => Wanted::Json,
            Format::Bytes => Wanted::Bytes,
        };
        Ok(Resolver { part, wanted, registry, plans: Vec::new(), refused: VecDeque::new(), scratch: Vec::new() })
    }

    /// The id of the writer's schema, where values of this format carry one; 0 where they do not.
    pub fn writer_id(&self, value: &[u8]) -> u32 {
        match self.wanted {
            Wanted::Bytes => 0,
            _ => wire::unframe(value).map_or(0, |(id, _)| id),
        }
    }

    /// Whether values of this format may carry a writer's schema id.
    pub fn reads_ids(&self) -> bool {
        !matches!(self.wanted, Wanted::Bytes)
    }

    /// Makes sure that values of a writer can be resolved or rejected without asking the registry.
    pub fn learn(&mut self, writer: u32) -> Result<(), Stop> {
        if writer != 0
            && self.reads_ids()
            && let Err(Err(stop)) = self.plan_index(writer)
        {
            return Err(stop);
        }
        Ok(())
    }

    /// Appends the next entry of a column, null where there are no bytes. What is rejected leaves nothing behind.
    pub fn push(&mut self, bytes: Option<&[u8]>, column: &mut Column) -> Result<(), Result<Reason, Stop>> {
        let Some(bytes) = bytes else {
            column.lengths.push(-1);
            return Ok(());
        };
        let start = column.data.len();
        match self.append(bytes, &mut column.data) {
            Ok(()) => column.lengths.push((column.data.len() - start) as i32),
            Err(why) => {
                column.data.truncate(start);
                return Err(why);
            }
        }
        Ok(())
    }

    /// Appends the value in the wanted layout. `Err(Ok(reason))` rejects the record, `Err(Err(stop))` ends the
    /// pipeline (the registry is gone).
    fn append(&mut self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Result<Reason, Stop>> {
        if matches!(self.wanted, Wanted::Bytes) || (matches!(self.wanted, Wanted::Json) && value.first() != Some(&0)) {
            out.extend_from_slice(value);
            return Ok(());
        }
        let part = if self.part == Part::Key { "key" } else { "value" };
        let (id, datum) = wire::unframe(value).map_err(|error| Ok(format!("a {part} cannot be read: {error}")))?;
        let index = self.plan_index(id)?;
        let resolve = &self.plans[index].1;
        let bad = |error: crate::avro::Malformed| Ok(format!("{part} with schema id {id}: {error}"));
        match (resolve, &self.wanted) {
            (Resolve::Straight, Wanted::AvroAsJson(_, to_json)) => to_json.run(datum, out).map_err(bad),
            (Resolve::Plan(plan), Wanted::AvroAsJson(_, to_json)) => {
                self.scratch.clear();
                plan.run(datum, &mut self.scratch).map_err(bad)?;
                to_json.run(&self.scratch, out).map_err(bad)
            }
            (Resolve::Straight, _) => {
                out.extend_from_slice(datum);
                Ok(())
            }
            (Resolve::Plan(plan), _) => plan.run(datum, out).map_err(bad),
            (Resolve::Json(to_json), _) => to_json.run(datum, out).map_err(bad),
        }
    }

    /// Errors as `append` has them.
    fn plan_index(&mut self, id: u32) -> Result<usize, Result<Reason, Stop>> {
        if let Some(index) = self.plans.iter().position(|(known, _)| *known == id) {
            return Ok(index);
        }
        if let Some((_, reason)) = self.refused.iter().find(|(known, _)| *known == id) {
            return Err(Ok(reason.clone()));
        }
        match self.ask(id).map_err(Err)? {
            Ok(resolve) => {
                self.plans.push((id, resolve));
                Ok(self.plans.len() - 1)
            }
            Err(reason) => {
                // Ids are whatever stands in the records: garbage may not grow the memory.
                if self.refused.len() == REFUSED_MAX {
                    self.refused.pop_front();
                }
                self.refused.push_back((id, reason.clone()));
                Err(Ok(reason))
            }
        }
    }

    fn ask(&self, id: u32) -> Result<Result<Resolve, String>, Stop> {
        // No registry gives this id, so that none needs to be there to be asked.
        if id == 0 {
            return Ok(Err("schema id 0 is no schema's: a registry's ids begin with 1".to_owned()));
        }
        match self.registry.schema(id) {
            Ok(text) => Ok(self.compile(id, &text)),
            Err(error @ registry::Error::Unreachable { .. }) => Err(error.into()),
            Err(error) => Ok(Err(format!("schema id {id}: {error}"))),
        }
    }

    fn compile(&self, id: u32, text: &str) -> Result<Resolve, String> {
        let writer = Schema::parse(text).map_err(|error| format!("schema id {id} is not Avro: {error}"))?;
        let reader = match &self.wanted {
            Wanted::Avro(reader) | Wanted::AvroAsJson(reader, _) => reader,
            Wanted::Json | Wanted::Bytes => return Ok(Resolve::Json(ToJson::compile(&writer))),
        };
        let plan = Plan::compile(&writer, reader).map_err(|error| {
            format!(
                "schema id {id} cannot be read as the plugin asks: {error}; writer {}; reader {}",
                text,
                reader.text()
            )
        })?;
        Ok(if plan.is_identity() { Resolve::Straight } else { Resolve::Plan(plan) })
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
