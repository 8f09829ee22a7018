//! Repartition partitions that this worker owns: opened, restored and closed.

use std::time::{Duration, Instant};

use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::restore::Restoring;
use super::stamp::{Place, Stamp};
use super::{Aggregation, stop_of};
use crate::exit::Stop;
use crate::kafka::patience::Patience;
use crate::window::{Database, Owner, RESET, SourcePartition, Store};

/// The changelog's end is asked for this often; a checkpoint only needs a lower bound.
pub(super) const CHANGELOG_LOOK_INTERVAL: Duration = Duration::from_secs(10);

pub(super) struct Owned {
    pub(super) partition: i32,
    pub(super) stamp: Stamp,
    pub(super) state: State,
    /// Behind the last record that was applied since the last commit.
    pub(super) next: Option<i64>,
    /// Changelog records before this one are in the store.
    pub(super) changelog_offset: i64,
    pub(super) looked: Instant,
}

pub(super) enum State {
    Ready(Box<Owner>),
    Restoring(Box<Restoring>),
    /// Between two others.
    Closed,
}

impl Owned {
    /// Where it was read to, and its owner.
    pub(super) fn ready(&mut self) -> Option<(&mut Option<i64>, &mut Owner)> {
        match &mut self.state {
            State::Ready(owner) => Some((&mut self.next, owner)),
            _ => None,
        }
    }

    pub(super) fn has_moved(&self) -> bool {
        self.next.is_some()
    }

    pub(super) fn is_full(&self) -> bool {
        matches!(&self.state, State::Ready(owner) if owner.full())
    }

    pub(super) fn open_windows(&self) -> usize {
        if let State::Ready(owner) = &self.state { owner.open_windows() } else { 0 }
    }

    fn into_store(self) -> Option<Store> {
        match self.state {
            State::Ready(owner) => Some(owner.into_store()),
            State::Restoring(restoring) => Some(restoring.store),
            State::Closed => None,
        }
    }
}

impl Aggregation<'_> {
    /// A repartition partition comes, or is begun again after an abort. Gives where reading begins.
    pub fn own(
        &mut self,
        committed: &TopicPartitionListElem<'_>,
        database: Option<&Database>,
        patience: &Patience,
    ) -> Result<Offset, Stop> {
        let (aggregate, partition) = (self.aggregate, committed.partition());
        let place = Place { pipeline: &self.spec.name, group: &self.spec.group, plugin: &aggregate.plugin };
        let stamp = match aggregate.stamp(committed.metadata()) {
            Some(stamp) => {
                stamp.check(&aggregate.shape, &place)?;
                stamp
            }
            None => Stamp::new(&aggregate.shape),
        };
        // Where anything was committed, by whomever, the changelog says what the state is; without a stamp of ours too.
        let offset = match committed.offset() {
            Offset::Offset(offset) if committed.metadata() != RESET => Some(offset),
            _ => None,
        };
        let stamp = stamp.with(aggregate.windows.as_ref());
        let before = self.owned.iter().position(|owned| owned.partition == partition);
        let before = before.map(|at| self.owned.swap_remove(at)).filter(|owned| owned.stamp.id == stamp.id);
        let store = match (before.and_then(Owned::into_store), database) {
            (Some(store), _) => store,
            (None, Some(database)) => {
                database.store(&format!("{}-{}", aggregate.plugin, stamp.id), partition).map_err(stop_of)?
            }
            (None, None) => Store::memory(),
        };
        let checkpoint = store.checkpoint().map_err(stop_of)?;
        let (state, changelog_offset) = match (offset, checkpoint) {
            (None, _) => (State::Ready(Box::new(self.open(partition, store)?)), 0),
            (Some(offset), Some(checkpoint)) if checkpoint.input_offset == offset => {
                (State::Ready(Box::new(self.open(partition, store)?)), checkpoint.changelog_offset)
            }
            (Some(offset), _) => {
                let changelog = (aggregate.changelog.as_str(), partition);
                let restoring = Restoring::begin(&self.spec.kafka, patience, changelog, store, offset)?;
                (State::Restoring(Box::new(restoring)), 0)
            }
        };
        self.owned.push(Owned { partition, stamp, state, next: None, changelog_offset, looked: Instant::now() });
        Ok(match committed.offset() {
            committed @ Offset::Offset(_) => committed,
            _ => Offset::Beginning,
        })
    }

    fn open(&self, partition: i32, store: Store) -> Result<Owner, Stop> {
        let aggregate = self.aggregate;
        // Where the input stands in the groups' partitions, nobody else's time counts.
        let heard = |source: &&SourcePartition| !aggregate.partitioned || source.partition == partition;
        let sources = aggregate.sources.iter().filter(heard).cloned();
        let plugin = aggregate.plugin.as_str();
        Owner::open(plugin, aggregate.windows, aggregate.emit, aggregate.limits, sources, store).map_err(stop_of)
    }

    /// A repartition partition goes, after a commit or an abort.
    pub fn disown(&mut self, partition: i32) {
        self.owned.retain(|owned| owned.partition != partition);
    }

    /// Up to where repartition partitions are applied and committed. An input's records are not ours to delete.
    pub fn applied(&self, list: &mut TopicPartitionList) {
        if self.aggregate.partitioned {
            return;
        }
        for owned in &self.owned {
            let State::Ready(owner) = &owned.state else { continue };
            if let Ok(Some(checkpoint)) = owner.store().checkpoint() {
                let offset = Offset::Offset(checkpoint.input_offset);
                list.add_partition_offset(&self.aggregate.home, owned.partition, offset).ok();
            }
        }
    }

    /// Repartition partitions whose store is not complete yet: not to be fetched.
    pub fn restoring(&self) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for owned in self.owned.iter().filter(|owned| matches!(owned.state, State::Restoring(_))) {
            list.add_partition(&self.aggregate.home, owned.partition);
        }
        list
    }

    /// Goes on restoring. Gives the partitions that are complete now.
    pub fn restore(&mut self, budget: Duration) -> Result<TopicPartitionList, Stop> {
        let mut complete = TopicPartitionList::new();
        for at in 0..self.owned.len() {
            let State::Restoring(restoring) = &mut self.owned[at].state else { continue };
            if !restoring.step(budget)? {
                continue;
            }
            let end = restoring.end();
            let State::Restoring(done) = std::mem::replace(&mut self.owned[at].state, State::Closed) else { continue };
            let owner = self.open(self.owned[at].partition, done.store)?;
            let owned = &mut self.owned[at];
            owned.state = State::Ready(Box::new(owner));
            owned.changelog_offset = end;
            complete.add_partition(&self.aggregate.home, owned.partition);
        }
        Ok(complete)
    }
}
