//! One plugin at work in one worker: its batch buffers, its running guest, its breaker.

use rdkafka::message::{BorrowedMessage, Headers as _, Message};

use super::dead_letter::{Cause, letter};
use super::emit::{self, Emission};
use super::group::Group;
use super::prepare::Prepared;
use super::progress::Progress;
use super::resolve::Resolver;
use super::{OnError, Spec};
use crate::exit::{Exit, Stop};
use crate::guest::{Batch, Column, Headers, Positions, Runner, Wants};
use crate::kafka::transaction::{Failed, Transaction};

/// Why a batch was not handled.
pub enum Broken {
    Stop(Stop),
    /// The transaction is to be aborted.
    Transaction(Failed),
}

impl From<Failed> for Broken {
    fn from(failed: Failed) -> Broken {
        Broken::Transaction(failed)
    }
}

pub struct PluginRun<'a> {
    spec: &'a Spec,
    prepared: &'a Prepared,
    resolver: Resolver,
    runner: Runner,
    batch: Batch,
    /// The message of each row of the batch.
    rows: Vec<u32>,
    starts: Vec<usize>,
    frame: Vec<u8>,
    failures_in_row: usize,
}

impl<'a> PluginRun<'a> {
    pub fn new(spec: &'a Spec, prepared: &'a Prepared) -> Result<PluginRun<'a>, Stop> {
        let wiring = prepared.configured.wiring();
        let name = &prepared.configured.plugin().description().name;
        let column = || Column { data: Vec::new(), lengths: Vec::new() };
        let headers = || Headers { counts: Vec::new(), names: column(), values: column() };
        let positions = || Positions { topic: String::new(), partition: 0, offsets: Vec::new() };
        let batch = Batch {
            values: column(),
            timestamps: Vec::new(),
            keys: wiring.key.as_ref().map(|_| column()),
            headers: wiring.wants.contains(Wants::HEADERS).then(headers),
            positions: wiring.wants.contains(Wants::POSITIONS).then(positions),
        };
        Ok(PluginRun {
            spec,
            prepared,
            resolver: Resolver::new(&wiring.input, spec.registry.clone(), name)?,
            runner: prepared.configured.start()?,
            batch,
            rows: Vec::new(),
            starts: Vec::new(),
            frame: Vec::new(),
            failures_in_row: 0,
        })
    }

    pub fn writer_id(&self, value: &[u8]) -> u32 {
        self.resolver.writer_id(value)
    }

    /// Hands one group to the plugin and what came of it to the transaction.
    pub fn handle(
        &mut self,
        messages: &[BorrowedMessage<'_>],
        group: &Group,
        transaction: &mut Transaction,
        progress: &Progress,
    ) -> Result<(), Broken> {
        let mut dead: Vec<(u32, Cause)> = Vec::new();
        self.fill(messages, group, &mut dead, progress)?;
        let handed = self.rows.len();
        let mut sent = 0;
        let mut touched = 0;
        if handed > 0 {
            let verdict = self
                .runner
                .run(&self.batch)
                .map_err(|failure| Broken::Stop(Stop::new(Exit::Plugin, format!("{}: {failure}", self.name()))))?;
            for guilty in &verdict.guilty {
                dead.push((self.rows[guilty.input], Cause::failed(&guilty.failure)));
            }
            for piece in &verdict.pieces {
                for rejection in &piece.outcome.rejections {
                    let row = self.rows[piece.first + rejection.input as usize];
                    dead.push((row, Cause::rejected(rejection.reason.clone())));
                }
            }
            self.breaker(handed, dead.len(), &dead)?;
            emit::starts(&self.batch.values, &mut self.starts);
            let mut bad = Vec::new();
            for piece in &verdict.pieces {
                touched += distinct(&piece.outcome.emitted.inputs);
                let emission = Emission {
                    outcome: &piece.outcome,
                    first: piece.first,
                    batch: &self.batch,
                    starts: &self.starts,
                    rows: &self.rows,
                    messages,
                    targets: &self.prepared.outputs,
                };
                sent += emit::send(&emission, transaction, &mut self.frame, &mut bad)?;
            }
            for (row, reason) in bad {
                dead.push((self.rows[row], Cause::rejected(reason)));
            }
        }
        self.bury(messages, &dead, transaction)?;
        Progress::add(&progress.records_out, sent);
        Progress::add(&progress.dead, dead.len());
        Progress::add(&progress.filtered, group.rows.len().saturating_sub(touched + dead.len()));
        Ok(())
    }

    fn name(&self) -> &str {
        &self.prepared.configured.plugin().description().name
    }

    /// Fills the batch's buffers; what cannot be resolved becomes dead letters.
    fn fill(
        &mut self,
        messages: &[BorrowedMessage<'_>],
        group: &Group,
        dead: &mut Vec<(u32, Cause)>,
        progress: &Progress,
    ) -> Result<(), Broken> {
        self.clear();
        let tombstones = self.prepared.configured.wiring().wants.contains(Wants::TOMBSTONES);
        for row in &group.rows {
            let message = &messages[*row as usize];
            let length = match message.payload() {
                None if !tombstones => {
                    Progress::add(&progress.tombstones_skipped, 1);
                    continue;
                }
                None => -1,
                Some(value) => {
                    let before = self.batch.values.data.len();
                    match self.resolver.append(value, &mut self.batch.values.data) {
                        Ok(()) => (self.batch.values.data.len() - before) as i32,
                        Err(Err(stop)) => return Err(Broken::Stop(stop)),
                        Err(Ok(reason)) => {
                            self.batch.values.data.truncate(before);
                            dead.push((*row, Cause::undecodable(reason)));
                            continue;
                        }
                    }
                }
            };
            self.batch.values.lengths.push(length);
            self.rows.push(*row);
            self.extras(message);
        }
        Ok(())
    }

    fn extras(&mut self, message: &BorrowedMessage<'_>) {
        self.batch.timestamps.push(message.timestamp().to_millis().unwrap_or(0));
        if let Some(keys) = &mut self.batch.keys {
            push(keys, message.key());
        }
        if let Some(headers) = &mut self.batch.headers {
            let borrowed = message.headers();
            headers.counts.push(borrowed.map_or(0, |h| h.count() as u32));
            for header in borrowed.into_iter().flat_map(|h| h.iter()) {
                push(&mut headers.names, Some(header.key.as_bytes()));
                push(&mut headers.values, header.value);
            }
        }
        if let Some(positions) = &mut self.batch.positions {
            if positions.offsets.is_empty() {
                message.topic().clone_into(&mut positions.topic);
                positions.partition = message.partition();
            }
            positions.offsets.push(message.offset());
        }
    }

    fn clear(&mut self) {
        let empty = |column: &mut Column| {
            column.data.clear();
            column.lengths.clear();
        };
        self.rows.clear();
        empty(&mut self.batch.values);
        self.batch.timestamps.clear();
        self.batch.keys.as_mut().map(empty);
        if let Some(headers) = &mut self.batch.headers {
            headers.counts.clear();
            empty(&mut headers.names);
            empty(&mut headers.values);
        }
        if let Some(positions) = &mut self.batch.positions {
            positions.offsets.clear();
        }
    }

    /// A plugin that fails everything stops its pipeline instead of filling the dead-letter topic.
    fn breaker(&mut self, handed: usize, failed: usize, dead: &[(u32, Cause)]) -> Result<(), Broken> {
        self.failures_in_row = if failed >= handed { self.failures_in_row + failed } else { 0 };
        if self.failures_in_row < self.spec.failures_max {
            return Ok(());
        }
        let last = dead.last().map_or("", |(_, cause)| cause.message.as_str());
        Err(Broken::Stop(
            Stop::new(
                Exit::Plugin,
                format!(
                    "plugin {} failed {} records in a row; the last one: {last}",
                    self.name(),
                    self.failures_in_row
                ),
            )
            .hint("what came before is committed; mend the plugin and start again, it goes on from there"),
        ))
    }

    fn bury(
        &self,
        messages: &[BorrowedMessage<'_>],
        dead: &[(u32, Cause)],
        transaction: &mut Transaction,
    ) -> Result<(), Broken> {
        for (row, cause) in dead {
            let message = &messages[*row as usize];
            if self.spec.on_error == OnError::Stop {
                return Err(Broken::Stop(Stop::new(
                    Exit::Plugin,
                    format!(
                        "plugin {}: {} partition {} offset {}: {}",
                        self.name(),
                        message.topic(),
                        message.partition(),
                        message.offset(),
                        cause.message
                    ),
                )));
            }
            let configured = &self.prepared.configured;
            transaction.send(letter(&self.spec.dead_letter_topic, &self.spec.name, configured, message, cause))?;
        }
        Ok(())
    }
}

fn push(column: &mut Column, bytes: Option<&[u8]>) {
    match bytes {
        None => column.lengths.push(-1),
        Some(bytes) => {
            column.data.extend_from_slice(bytes);
            column.lengths.push(bytes.len() as i32);
        }
    }
}

/// How many different values a never decreasing list has.
fn distinct(inputs: &[u32]) -> usize {
    inputs.chunk_by(|a, b| a == b).count()
}
