//! One poll of one table: rows in, transactions out.
//!
//! It never commits inside a run of equal offsets, and never keeps rows: each goes to the producer as it is read.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::Progress;
use super::clock::Zone;
use super::columns::{Choices, Described, Plan};
use super::config::Connector;
use super::database::{Poll, raw};
use super::encode::{EPOCH_2000_MICROS, Unfit, fixed};
use super::failure::Failure;
use super::numeric::Numeric;
use super::offset::{Offset, key_bytes, may_end};
use super::publish::Publisher;
use super::sql::{Origin, Table};
use crate::exit::{Exit, Stop};

/// Registers a schema under a subject and gives its id.
pub type Register<'a> = &'a dyn Fn(&str, &str) -> Result<u32, Stop>;

/// A table, or the query, that is being read.
pub(super) struct Task {
    pub(super) origin: Origin,
    topic: String,
    key: Vec<u8>,
    /// The last committed offset.
    pub(super) committed: Offset,
    compiled: Option<Compiled>,
    /// That this topic is written to.
    told: bool,
}

/// What is true until the table's columns change.
struct Compiled {
    columns: Vec<Described>,
    plan: Plan,
    /// Magic byte and schema id.
    frame: [u8; 5],
    /// Where the columns of the offset are in a row.
    timestamps: Vec<usize>,
    id: Option<usize>,
}

/// A transaction in the making.
#[derive(Default)]
struct Batch {
    rows: usize,
    sent: u64,
    last: Offset,
}

impl Task {
    pub(super) fn new(connector: &Connector, origin: Origin, from: Offset) -> Task {
        Task {
            topic: connector.topic(&origin),
            key: key_bytes(&connector.name, origin.table_name().as_deref()),
            committed: from,
            compiled: None,
            told: false,
            origin,
        }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Reads everything that the query gives now. After a failure the caller aborts and polls again.
    pub(super) async fn poll(
        &mut self,
        client: &mut Client,
        connector: &Connector,
        publisher: &mut Publisher<'_>,
        register: Register<'_>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut poll = Poll::start(client, connector, &self.origin, self.committed).await?;
        let mut batch = Batch::default();
        let mut record = Vec::new();
        loop {
            let (rows, done) = poll.fetch().await?;
            for row in &rows {
                // Compiled when there is a row: an empty table registers no schema.
                self.compile(&poll.columns, connector, register)?;
                let next = self.position(row, &connector.zone)?;
                if may_end(batch.rows, connector.batch_max_rows, batch.last, next) {
                    self.commit(std::mem::take(&mut batch), publisher, progress)?;
                }
                batch.sent += u64::from(self.send(row, &mut record, publisher)?);
                batch.rows += 1;
                batch.last = next;
            }
            if done {
                break;
            }
        }
        if batch.rows > 0 {
            self.commit(batch, publisher, progress)?;
        }
        poll.finish().await
    }

    fn commit(&mut self, batch: Batch, publisher: &mut Publisher<'_>, progress: &Progress) -> Result<(), Failure> {
        let value = batch.last.to_bytes();
        publisher.commit(value.as_deref().map(|value| (self.key.as_slice(), value)))?;
        if value.is_some() {
            self.committed = batch.last;
        }
        if batch.sent > 0 && !self.told {
            progress.topics.lock().unwrap_or_else(PoisonError::into_inner).insert(self.topic.clone());
            self.told = true;
        }
        progress.records.fetch_add(batch.sent, Ordering::Relaxed);
        Ok(())
    }

    fn compile(&mut self, columns: &[Described], connector: &Connector, register: Register<'_>) -> Result<(), Failure> {
        if self.compiled.as_ref().is_some_and(|compiled| compiled.columns == columns) {
            return Ok(());
        }
        let Connector { numeric, calendar, granularity, zone, .. } = connector.clone();
        let table = self.origin.table().map(|table| table.name.as_str());
        let plan = Plan::compile(table, columns, &Choices { numeric, calendar, granularity, zone })?;
        for (name, kind) in &plan.dropped {
            tracing::warn!(origin = %self.origin, column = %name, "type {kind} is not supported: left out");
        }
        let id = register(&format!("{}-value", self.topic), &plan.schema).map_err(registry_away)?;
        let mut frame = [0; 5];
        frame[1..].copy_from_slice(&id.to_be_bytes());
        let index = |name: &String| {
            let found = columns.iter().position(|column| column.name == *name);
            found.ok_or_else(|| Stop::new(Exit::Connector, format!("{} has no column {name:?}", self.origin)))
        };
        let timestamps = match connector.mode.has_timestamp() {
            true => connector.timestamps.iter().map(index).collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        let id = connector.id.as_ref().filter(|_| connector.mode.has_id()).map(index).transpose()?;
        self.compiled = Some(Compiled { columns: columns.to_vec(), plan, frame, timestamps, id });
        Ok(())
    }

    /// The offset that says: this row was read.
    fn position(&self, row: &Row, zone: &Zone) -> Result<Offset, Stop> {
        let Some(compiled) = &self.compiled else { return Ok(Offset::default()) };
        let wrong = |why: Unfit| Stop::new(Exit::Connector, format!("{}: {why}", self.origin));
        let found = compiled.timestamps.iter().find_map(|index| Some((*index, raw(row, *index)?)));
        let timestamp = found.map(|(index, raw)| instant(&compiled.columns[index], raw, zone)).transpose();
        let id = compiled.id.and_then(|index| Some(id(&compiled.columns[index], raw(row, index)?))).transpose();
        Ok(Offset { timestamp: timestamp.map_err(wrong)?, incrementing: id.map_err(wrong)? })
    }

    /// False: the row cannot be a record of its schema, and was left out.
    fn send(&self, row: &Row, record: &mut Vec<u8>, publisher: &mut Publisher<'_>) -> Result<bool, Failure> {
        let Some(compiled) = &self.compiled else { return Ok(false) };
        record.clear();
        record.extend_from_slice(&compiled.frame);
        if let Err(why) = compiled.plan.encode(|index| raw(row, index), record) {
            tracing::warn!(origin = %self.origin, "record rejected: {why}");
            return Ok(false);
        }
        publisher.send(&self.topic, record)?;
        Ok(true)
    }
}

fn registry_away(stop: Stop) -> Failure {
    match stop.exit {
        Exit::Dependency => Failure::Registry(stop),
        _ => Failure::Stop(stop),
    }
}

fn instant(column: &Described, raw: &[u8], zone: &Zone) -> Result<i64, Unfit> {
    let micros = i64::from_be_bytes(fixed(raw)?).saturating_add(EPOCH_2000_MICROS);
    Ok(if column.kind == Type::TIMESTAMP { zone.instant(micros) } else { micros })
}

fn id(column: &Described, raw: &[u8]) -> Result<i64, Unfit> {
    match column.kind.name() {
        "int2" => Ok(i16::from_be_bytes(fixed(raw)?).into()),
        "int4" => Ok(i32::from_be_bytes(fixed(raw)?).into()),
        "int8" => Ok(i64::from_be_bytes(fixed(raw)?)),
        "numeric" => Numeric::parse(raw)?.integer(64),
        other => Err(Unfit(format!("incrementing column {:?} has type {other}; allowed: integers", column.name))),
    }
}

/// The columns that the mode needs are there, and hold what they must.
pub(super) fn check_columns(connector: &Connector, table: &Table, columns: &[(String, bool)]) -> Result<(), Stop> {
    let needed = |name: &String| {
        let names = || columns.iter().map(|(name, _)| name.as_str());
        columns.iter().find(|(column, _)| column == name).ok_or_else(|| {
            let text = format!("table {:?} has no column {name:?}", table.full_name());
            let stop = Stop::new(Exit::Connector, text);
            match crate::nearest::nearest(name, names()) {
                Some(near) => stop.hint(format!("did you mean {near:?}? Case matters")),
                None => stop.hint(format!("it has: {}", names().collect::<Vec<_>>().join(", "))),
            }
        })
    };
    let nullable = |names: &str| {
        let text = format!("column {names} of table {:?} may be null", table.full_name());
        Err(Stop::new(Exit::Connector, text)
            .hint("rows with a null there are never read; set validate.non.null to false to accept that"))
    };
    if connector.mode.has_timestamp() {
        let found = connector.timestamps.iter().map(needed).collect::<Result<Vec<_>, _>>()?;
        if connector.validate_non_null && found.iter().all(|(_, not_null)| !not_null) {
            return nullable(&connector.timestamps.join(", "));
        }
    }
    if let Some(id) = connector.id.as_ref().filter(|_| connector.mode.has_id()) {
        let (_, not_null) = needed(id)?;
        if connector.validate_non_null && !not_null {
            return nullable(id);
        }
    }
    Ok(())
}
