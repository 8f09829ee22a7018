//! One plugin at work in one worker: its batch buffers, its running guest, its breaker.
//!
//! A group is judged before anything of it is sent, so that a pipeline which stops has sent whole groups only.

mod fill;

use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};

use super::aggregate::{Aggregation, OnLate};
use super::batch::Rows;
use super::dead_letter::{Cause, Stage, letter};
use super::emit::{self, Emission, Framed};
use super::group::Group;
use super::prepare::{Prepared, Target};
use super::progress::Tally;
use super::resolve::{Part, Resolver};
use super::{OnError, Spec};
use crate::exit::{Exit, Stop};
use crate::guest::{Piece, Runner};
use crate::kafka::transaction::Transaction;
use crate::shutdown::Shutdown;

/// Why a group was not handled.
pub enum Broken {
    /// Nothing of the group was sent.
    Stop(Stop),
    /// Nothing of the transaction is to be committed: state has part of the group.
    Midway(Stop),
    /// Stopping was asked for before the group was judged; nothing of it was sent.
    Asked,
    /// Stopping was asked for midway: nothing of the transaction is to be committed, and all of it is read again.
    Dropped,
    /// The transaction is to be undone.
    Transaction(KafkaError),
}

pub struct PluginRun<'a> {
    spec: &'a Spec,
    prepared: &'a Prepared,
    stop: &'a Shutdown,
    resolver: Resolver,
    /// Of a plugin that asks for keys.
    keys: Option<Resolver>,
    rows: Rows,
    work: Work<'a>,
    /// Messages of the group in hand that go to the dead letters.
    dead: Vec<(u32, Cause)>,
    /// The same, of those that came too late and were not folded. No failures of the plugin.
    late: Vec<(u32, i64)>,
    tombstones_skipped: usize,
    failures_in_row: usize,
    scratch: Vec<u8>,
}

/// What its world makes of a group.
enum Work<'a> {
    Transform(Box<Transform>),
    Aggregate(Box<Aggregation<'a>>),
}

struct Transform {
    runner: Runner,
    framed: Framed,
    /// What the guest made of the group in hand.
    pieces: Vec<Piece>,
}

impl<'a> PluginRun<'a> {
    pub fn new(spec: &'a Spec, prepared: &'a Prepared, stop: &'a Shutdown) -> Result<PluginRun<'a>, Stop> {
        let wiring = prepared.configured.wiring();
        let name = &prepared.configured.plugin().description().name;
        let keys = wiring.key.as_ref().map(|key| Resolver::new(Part::Key, key, spec.registry.clone(), name));
        let guilty_in_row_max = if spec.on_error == OnError::Stop { 1 } else { spec.failures_max };
        Ok(PluginRun {
            spec,
            prepared,
            stop,
            resolver: Resolver::new(Part::Value, &wiring.input, spec.registry.clone(), name)?,
            keys: keys.transpose()?,
            rows: Rows::new(wiring),
            work: match &prepared.aggregate {
                Some(aggregate) => {
                    let aggregator = prepared.configured.start_aggregate()?.giving_up(stop, guilty_in_row_max);
                    Work::Aggregate(Box::new(Aggregation::new(spec, aggregate, aggregator, stop)))
                }
                None => Work::Transform(Box::new(Transform {
                    runner: prepared.configured.start()?.giving_up(stop, guilty_in_row_max),
                    framed: Framed::default(),
                    pieces: Vec::new(),
                })),
            },
            dead: Vec::new(),
            late: Vec::new(),
            tombstones_skipped: 0,
            failures_in_row: 0,
            scratch: Vec::new(),
        })
    }

    pub fn resolver(&mut self) -> &mut Resolver {
        &mut self.resolver
    }

    /// Of a plugin that aggregates; with where its output goes.
    pub fn aggregation(&mut self) -> Option<(&mut Aggregation<'a>, &'a Target)> {
        match &mut self.work {
            Work::Transform(_) => None,
            Work::Aggregate(aggregation) => Some((aggregation, self.prepared.outputs.first()?)),
        }
    }

    /// Runs one group through the guest and checks what comes of it. Sends nothing.
    pub fn judge(&mut self, messages: &[BorrowedMessage<'_>], group: &Group) -> Result<(), Broken> {
        self.fill(messages, group).map_err(Broken::Stop)?;
        if !self.rows.is_empty() {
            match self.work {
                Work::Transform(_) => self.call(messages)?,
                Work::Aggregate(_) => self.fold(messages)?,
            }
        }
        self.breaker().map_err(Broken::Stop)?;
        self.stop_on_error(messages).map_err(Broken::Stop)
    }

    /// Sends what `judge` let through.
    pub fn deliver(
        &mut self,
        messages: &[BorrowedMessage<'_>],
        group: &Group,
        transaction: &mut Transaction,
        tally: &mut Tally,
    ) -> Result<(), Broken> {
        let (sent, touched) = match &mut self.work {
            Work::Transform(transform) => {
                transform.send(&self.rows, messages, self.prepared, transaction).map_err(Broken::Transaction)?
            }
            Work::Aggregate(aggregation) => {
                let first = group.ends(messages).0;
                let kept = aggregation.keep(first.topic(), group.partition, &self.rows);
                (0, kept?)
            }
        };
        let accounted = touched + self.dead.len() + self.late.len();
        if self.prepared.aggregate.as_ref().is_some_and(|aggregate| aggregate.on_late == OnLate::DeadLetter) {
            self.dead.extend(self.late.iter().map(|(index, lateness_ms)| (*index, Cause::late(*lateness_ms))));
        }
        let bytes_max = self.spec.kafka.record_bytes_max();
        for (index, cause) in &self.dead {
            let (configured, message) = (&self.prepared.configured, &messages[*index as usize]);
            transaction
                .send(letter(&self.spec.dead_letter_topic, &self.spec.name, configured, message, cause, bytes_max))
                .map_err(Broken::Transaction)?;
        }
        tally.records_out += sent;
        tally.dead += self.dead.len();
        tally.tombstones_skipped += self.tombstones_skipped;
        tally.late += self.late.len();
        tally.filtered += group.rows.len().saturating_sub(accounted);
        Ok(())
    }

    fn name(&self) -> &str {
        &self.prepared.configured.plugin().description().name
    }

    fn call(&mut self, messages: &[BorrowedMessage<'_>]) -> Result<(), Broken> {
        let name = self.prepared.configured.plugin().description().name.as_str();
        let Work::Transform(transform) = &mut self.work else { return Ok(()) };
        let Transform { runner, framed, pieces } = transform.as_mut();
        let verdict = match runner.run(&self.rows.batch) {
            Ok(verdict) => verdict,
            Err(_) if self.stop.is_requested() => return Err(Broken::Asked),
            Err(failure) => return Err(Broken::Stop(Stop::new(Exit::Plugin, format!("{name}: {failure}")))),
        };
        for guilty in &verdict.guilty {
            self.dead.push((self.rows.messages[guilty.input], Cause::failed(&guilty.failure)));
        }
        let mut bad = Vec::new();
        for piece in &verdict.pieces {
            for rejection in &piece.outcome.rejections {
                let index = self.rows.messages[piece.first + rejection.input as usize];
                self.dead.push((index, Cause::rejected(rejection.reason.clone())));
            }
            framed.add(&emission(piece, &self.rows, messages, self.prepared), &mut bad);
        }
        self.dead.extend(bad.into_iter().map(|(row, cause)| (self.rows.messages[row], cause)));
        *pieces = verdict.pieces;
        Ok(())
    }

    fn fold(&mut self, messages: &[BorrowedMessage<'_>]) -> Result<(), Broken> {
        let Work::Aggregate(aggregation) = &mut self.work else { return Ok(()) };
        let first = &messages[self.rows.messages[0] as usize];
        let folding = match aggregation.judge(first.topic(), first.partition(), &self.rows.batch) {
            Ok(folding) => folding,
            Err(_) if self.stop.is_requested() => return Err(Broken::Asked),
            Err(stop) => return Err(Broken::Stop(stop)),
        };
        let index = |row: usize| self.rows.messages[row];
        self.late.extend(folding.late.iter().map(|late| (index(late.row), late.lateness_ms)));
        let rejected = folding.rejected.iter();
        self.dead.extend(rejected.map(|rejected| (index(rejected.row), Cause::rejected(rejected.reason.clone()))));
        let guilty = folding.guilty.iter();
        self.dead.extend(guilty.map(|guilty| (index(guilty.input), Cause::failed(&guilty.failure))));
        Ok(())
    }

    /// A plugin that fails everything stops its pipeline instead of filling the dead-letter topic. Only records that
    /// it was given count: what cannot be decoded is no fault of the plugin.
    fn breaker(&mut self) -> Result<(), Stop> {
        // Input order; a record of which several outputs are bad is one dead letter.
        self.dead.sort_by_key(|(index, _)| *index);
        self.dead.dedup_by_key(|(index, _)| *index);
        let failures = || self.dead.iter().filter(|(_, cause)| cause.stage == Stage::Transformation);
        let longest = longest_run(&mut self.failures_in_row, &self.rows.messages, failures().map(|(index, _)| *index));
        if longest < self.spec.failures_max {
            return Ok(());
        }
        let last = failures().next_back().map_or("", |(_, cause)| cause.message.as_str());
        let text = format!("plugin {} failed {longest} records in a row; the last one: {last}", self.name());
        Err(Stop::new(Exit::Plugin, text)
            .hint("what came before is committed; mend the plugin and start again, it goes on from there"))
    }

    /// With `--on-error=stop` the first failure ends the pipeline.
    fn stop_on_error(&self, messages: &[BorrowedMessage<'_>]) -> Result<(), Stop> {
        let (OnError::Stop, Some((index, cause))) = (self.spec.on_error, self.dead.first()) else {
            return Ok(());
        };
        let message = &messages[*index as usize];
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        let text = format!("plugin {}: {topic} partition {partition} offset {offset}: {}", self.name(), cause.message);
        Err(Stop::new(Exit::Plugin, text)
            .hint("what came before is committed; --on-error=dead-letter puts such records aside"))
    }
}

impl Transform {
    /// How many were sent, and of how many inputs.
    fn send(
        &self,
        rows: &Rows,
        messages: &[BorrowedMessage<'_>],
        prepared: &Prepared,
        transaction: &mut Transaction,
    ) -> KafkaResult<(usize, usize)> {
        let (mut sent, mut touched, mut next) = (0, 0, 0);
        for piece in &self.pieces {
            touched += distinct(&piece.outcome.emitted.inputs);
            let emission = emission(piece, rows, messages, prepared);
            sent += emit::send(&emission, &self.framed, &mut next, transaction)?;
        }
        Ok((sent, touched))
    }
}

fn emission<'a>(
    piece: &'a Piece,
    rows: &'a Rows,
    messages: &'a [BorrowedMessage<'a>],
    prepared: &'a Prepared,
) -> Emission<'a> {
    Emission { outcome: &piece.outcome, first: piece.first, rows, messages, targets: &prepared.outputs }
}

/// The longest row of failures, with those at the end of earlier groups. Both lists are in input order.
fn longest_run(in_row: &mut usize, rows: &[u32], failed: impl Iterator<Item = u32>) -> usize {
    let (mut failed, mut longest) = (failed.peekable(), 0);
    if rows.is_empty() {
        return 0;
    }
    if failed.peek().is_none() {
        *in_row = 0;
        return 0;
    }
    for index in rows {
        *in_row = if failed.next_if_eq(index).is_some() { *in_row + 1 } else { 0 };
        longest = longest.max(*in_row);
    }
    longest
}

/// How many different values a never decreasing list has.
fn distinct(inputs: &[u32]) -> usize {
    inputs.chunk_by(|a, b| a == b).count()
}

#[cfg(test)]
#[path = "plugin_tests.rs"]
mod tests;
