//! One worker: poll a batch, group it, hand it to the plugins, produce, commit.
//!
//! The only place where the stages meet. Commits as soon as the input is caught up, at least every commit interval,
//! and before partitions come or go. Nothing is logged per record.

mod ending;
mod errors;
mod hold;
mod places;
mod rebalance;
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
use crate::exit::Stop;
use crate::kafka::member::Member;
use crate::kafka::patience::{Backoff, Outage, Patience};
use crate::kafka::topics;
use crate::kafka::transaction::{Failed, Transaction};
use crate::shutdown::Shutdown;

/// A batch large enough that a guest call costs next to nothing a record, and small enough for the commit interval.
const BATCH_RECORDS_MAX: usize = 1000;
/// How long an idle worker waits before it looks at the stop token again.
const IDLE_WAIT: Duration = Duration::from_millis(50);

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
        let Failed::Aborted(error) = failed else { return Err(errors::fatal(self.task.spec, &failed)) };
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

    fn lost_place(&self, error: &KafkaError) -> Stop {
        Stop::dependency(format!("pipeline {}: its place in the input cannot be found: {error}", self.task.spec.name))
            .hint("nothing is lost: start it again, it goes on from what is committed")
    }
}
