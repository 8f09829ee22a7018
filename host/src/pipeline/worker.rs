//! One worker: poll a batch, group it, hand it to the plugins, produce, commit.
//!
//! The only place where the stages meet. A transaction is committed as soon as the input is caught up, and at least
//! every commit interval; a rebalance commits it before partitions go. Nothing is logged per record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::Offset;

use super::prepare::Prepared;
use super::progress::Progress;
use super::{Spec, end::End, group::Groups, plugin::PluginRun};
use crate::exit::{Exit, Stop};
use crate::kafka::topics;
use crate::kafka::transaction::{Failed, Span, Transaction};
use crate::shutdown::Shutdown;

/// A batch large enough that a guest call costs next to nothing a record, and small enough for the commit interval.
const BATCH_RECORDS_MAX: usize = 1000;
/// How long an idle worker waits before it looks at the stop tokens again.
const IDLE_WAIT: Duration = Duration::from_millis(50);

const END_LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What may end a worker from outside.
pub struct Stops<'a> {
    pub shutdown: &'a Shutdown,
    /// A sibling failed.
    pub failed: &'a Shutdown,
}

impl Stops<'_> {
    fn requested(&self) -> bool {
        self.shutdown.is_requested() || self.failed.is_requested()
    }
}

/// What the rebalance callback shares with the loop; both run on the worker's thread, inside and outside of `poll`.
struct Shared {
    transaction: Mutex<Transaction>,
    state: Mutex<Assignment>,
}

#[derive(Default)]
struct Assignment {
    /// Raised at each revocation: what was polled before and not handled is no longer ours.
    generation: u64,
    assigned: Option<usize>,
    failed: Option<Failed>,
}

struct Context(Arc<Shared>);

impl ClientContext for Context {}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(_) = rebalance {
            let result = lock(&self.0.transaction).commit(consumer.group_metadata());
            let mut state = lock(&self.0.state);
            state.generation += 1;
            state.assigned = None;
            // An abort loses nothing here: the partitions are read again from what is committed, by whoever gets them.
            if let Err((failed @ (Failed::Fenced | Failed::Fatal(_)), _)) = result {
                state.failed = Some(failed);
            }
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let mut state = lock(&self.0.state);
            state.assigned = Some(partitions.count());
        }
    }
}

/// A poisoned lock means that this very thread panicked: the process is ending.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker<'a> {
    spec: &'a Spec,
    consumer: BaseConsumer<Context>,
    shared: Arc<Shared>,
    plugins: Vec<PluginRun<'a>>,
    progress: &'a Progress,
    opened: Instant,
    /// When it last looked for the end of the input.
    looked: Instant,
}

/// Runs until asked to stop, the end of the input (`until_end`), or a failure.
pub fn run(
    spec: &Spec,
    members: &[Prepared],
    number: usize,
    stops: &Stops<'_>,
    progress: &Progress,
) -> Result<(), Stop> {
    let id = format!("smt-{}-{}-{number}", spec.group, spec.instance_id);
    let transaction = Transaction::begin_with(&spec.kafka, &id).map_err(|error| topics::away(&spec.kafka, &error))?;
    let shared = Arc::new(Shared { transaction: Mutex::new(transaction), state: Mutex::default() });
    let consumer: BaseConsumer<Context> = spec
        .kafka
        .consumer(&spec.group, spec.from)
        .create_with_context(Context(shared.clone()))
        .map_err(|error| topics::bad_client(&error))?;
    let inputs: Vec<&str> = spec.inputs.iter().map(String::as_str).collect();
    consumer.subscribe(&inputs).map_err(|error| topics::away(&spec.kafka, &error))?;
    let plugins = members.iter().map(|member| PluginRun::new(spec, member)).collect::<Result<_, _>>()?;
    let mut worker =
        Worker { spec, consumer, shared, plugins, progress, opened: Instant::now(), looked: Instant::now() };
    let result = worker.run(stops);
    // Leaving the group first revokes, which commits what is open; after an error nothing is open any more.
    if result.is_err()
        && let Err(failed) = lock(&worker.shared.transaction).abort()
    {
        tracing::warn!(pipeline = spec.name, ?failed, "the open transaction could not be aborted; it times out");
    }
    worker.consumer.unsubscribe();
    result
}

impl Worker<'_> {
    fn run(&mut self, stops: &Stops<'_>) -> Result<(), Stop> {
        let end = self.spec.until_end.then(|| End::at_start(self.spec)).transpose()?;
        let mut groups = Groups::default();
        let mut reported_assignment = false;
        loop {
            let caught_up = self.turn(&mut groups)?;
            self.check_failed()?;
            let assigned = lock(&self.shared.state).assigned.is_some();
            if assigned && !reported_assignment {
                reported_assignment = true;
                Progress::add(&self.progress.assigned, 1);
            }
            let overdue = self.opened.elapsed() >= self.spec.commit_interval;
            if caught_up || overdue || stops.requested() {
                self.commit()?;
            }
            if stops.requested() || (caught_up && assigned && self.at_end(end.as_ref())?) {
                return Ok(());
            }
        }
    }

    /// Polls and handles one batch. True: nothing more is waiting.
    fn turn(&mut self, groups: &mut Groups) -> Result<bool, Stop> {
        let open = lock(&self.shared.transaction).is_open();
        let mut wait = if open { Duration::ZERO } else { IDLE_WAIT };
        let mut messages: Vec<BorrowedMessage<'_>> = Vec::with_capacity(BATCH_RECORDS_MAX);
        let mut generation = lock(&self.shared.state).generation;
        let mut caught_up = false;
        while messages.len() < BATCH_RECORDS_MAX {
            let polled = self.consumer.poll(wait);
            wait = Duration::ZERO;
            match polled {
                Some(Ok(message)) => messages.push(message),
                // Asked for by the readers that count to the end; here running out of messages says the same.
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.consumer_error(&error)?,
                None => caught_up = true,
            }
            if caught_up || messages.is_empty() {
                let now = lock(&self.shared.state).generation;
                if now != generation {
                    messages.clear();
                    generation = now;
                }
                break;
            }
        }
        if lock(&self.shared.state).generation != generation {
            messages.clear();
        }
        if messages.is_empty() {
            return Ok(caught_up);
        }
        let mut transaction = lock(&self.shared.transaction);
        if !transaction.is_open() {
            transaction.ensure_open().map_err(|failed| fatal(self.spec, &failed))?;
            self.opened = Instant::now();
        }
        groups.fill(&messages, self.plugins.first());
        let mut outcome = Ok(());
        for group in groups.iter() {
            for plugin in &mut self.plugins {
                outcome = plugin.handle(&messages, group, &mut transaction, self.progress);
                if outcome.is_err() {
                    break;
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        if outcome.is_ok() {
            for message in &messages {
                transaction.read(message.topic(), message.partition(), message.offset(), message.offset() + 1);
            }
            Progress::add(&self.progress.records_in, messages.len());
        }
        drop(transaction);
        drop(messages);
        self.handled(outcome)?;
        Ok(caught_up)
    }

    fn handled(&mut self, outcome: Result<(), super::plugin::Broken>) -> Result<(), Stop> {
        match outcome {
            Ok(()) => Ok(()),
            Err(super::plugin::Broken::Stop(stop)) => Err(stop),
            Err(super::plugin::Broken::Transaction(failed)) => {
                let spans = lock(&self.shared.transaction).abort().map_err(|failed| fatal(self.spec, &failed))?;
                self.rewind(failed, spans)
            }
        }
    }

    fn commit(&mut self) -> Result<(), Stop> {
        let mut transaction = lock(&self.shared.transaction);
        if !transaction.is_open() {
            return Ok(());
        }
        let result = transaction.commit(self.consumer.group_metadata());
        drop(transaction);
        match result {
            Ok(()) => {
                Progress::add(&self.progress.commits, 1);
                Ok(())
            }
            Err((failed, spans)) => self.rewind(failed, spans),
        }
    }

    /// After an abort: what the transaction had read is read again.
    fn rewind(&mut self, failed: Failed, spans: Vec<Span>) -> Result<(), Stop> {
        let Failed::Aborted(error) = failed else { return Err(fatal(self.spec, &failed)) };
        tracing::warn!(pipeline = self.spec.name, %error, "transaction aborted; its records are read again");
        for span in spans {
            let sought =
                self.consumer.seek(&span.topic, span.partition, Offset::Offset(span.first), Duration::from_secs(10));
            if let Err(error) = sought {
                // Not ours any more: the new owner reads from what is committed.
                tracing::debug!(topic = span.topic, partition = span.partition, %error, "not sought");
            }
        }
        Ok(())
    }

    fn check_failed(&self) -> Result<(), Stop> {
        match lock(&self.shared.state).failed.take() {
            Some(failed) => Err(fatal(self.spec, &failed)),
            None => Ok(()),
        }
    }

    /// Looks at most once in `END_LOOK_INTERVAL`, since it asks the cluster.
    fn at_end(&mut self, end: Option<&End>) -> Result<bool, Stop> {
        let Some(end) = end else { return Ok(false) };
        if self.looked.elapsed() < END_LOOK_INTERVAL {
            return Ok(false);
        }
        let reached = end.is_reached(self.spec);
        self.looked = Instant::now();
        reached
    }

    fn consumer_error(&self, error: &KafkaError) -> Result<(), Stop> {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Err(Stop::start(format!(
                "pipeline {}: an input topic of {} is gone: {error}",
                self.spec.name,
                self.spec.inputs.join(", ")
            ))),
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                Err(Stop::dependency(format!("pipeline {}: the consumer failed for good: {error}", self.spec.name)))
            }
            // librdkafka goes on by itself: a broker away is waited for.
            _ => {
                tracing::warn!(pipeline = self.spec.name, %error, "consumer");
                Ok(())
            }
        }
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
