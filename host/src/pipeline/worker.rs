//! One worker: poll a batch, group it, hand it to the plugins, produce, commit.
//!
//! The only place where the stages meet. Commits as soon as the input is caught up, at least every commit interval,
//! and before partitions come or go. Nothing is logged per record.

mod errors;
mod hold;
mod places;
mod state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};

use self::errors::Errors;
use self::hold::Hold;
use self::state::{State, aggregations};
use super::aggregate::Aggregation;
use super::end::End;
use super::plugin::{Broken, PluginRun};
use super::progress::{Progress, Tally};
use super::ready::Ready;
use super::{Delivery, Spec, group::Groups};
use crate::exit::{Exit, Stop};
use crate::kafka::member::{Change, Member};
use crate::kafka::patience::{Backoff, Outage, Patience, Thing};
use crate::kafka::topics;
use crate::kafka::transaction::{Failed, Span, Transaction};
use crate::shutdown::Shutdown;

/// A batch large enough that a guest call costs next to nothing a record, and small enough for the commit interval.
const BATCH_RECORDS_MAX: usize = 1000;
/// How long an idle worker waits before it looks at the stop token again.
const IDLE_WAIT: Duration = Duration::from_millis(50);

const END_LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What all workers of a pipeline share.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    pub spec: &'a Spec,
    pub ready: &'a Ready,
    pub stop: &'a Shutdown,
    pub outage: &'a Arc<Outage>,
    pub progress: &'a Progress,
}

struct Worker<'a> {
    task: Task<'a>,
    member: &'a Member,
    transaction: Transaction,
    plugins: Vec<PluginRun<'a>>,
    patience: Patience,
    /// What was polled and is not handled yet. Empty between turns.
    messages: Vec<BorrowedMessage<'a>>,
    /// The same, of records between the halves of aggregations.
    internal: Vec<BorrowedMessage<'a>>,
    groups: Groups,
    tally: Tally,
    assigned: bool,
    aborts: Backoff,
    hold: Hold,
    errors: Errors,
    state: State,
    /// What the input made in topics between the halves of aggregations, once the input's end is reached.
    made: Option<End>,
    /// When it last looked for the end of the input.
    looked: Instant,
}

/// Runs until asked to stop, the end of the input (`until_end`), or a failure.
pub fn run(task: Task<'_>, number: usize) -> Result<(), Stop> {
    let spec = task.spec;
    let patience = Patience::new(task.stop, task.outage);
    let id = match spec.delivery {
        Delivery::ExactlyOnce => Some(format!("smt-{}-{}-{number}", spec.group, spec.instance_id)),
        Delivery::AtLeastOnce => None,
    };
    let transaction = match Transaction::begin_with(&spec.kafka, id, patience.clone()) {
        Err(_) if task.stop.is_requested() => return Ok(()),
        other => other.map_err(|error| topics::away(&spec.kafka, &error))?,
    };
    let state = State::new(&task.ready.members, task.progress.windows_share());
    let read: Vec<&str> = spec.inputs.iter().chain(&state.repartitions).map(String::as_str).collect();
    let member = Member::join(&spec.kafka, &spec.group, spec.from, &read, task.progress.lag_share())?;
    let plugins =
        task.ready.members.iter().map(|member| PluginRun::new(spec, member, task.stop)).collect::<Result<_, _>>()?;
    let mut worker = Worker {
        task,
        member: &member,
        transaction,
        plugins,
        patience,
        messages: Vec::with_capacity(BATCH_RECORDS_MAX),
        internal: Vec::new(),
        groups: Groups::new(spec.inputs.len()),
        tally: Tally::default(),
        assigned: false,
        aborts: Backoff::default(),
        hold: Hold::default(),
        errors: Errors::default(),
        state,
        made: None,
        looked: Instant::now(),
    };
    worker.run()
}

impl Worker<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        loop {
            let caught_up = self.turn()?;
            let stopping = self.task.stop.is_requested();
            if caught_up || stopping || self.transaction.age() >= self.task.spec.commit_interval || self.is_full() {
                self.commit()?;
            }
            self.rebalance()?;
            if stopping || (caught_up && self.assigned && self.at_end()?) {
                return Ok(());
            }
        }
    }

    /// Polls and handles one batch. True: nothing more is waiting.
    fn turn(&mut self) -> Result<bool, Stop> {
        self.resume()?;
        self.restore()?;
        // Before anything is polled: what was polled and not folded would be late for windows that this closes.
        self.idle();
        let caught_up = self.poll()?;
        if self.messages.is_empty() && self.internal.is_empty() {
            // With a transaction open, its commit will know.
            if !self.transaction.is_open() {
                self.task.outage.brokers(self.member.reach());
            }
            return Ok(caught_up);
        }
        let mut resolvers = self.plugins.iter_mut().map(PluginRun::resolver);
        self.groups.fill(&self.messages, resolvers.find(|resolver| resolver.reads_ids()).map(|resolver| &*resolver));
        // Records that are not the input's say nothing of the registry.
        let learned = if self.messages.is_empty() { Ok(()) } else { self.learn() };
        match learned {
            Ok(()) => self.handle()?,
            Err(stop) => self.hold(stop)?,
        }
        self.messages.clear();
        self.internal.clear();
        Ok(caught_up)
    }

    fn poll(&mut self) -> Result<bool, Stop> {
        let mut wait = if self.transaction.is_open() { Duration::ZERO } else { IDLE_WAIT };
        while self.messages.len() + self.internal.len() < BATCH_RECORDS_MAX {
            match self.member.poll(wait) {
                Some(Ok(message)) if self.state.is_internal(message.topic()) => self.internal.push(message),
                Some(Ok(message)) => self.messages.push(message),
                // Asked for by the readers that count to the end; here running out of messages says the same.
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.consumer_error(&error)?,
                None => return Ok(true),
            }
            wait = Duration::ZERO;
        }
        Ok(false)
    }

    fn handle(&mut self) -> Result<(), Stop> {
        match self.hand_over() {
            // What was asked to stop is not handled, and read again after the next start.
            Ok(()) | Err(Broken::Asked) => Ok(()),
            Err(Broken::Transaction(error)) => {
                self.touch_batch();
                self.undo(error)
            }
            // What is complete is committed: whole groups, with their offsets.
            Err(Broken::Stop(stop)) => {
                if let Err(second) = self.commit() {
                    tracing::warn!(pipeline = self.task.spec.name, "while stopping: {}", second.what);
                }
                Err(stop)
            }
            Err(Broken::Midway(stop)) => {
                self.transaction.abandon();
                Err(stop)
            }
            Err(Broken::Dropped) => {
                self.drop_all();
                Ok(())
            }
        }
    }

    /// What is not committed is left for the next start.
    fn drop_all(&mut self) {
        self.tally = Tally::default();
        aggregations(&mut self.plugins).for_each(Aggregation::abort);
        self.transaction.abandon();
    }

    /// Group by group: all plugins judge it before anything of it is sent.
    fn hand_over(&mut self) -> Result<(), Broken> {
        self.transaction.ensure_open().map_err(Broken::Transaction)?;
        for group in self.groups.iter() {
            for plugin in &mut self.plugins {
                plugin.judge(&self.messages, group)?;
            }
            for plugin in &mut self.plugins {
                plugin.deliver(&self.messages, group, &mut self.transaction, &mut self.tally)?;
            }
            let (first, last) = group.ends(&self.messages);
            self.transaction.read(first.topic(), first.partition(), first.offset(), last.offset() + 1);
            self.tally.records_in += group.rows.len();
        }
        self.apply()
    }

    /// False: it was undone, and is read again.
    fn commit(&mut self) -> Result<bool, Stop> {
        if !self.transaction.is_open() && !self.is_pending() {
            return Ok(true);
        }
        let membership = self.member.membership();
        let sent = self.send_state();
        let committed = sent.and_then(|()| {
            self.transaction.commit(self.member.consumer(), membership.as_deref()).map_err(Broken::Transaction)
        });
        match committed {
            Ok(()) => {}
            Err(Broken::Transaction(error)) => {
                self.undo(error)?;
                return Ok(false);
            }
            Err(Broken::Asked | Broken::Dropped) => {
                self.drop_all();
                return Ok(false);
            }
            Err(Broken::Stop(stop) | Broken::Midway(stop)) => {
                self.transaction.abandon();
                return Err(stop);
            }
        }
        self.member.answered();
        self.state_committed()?;
        self.task.progress.committed(&mut self.tally);
        self.aborts.reset();
        Ok(true)
    }

    /// What was read since the last commit is read again.
    fn undo(&mut self, error: KafkaError) -> Result<(), Stop> {
        self.tally = Tally::default();
        aggregations(&mut self.plugins).for_each(Aggregation::abort);
        let (failed, spans) = self.transaction.undo(error);
        let Failed::Aborted(error) = failed else { return Err(fatal(self.task.spec, &failed)) };
        if self.patience.is_over() {
            return Ok(());
        }
        // Reading it again would end the same way, for ever.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
            return Err(errors::too_large(self.task.spec));
        }
        tracing::warn!(pipeline = self.task.spec.name, "aborted since the last commit, and read again: {error}");
        // A second abort without a commit between is no accident.
        if self.aborts.is_waiting() {
            self.task.stop.sleep(self.aborts.pause());
        } else {
            self.aborts.pause();
        }
        match self.member.rewind(&spans, &self.patience).map(drop) {
            Err(_) if self.patience.is_over() => Ok(()),
            Err(error) => Err(self.lost_place(&error)),
            Ok(()) => self.begin_again(),
        }
    }

    /// Before partitions come or go, what was read of them is committed.
    fn rebalance(&mut self) -> Result<(), Stop> {
        while let Some(change) = self.member.change() {
            self.commit()?;
            self.accept(&change)?;
            let pipeline = &self.task.spec.name;
            match &change {
                Change::Assigned(partitions) => {
                    tracing::info!(pipeline, partitions = partitions.count(), "partitions assigned");
                    if !self.assigned {
                        Progress::add(&self.task.progress.assigned, 1);
                    }
                    self.assigned = true;
                }
                Change::Revoked(partitions) => {
                    tracing::info!(pipeline, partitions = partitions.count(), "partitions revoked");
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self, change: &Change) -> Result<(), Stop> {
        let accepted = match change {
            Change::Assigned(partitions) if !self.state.is_none() => {
                match self.begin(partitions) {
                    Ok(begun) => self.member.accept(&Change::Assigned(begun)),
                    // Nothing will be read of them.
                    Err(_) if self.patience.is_over() => self.member.accept(change),
                    Err(stop) => return Err(stop),
                }
            }
            change => self.member.accept(change),
        };
        accepted.map_err(|error| self.lost_place(&error))?;
        match change {
            Change::Assigned(_) => self.hold_restoring(),
            Change::Revoked(partitions) => {
                self.end(partitions);
                Ok(())
            }
        }
    }

    /// Looks at most once in `END_LOOK_INTERVAL`, since it asks the cluster.
    fn at_end(&mut self) -> Result<bool, Stop> {
        let Some(end) = &self.task.ready.end else { return Ok(false) };
        if self.looked.elapsed() < END_LOOK_INTERVAL {
            return Ok(false);
        }
        let reached = self.is_done(end);
        self.looked = Instant::now();
        match reached {
            Ok(true) => self.member.at_end(),
            Err(stop) if stop.exit == Exit::Dependency && !self.task.spec.fail_fast => {
                self.task.outage.away(&Thing::Brokers, &stop.what);
                return Ok(false);
            }
            _ => {}
        }
        reached
    }

    /// The input is done, and so is what it made between the halves of aggregations.
    fn is_done(&mut self, end: &End) -> Result<bool, Stop> {
        let spec = self.task.spec;
        let reached = end.is_reached(spec)?;
        if !reached || self.state.repartitions.is_empty() {
            return Ok(reached);
        }
        let made = match self.made.take() {
            Some(made) => made,
            None => End::made(spec, &self.state.repartitions)?,
        };
        self.made.insert(made).is_reached(spec)
    }

    /// Where each topic partition of the batch begins.
    fn batch_spans(&mut self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for group in self.groups.iter() {
            let last = group.ends(&self.messages).1;
            self.state.give_back(last.topic(), last.partition(), last.offset() + 1);
        }
        let inputs = self.groups.iter().map(|group| group.ends(&self.messages).0);
        for first in inputs.chain(&self.internal) {
            let (topic, partition, offset) = (first.topic(), first.partition(), first.offset());
            if !spans.iter().any(|span| span.partition == partition && span.topic == topic) {
                spans.push(Span::at(topic, partition, offset));
            }
        }
        spans
    }

    /// What was polled counts as read since the last commit, so that an abort goes back to it.
    fn touch_batch(&mut self) {
        for span in self.batch_spans() {
            self.transaction.touch(span);
        }
    }

    fn lost_place(&self, error: &KafkaError) -> Stop {
        Stop::dependency(format!("pipeline {}: its place in the input cannot be found: {error}", self.task.spec.name))
            .hint("nothing is lost: start it again, it goes on from what is committed")
    }
}

fn fatal(spec: &Spec, failed: &Failed) -> Stop {
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
