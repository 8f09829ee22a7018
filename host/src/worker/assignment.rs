//! Which connectors are this worker's: a member of the workers' group runs those whose names fall into its partitions
//! of the status topic.
//!
//! Kafka's own group protocol shares partitions out and takes them from workers that are gone. A partition is given
//! back only after its connectors have stopped, so none runs twice; of a worker that was cut off, transactions and
//! groups refuse what it still does. No record of the topic is read here, and no offset committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::topic_partition_list::TopicPartitionList;

use super::Context;
use super::connector::Connector;
use crate::exit::Stop;
use crate::kafka::member::{Change, Member};
use crate::kafka::{From, lag, partition, topics};

const POLL: Duration = Duration::from_millis(20);
/// How long connectors get to stop before their partition goes to another worker.
const GRACE: Duration = Duration::from_secs(10);
/// Between two looks at which topics are used.
const TOPICS_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Assignment {
    context: Arc<Context>,
    member: Member,
    partitions: i32,
    owned: BTreeSet<i32>,
    connectors: BTreeMap<String, Connector>,
    /// Counts assignments.
    generation: i64,
    seen: u64,
    topics_looked: Instant,
}

impl Assignment {
    pub(super) fn join(context: Arc<Context>) -> Result<Assignment, Stop> {
        let (mut kafka, topic) = (context.options.kafka.clone(), context.options.status_topic.clone());
        // Who stays keeps what he has when others come and go.
        kafka.properties.insert(0, ("partition.assignment.strategy".into(), "cooperative-sticky".into()));
        let partitions = topics::wait_for(&kafka, &topic)?.partitions;
        let member = Member::join(&kafka, &context.options.group, From::Latest, &[&topic], lag::Share::default())?;
        Ok(Assignment {
            context,
            member,
            partitions,
            owned: BTreeSet::new(),
            connectors: BTreeMap::new(),
            generation: 0,
            seen: 0,
            topics_looked: Instant::now(),
        })
    }

    /// Until the worker is asked to stop; then all connectors have stopped, and the group was left.
    pub(super) fn run(mut self) {
        while !self.context.leave.is_requested() {
            // Records that came before fetching was paused are dropped.
            drop(self.member.poll(POLL));
            while let Some(change) = self.member.change() {
                self.follow(&change);
            }
            self.step();
        }
        let all = self.owned.clone();
        self.let_go(|partition| all.contains(&partition));
    }

    fn follow(&mut self, change: &Change) {
        let numbers =
            |list: &TopicPartitionList| -> Vec<i32> { list.elements().iter().map(|e| e.partition()).collect() };
        self.seen = 0;
        match change {
            Change::Assigned(list) => {
                self.generation += 1;
                self.accept(change);
                if let Err(error) = self.member.pause() {
                    tracing::debug!("fetching goes on: {}", topics::reason(&error));
                }
                self.owned.extend(numbers(list));
            }
            Change::Revoked(list) => {
                let gone = numbers(list);
                self.let_go(|partition| gone.contains(&partition));
                self.owned.retain(|partition| !gone.contains(partition));
                self.accept(change);
            }
        }
        tracing::info!(
            partitions = self.owned.len(),
            of = self.partitions,
            "this worker's share of connectors changed"
        );
    }

    fn accept(&self, change: &Change) {
        if let Err(error) = self.member.accept(change) {
            tracing::warn!("the group did not take a change: {}", topics::reason(&error));
        }
    }

    /// Stops the connectors of some partitions, together, and says that nobody runs them.
    fn let_go(&mut self, gone: impl Fn(i32) -> bool) {
        let (partitions, before) = (self.partitions, std::mem::take(&mut self.connectors));
        let is_gone = |name: &str| gone(partition::of_key(name.as_bytes(), partitions));
        let (going, staying): (BTreeMap<_, _>, _) = before.into_iter().partition(|(name, _)| is_gone(name));
        self.connectors = staying;
        going.values().for_each(Connector::ask_to_stop);
        let end = Instant::now() + GRACE;
        for connector in going.into_values() {
            connector.let_go(&self.context, self.generation, end.saturating_duration_since(Instant::now()));
        }
    }

    /// Lets every connector become what is wanted of it.
    fn step(&mut self) {
        let version = self.context.storage.version();
        let is_due = self.connectors.values().any(Connector::is_due);
        if version != self.seen || is_due {
            self.seen = version;
            self.follow_state();
        }
        if self.topics_looked.elapsed() >= TOPICS_INTERVAL {
            self.topics_looked = Instant::now();
            self.connectors.values_mut().for_each(|connector| connector.tell_topics(&self.context));
        }
    }

    fn follow_state(&mut self) {
        let names: BTreeSet<String> = self.context.storage.with(|state| state.connectors.keys().cloned().collect());
        let is_owned = |name: &&String| self.owned.contains(&partition::of_key(name.as_bytes(), self.partitions));
        for name in names.iter().filter(is_owned) {
            self.connectors.entry(name.clone()).or_insert_with(|| Connector::new(name));
        }
        for connector in self.connectors.values_mut() {
            connector.step(&self.context, self.generation);
        }
        self.connectors.retain(|name, connector| names.contains(name) || !connector.is_idle());
    }
}
