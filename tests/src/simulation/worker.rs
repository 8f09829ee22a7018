//! A worker as the pipeline drives one: fold, apply, commit; with crashes between any two calls.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use rand::RngExt;
use rand::rngs::StdRng;
use smt_host::guest::{Batch, Column};
use smt_host::kafka::partition;
use smt_host::window::{
    Checkpoint, Functions, Limits, Metadata, Owner, Prepared, Source, SourceLimits, Store, Taken, wire,
};

use super::kafka::{Kafka, source};
use super::stores::Stores;
use super::{Scenario, Workload};

pub(super) const PLUGIN: &str = "simulated";

/// Where a commit stops for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Everything is prepared, nothing committed.
    BeforeCommit,
    /// Committed, but the store does not know.
    AfterCommit,
}

pub struct Worker<F> {
    functions: F,
    source: Source,
    sources: BTreeMap<usize, usize>,
    owned: BTreeMap<usize, (Owner, usize)>,
    stores: Stores,
    /// Of this transaction.
    late: Vec<u32>,
    dead: Vec<u32>,
    /// Partition, position, stream time.
    idled: Vec<(usize, usize, i64)>,
    partitioned: bool,
}

impl<F: Functions> Worker<F> {
    pub fn new(functions: F, scenario: &Scenario, stores: Stores) -> Worker<F> {
        let limits = SourceLimits { held_groups_max: 1000, held_bytes_max: 1 << 20, accumulator_bytes_max: 1 << 20 };
        let source = Source::new(PLUGIN, scenario.windows, limits);
        let partitioned = scenario.partitioned;
        Worker {
            functions,
            source: if partitioned { source.placed(scenario.sources as i32) } else { source },
            sources: BTreeMap::new(),
            owned: BTreeMap::new(),
            stores,
            late: Vec::new(),
            dead: Vec::new(),
            idled: Vec::new(),
            partitioned,
        }
    }

    pub fn some_source(&self, rng: &mut StdRng) -> Option<usize> {
        let at = rng.random_range(0..self.sources.len().max(1));
        self.sources.keys().nth(at).copied()
    }

    pub fn some_owned(&self, rng: &mut StdRng) -> Option<usize> {
        let at = rng.random_range(0..self.owned.len().max(1));
        self.owned.keys().nth(at).copied()
    }

    pub fn assign_source(&mut self, kafka: &Kafka, at: usize, now_ms: i64) {
        if self.sources.contains_key(&at) {
            return;
        }
        let (offset, metadata) = &kafka.input_offsets[at];
        let metadata = Metadata::decode(metadata).expect("metadata that was written here");
        self.source.assign(source(at), metadata.plugins.get(PLUGIN).copied(), now_ms);
        self.sources.insert(at, *offset);
    }

    /// Opens the store, and restores from the changelog what it lacks.
    pub fn assign_owned(&mut self, kafka: &Kafka, at: usize, scenario: &Scenario, dies: bool) {
        if self.owned.contains_key(&at) {
            return;
        }
        let mut store = self.stores.take(at);
        if dies {
            restore(&mut store, kafka, at, true);
        }
        restore(&mut store, kafka, at, false);
        let limits = Limits { keys_max: 100_000, accumulator_bytes_max: 1 << 20, overlay_bytes_max: 1 << 20 };
        let sources = (0..scenario.sources).filter(|source| !scenario.partitioned || *source == at).map(source);
        let owner = Owner::open(PLUGIN, scenario.windows, scenario.emit, limits, sources, store);
        self.owned.insert(at, (owner.expect("a store that was written here"), kafka.repartition_offsets[at]));
    }

    pub fn revoke_all(&mut self, kafka: &Kafka) {
        self.abort(kafka);
        for at in std::mem::take(&mut self.sources).into_keys() {
            self.source.revoke(&source(at));
        }
        for (at, (owner, _)) in std::mem::take(&mut self.owned) {
            self.stores.put(at, owner.into_store());
        }
    }

    /// Dead. Gives what is left on disk.
    pub fn killed(mut self) -> Stores {
        for (at, (owner, _)) in std::mem::take(&mut self.owned) {
            self.stores.put(at, owner.into_store());
        }
        self.stores
    }

    pub fn poll<W: Workload>(&mut self, workload: &W, kafka: &Kafka, at: usize, most: usize, now_ms: i64) {
        let Some(position) = self.sources.get_mut(&at) else { return };
        let records: Vec<_> = kafka.input[at].iter().skip(*position).take(most).collect();
        if records.is_empty() {
            return;
        }
        let values: Vec<_> = records.iter().map(|record| workload.value(record)).collect();
        let batch = Batch {
            values: Column { data: values.concat(), lengths: values.iter().map(|v| v.len() as i32).collect() },
            timestamps: records.iter().map(|record| record.timestamp).collect(),
            keys: None,
            headers: None,
            positions: None,
        };
        let folding = self.source.fold(&mut self.functions, &source(at), &batch, now_ms).expect("the batch folds");
        *position += records.len();
        self.late.extend(folding.late.iter().map(|late| records[late.row].id));
        self.dead.extend(folding.rejected.iter().map(|rejected| records[rejected.row].id));
        self.dead.extend(folding.guilty.iter().map(|guilty| records[guilty.input].id));
    }

    pub fn idle(&mut self, kafka: &Kafka, now_ms: i64) {
        for (&at, &position) in &self.sources {
            self.source.idle(&source(at), position == kafka.input[at].len(), now_ms);
        }
        for (source, progress) in self.source.progress() {
            let at = source.partition as usize;
            self.idled.extend(progress.stream_time.map(|time| (at, self.sources[&at], time)));
        }
    }

    pub fn apply(&mut self, kafka: &Kafka, at: usize, most: usize, now_ms: i64) {
        if self.partitioned {
            return; // Nothing comes between.
        }
        let Some((owner, position)) = self.owned.get_mut(&at) else { return };
        let records: Vec<_> = kafka.repartition[at].iter().skip(*position).take(most).collect();
        let sent = records.iter().map(|(key, value)| (key.as_deref(), value.as_slice()));
        let applied = owner.apply(&mut self.functions, sent, now_ms).expect("what was sent applies");
        assert_eq!(applied.late.count, 0, "an owner never closes a window before its sources did");
        *position += records.len();
    }

    /// With what happens once it is committed, before the stores take it.
    pub fn commit(&mut self, kafka: &mut Kafka, crash: Option<Crash>, committed: impl FnOnce()) {
        let taken = self.source.take();
        if self.partitioned {
            self.take_over(&taken, kafka.repartition.len());
        }
        let functions = &mut self.functions;
        let prepared: BTreeMap<usize, Prepared> = (self.owned.iter_mut())
            .map(|(&at, (owner, _))| (at, owner.prepare_commit(functions).expect("the windows finish")))
            .collect();
        if crash == Some(Crash::BeforeCommit) {
            return;
        }
        self.transaction(kafka, taken, &prepared);
        if crash == Some(Crash::AfterCommit) {
            return;
        }
        committed();
        self.source.committed();
        for (at, prepared) in prepared {
            let (owner, position) = self.owned.get_mut(&at).expect("it is owned");
            let input_offset = *position as i64;
            let checkpoint = Checkpoint { input_offset, changelog_offset: kafka.changelog_ends[at] };
            owner.committed(prepared, checkpoint).expect("the store takes it");
        }
    }

    /// The position of an owner is that of its input partition.
    fn take_over(&mut self, taken: &Taken, partitions: usize) {
        for (&at, (owner, position)) in &mut self.owned {
            let applied = owner.take_over(&mut self.functions, taken, (&source(at), partitions as i32), 0);
            assert_eq!(applied.expect("what was folded applies").late.count, 0, "the source is as late as its owner");
            *position = self.sources[&at];
        }
    }

    /// All or nothing.
    fn transaction(&mut self, kafka: &mut Kafka, taken: Taken, prepared: &BTreeMap<usize, Prepared>) {
        let partitions = kafka.repartition.len();
        for (key, value) in taken.partials.into_iter().filter(|_| !self.partitioned) {
            let at = partition::of_key(&key, partitions as i32) as usize;
            kafka.repartition[at].push((Some(key), value));
        }
        if let Some(marker) = taken.marker.filter(|_| !self.partitioned) {
            kafka.repartition.iter_mut().for_each(|log| log.push((None, marker.clone())));
        }
        for (source, progress) in taken.progress {
            let (at, mut metadata) = (source.partition as usize, Metadata::default());
            metadata.plugins.insert(PLUGIN.to_owned(), progress);
            kafka.input_offsets[at] = (self.sources[&at], metadata.encode());
        }
        for (&at, prepared) in prepared {
            kafka.repartition_offsets[at] = self.owned[&at].1;
            for change in &prepared.changelog {
                kafka.changelog[at].push((kafka.changelog_ends[at], change.clone()));
                kafka.changelog_ends[at] += 1;
            }
            kafka.outputs.extend(prepared.outputs.iter().cloned());
        }
        for (at, position, time) in self.idled.drain(..) {
            kafka.stream_times[at].push((position, time));
        }
        kafka.late.append(&mut self.late);
        kafka.dead.append(&mut self.dead);
    }

    /// The transaction is aborted, and everything since the last commit read again.
    pub fn abort(&mut self, kafka: &Kafka) {
        self.source.abort();
        self.sources.iter_mut().for_each(|(at, position)| *position = kafka.input_offsets[*at].0);
        for (at, (owner, position)) in &mut self.owned {
            owner.abort();
            *position = kafka.repartition_offsets[*at];
        }
        self.idled.clear();
        self.late.clear();
        self.dead.clear();
    }

    pub fn stored(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut stored = BTreeMap::new();
        for (owner, _) in self.owned.values() {
            let collect = |key: &[u8], value: &[u8]| {
                stored.extend(wire::parse_group_key(key).map(|_| (key.to_vec(), value.to_vec())));
                Ok(ControlFlow::Continue(()))
            };
            owner.store().scan((Bound::Unbounded, Bound::Unbounded), collect).expect("the store can be read");
        }
        stored
    }

    pub fn open_windows(&self) -> usize {
        self.owned.values().map(|(owner, _)| owner.why_open().len()).sum()
    }
}

fn restore(store: &mut Store, kafka: &Kafka, at: usize, dies: bool) {
    let input_offset = kafka.repartition_offsets[at] as i64;
    let checkpoint = store.checkpoint().expect("the store can be read");
    if checkpoint.is_some_and(|checkpoint| checkpoint.input_offset == input_offset) {
        return;
    }
    let from = checkpoint.map_or(0, |checkpoint| checkpoint.changelog_offset);
    if checkpoint.is_none() {
        store.clear().expect("the store can be emptied");
    }
    let log: Vec<_> = kafka.changelog[at].iter().filter(|(offset, _)| *offset >= from).collect();
    let some = if dies { log.len() / 2 } else { log.len() };
    for (_, (key, value)) in log.into_iter().take(some) {
        store.restore(key.clone(), value.clone()).expect("the store takes it");
    }
    if !dies {
        let changelog_offset = kafka.changelog_ends[at];
        store.restored(Checkpoint { input_offset, changelog_offset }).expect("the store takes it");
    }
}
