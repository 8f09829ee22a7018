//! Windows without a broker: logs, transactions, clock and crashes are simulated under `smt_host::window`, at the batch
//! boundary. Everything follows from a seed. The plugin's functions come in as a `Workload`.

mod guests;
mod ids;
mod kafka;
mod model;
mod stores;
mod worker;

use std::collections::BTreeMap;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use smt_host::kafka::partition;
use smt_host::window::{Declared, Emit, Functions, Windows};

pub use guests::{Classes, Words};
pub use ids::Ids;
pub use kafka::{Kafka, Sent};
pub use stores::Stores;
pub use worker::{Crash, Worker};

/// An input record. What a good one adds is up to the workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub id: u32,
    pub partition: usize,
    pub key: Vec<u8>,
    pub timestamp: i64,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Good,
    Rejected,
    /// Traps.
    Guilty,
    /// Has no key.
    LeftOut,
}

/// A plugin, and what it should make of records.
pub trait Workload {
    type Functions: Functions;

    fn functions(&self) -> Self::Functions;
    fn key(&self, rng: &mut StdRng) -> Vec<u8>;
    fn kind(&self, rng: &mut StdRng) -> Kind;
    /// The value as the plugin reads it.
    fn value(&self, record: &Record) -> Vec<u8>;
    /// Whether the plugin's output for these records, all of one window and key, is right.
    fn is_right(&self, output: &[u8], records: &[&Record]) -> bool;
}

/// What a schedule is about; drawn from the seed.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    pub windows: Option<Windows>,
    pub emit: Emit,
    /// Records stand in the partition of their key; there is no repartition topic.
    pub partitioned: bool,
    pub sources: usize,
    pub repartitions: usize,
    pub workers: usize,
    pub steps: usize,
}

impl Scenario {
    pub fn from_seed(seed: u64) -> Scenario {
        let mut rng = StdRng::seed_from_u64(seed);
        let advance = rng.random_range(1..=20);
        let declared = Declared {
            size_ms: advance * rng.random_range(1..=3),
            advance_ms: advance,
            grace_ms: Some(rng.random_range(0..=40)),
            retention_ms: None,
            idle_ms: Some(rng.random_range(1..=100)),
        };
        let mut windows = Windows::new(declared).expect("a window within its limits");
        windows.retention_ms += rng.random_range(0..=60);
        windows.idle_ms = windows.idle_ms.filter(|_| rng.random_bool(0.6));
        let windows = Some(windows).filter(|_| rng.random_bool(0.9));
        let emit = if windows.is_some() && rng.random_bool(0.5) { Emit::Final } else { Emit::Changes };
        let (partitioned, sources) = (rng.random_bool(0.3), rng.random_range(1..=3));
        Scenario {
            seed,
            windows,
            emit,
            partitioned,
            sources,
            repartitions: if partitioned { sources } else { rng.random_range(1..=2) },
            workers: rng.random_range(1..=2),
            steps: rng.random_range(20..=150),
        }
    }
}

/// Everything there is.
pub struct World<'w, W: Workload> {
    pub workload: &'w W,
    pub scenario: Scenario,
    pub kafka: Kafka,
    pub workers: Vec<Worker<W::Functions>>,
    pub now_ms: i64,
    rng: StdRng,
    next_id: u32,
}

/// Runs a schedule to its end and compares; the error tells what is wrong.
pub fn check<W: Workload>(workload: &W, scenario: Scenario) -> Result<Kafka, String> {
    let steps = scenario.steps;
    World::new(workload, scenario, |_| Stores::memory()).check(steps)
}

/// The same with the stores on disk, closed and opened again by each crash.
pub fn check_on_disk<W: Workload>(workload: &W, scenario: Scenario, dir: &Path) -> Result<Kafka, String> {
    let steps = scenario.steps;
    World::new(workload, scenario, |worker| Stores::on_disk(dir.join(worker.to_string()))).check(steps)
}

/// Half a schedule with its stores on disk; `kill` is called when the last commit is done and the stores are to take it.
pub fn run_until_killed<W: Workload>(workload: &W, scenario: Scenario, dir: &Path, kill: impl FnOnce()) {
    World::new(workload, scenario, |worker| Stores::on_disk(dir.join(worker.to_string()))).half(kill);
}

/// The other half, with the stores that the killed run has left. The log follows from the seed.
pub fn check_after_kill<W: Workload>(workload: &W, scenario: Scenario, dir: &Path) -> Result<Kafka, String> {
    let mut world = World::new(workload, scenario, |_| Stores::memory());
    world.half(|| ());
    let left = |worker: usize| Stores::on_disk(dir.join(worker.to_string()));
    world.workers = new_workers(workload, &world.scenario, left);
    world.assign();
    let steps = world.scenario.steps / 2;
    world.check(steps)
}

fn new_workers<W: Workload>(
    workload: &W,
    scenario: &Scenario,
    stores: impl Fn(usize) -> Stores,
) -> Vec<Worker<W::Functions>> {
    (0..scenario.workers).map(|worker| Worker::new(workload.functions(), scenario, stores(worker))).collect()
}

impl<'w, W: Workload> World<'w, W> {
    fn new(workload: &'w W, scenario: Scenario, stores: impl Fn(usize) -> Stores) -> World<'w, W> {
        let rng = StdRng::seed_from_u64(scenario.seed ^ 0x5eed);
        let kafka = Kafka::new(scenario.sources, scenario.repartitions);
        let workers = new_workers(workload, &scenario, stores);
        let mut world = World { workload, scenario, kafka, workers, now_ms: 1000, rng, next_id: 0 };
        world.assign();
        world
    }

    fn check(mut self, steps: usize) -> Result<Kafka, String> {
        for _ in 0..steps {
            self.step();
        }
        self.drain();
        model::compare(&self)?;
        Ok(self.kafka)
    }

    fn half(&mut self, killed: impl FnOnce()) {
        for _ in 0..self.scenario.steps / 2 {
            self.step();
        }
        let last = self.workers.len() - 1;
        for worker in 0..last {
            self.commit(worker, None);
        }
        self.workers[last].commit(&mut self.kafka, None, killed);
    }

    /// Anything may happen.
    fn step(&mut self) {
        let worker = self.rng.random_range(0..self.workers.len());
        match self.rng.random_range(0..100) {
            0..25 => self.produce(),
            25..50 => self.poll(worker),
            50..65 => self.apply(worker),
            65..70 => self.idle(worker),
            70..75 => self.now_ms += self.rng.random_range(0..200),
            75..90 => {
                let crash = match self.rng.random_range(0..10) {
                    0 => Some(Crash::BeforeCommit),
                    1 => Some(Crash::AfterCommit),
                    _ => None,
                };
                self.commit(worker, crash);
            }
            90..93 => self.workers[worker].abort(&self.kafka),
            93..96 => self.crash(worker),
            96..98 => self.kafka.compact(),
            _ => self.rebalance(),
        }
    }

    /// A burst of records around the present, some of them old.
    fn produce(&mut self) {
        let any = self.rng.random_range(0..self.scenario.sources);
        for _ in 0..self.rng.random_range(1..=12) {
            self.now_ms += self.rng.random_range(0..4);
            let back =
                if self.rng.random_bool(0.2) { self.rng.random_range(0..150) } else { self.rng.random_range(0..8) };
            let timestamp = self.now_ms - 1100 - back; // begins before the epoch
            let (key, kind) = (self.workload.key(&mut self.rng), self.workload.kind(&mut self.rng));
            let of_key = || partition::of_key(&key, self.scenario.sources as i32) as usize;
            let partition = if self.scenario.partitioned { of_key() } else { any };
            self.kafka.input[partition].push(Record { id: self.next_id, partition, key, timestamp, kind });
            self.next_id += 1;
        }
    }

    fn poll(&mut self, worker: usize) {
        let most = self.rng.random_range(1..=10);
        let Some(partition) = self.workers[worker].some_source(&mut self.rng) else { return };
        self.workers[worker].poll(self.workload, &self.kafka, partition, most, self.now_ms);
    }

    fn apply(&mut self, worker: usize) {
        let most = self.rng.random_range(1..=10);
        let Some(partition) = self.workers[worker].some_owned(&mut self.rng) else { return };
        self.workers[worker].apply(&self.kafka, partition, most, self.now_ms);
    }

    fn idle(&mut self, worker: usize) {
        self.workers[worker].idle(&self.kafka, self.now_ms);
    }

    fn commit(&mut self, worker: usize, crash: Option<Crash>) {
        self.workers[worker].commit(&mut self.kafka, crash, || ());
        if crash.is_some() {
            self.crash(worker);
        }
    }

    /// The process is killed and starts again, with or without what it had on disk.
    fn crash(&mut self, worker: usize) {
        let keep = self.rng.random_bool(0.5);
        let stores = self.workers.remove(worker).killed().reopened(keep);
        self.workers.insert(worker, Worker::new(self.workload.functions(), &self.scenario, stores));
        self.assign();
    }

    /// Partitions move; what is not committed is lost.
    fn rebalance(&mut self) {
        for worker in 0..self.workers.len() {
            if self.rng.random_bool(0.7) {
                self.commit(worker, None);
            }
            self.workers[worker].revoke_all(&self.kafka);
        }
        self.kafka.assignment = self.rng.random_range(0..2);
        self.assign();
    }

    /// Whatever belongs to a worker and is not with it yet.
    fn assign(&mut self) {
        let count = self.workers.len();
        for partition in 0..self.scenario.sources {
            let worker = (partition + self.kafka.assignment) % count;
            self.workers[worker].assign_source(&self.kafka, partition, self.now_ms);
        }
        for partition in 0..self.scenario.repartitions {
            let moved = if self.scenario.partitioned { 0 } else { 1 };
            let worker = (partition + moved + self.kafka.assignment) % count;
            // Now and then the process dies while it restores.
            let dies = self.rng.random_bool(0.1);
            self.workers[worker].assign_owned(&self.kafka, partition, &self.scenario, dies);
        }
    }

    /// Input has ended: everything is read and, where the clock can, every window closes and is forgotten.
    fn drain(&mut self) {
        for _ in 0..4 {
            for _ in 0..2 {
                for worker in 0..self.workers.len() {
                    for partition in 0..self.scenario.sources {
                        self.workers[worker].poll(self.workload, &self.kafka, partition, usize::MAX, self.now_ms);
                    }
                    for partition in 0..self.scenario.repartitions {
                        self.workers[worker].apply(&self.kafka, partition, usize::MAX, self.now_ms);
                    }
                    self.idle(worker);
                    self.commit(worker, None);
                }
            }
            self.now_ms += 100_000;
        }
    }

    /// Groups of all owners, as their stores have them.
    pub fn stored(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.workers.iter().flat_map(Worker::stored).collect()
    }
}
