//! One aggregating plugin at work in one worker: what it folds, what it owns, and what of it goes into a transaction.
//!
//! It drives `crate::window` at the batch boundary, and knows Kafka's topics; it never commits and never polls its
//! group.

mod commit;
mod event_time;
mod functions;
mod options;
mod own;
mod restore;
mod setup;
mod stamp;

use std::path::Path;

use rdkafka::message::{BorrowedMessage, Message};

pub use options::{EmitMode, Idle, OnLate, WindowOptions};
pub use setup::{Aggregate, changelog_topic, check, repartition_topic, setup};
pub use stamp::{stamped_beside_input, stamped_windows};

use self::own::Owned;
use super::Spec;
use super::batch::Rows;
use super::plugin::Broken;
use crate::exit::{Exit, Stop};
use crate::guest::{Aggregator, Batch};
use crate::shutdown::Shutdown;
use crate::window::{Database, Error, Folding, Judged, Late, Prepared, Progress, Source, SourcePartition};

/// One plugin in one worker.
pub struct Aggregation<'a> {
    spec: &'a Spec,
    aggregate: &'a Aggregate,
    functions: Aggregator,
    stop: Shutdown,
    source: Source,
    judged: Judged,
    owned: Vec<Owned>,
    /// Of the transaction in hand: which of `owned`, and what comes of it.
    in_flight: Vec<(usize, Prepared)>,
    /// The same, for the offsets of input partitions.
    progress: Vec<(SourcePartition, Progress)>,
}

impl<'a> Aggregation<'a> {
    /// With the functions, which give up when `stop` is requested.
    pub fn new(spec: &'a Spec, aggregate: &'a Aggregate, functions: Aggregator, stop: &Shutdown) -> Aggregation<'a> {
        let source = Source::new(aggregate.plugin.as_str(), aggregate.windows, aggregate.source_limits);
        Aggregation {
            spec,
            aggregate,
            functions,
            stop: stop.clone(),
            source: if aggregate.partitioned { source.placed(aggregate.partitions) } else { source },
            judged: Judged::default(),
            owned: Vec::new(),
            in_flight: Vec::new(),
            progress: Vec::new(),
        }
    }

    pub fn aggregate(&self) -> &'a Aggregate {
        self.aggregate
    }

    /// Runs a batch of one input partition through the plugin. Keeps nothing of it.
    pub fn judge(&mut self, topic: &str, partition: i32, batch: &Batch) -> Result<&Folding, Stop> {
        let at = self.aggregate.source(topic, partition);
        self.judged = self.source.judge(&mut self.functions, &at, batch).map_err(stop_of)?;
        Ok(&self.judged.folding)
    }

    /// Adds what was judged, and gives how many records it was. After an error, the transaction is to be abandoned.
    pub fn keep(&mut self, topic: &str, partition: i32, rows: &Rows) -> Result<usize, Broken> {
        if rows.is_empty() {
            return Ok(0);
        }
        let at = self.aggregate.source(topic, partition);
        let judged = std::mem::take(&mut self.judged);
        let kept = self.source.keep(&mut self.functions, judged, &at, &rows.batch, now_ms());
        Ok(kept.map_err(|error| self.midway(error))?.folded)
    }

    /// Merges repartition records of one partition. After an error, the transaction is to be abandoned.
    pub fn apply(&mut self, messages: &[BorrowedMessage<'_>]) -> Result<Late, Broken> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(Late::default()) };
        let partition = first.partition();
        let found = self.owned.iter_mut().find(|owned| owned.partition == partition);
        let Some((owned, owner)) = found.and_then(Owned::ready) else {
            let text = format!("repartition records of partition {partition}, which is not owned");
            return Err(Broken::Midway(Stop::new(Exit::Bug, format!("plugin {}: {text}", self.aggregate.plugin))));
        };
        let records = messages.iter().map(|message| (message.key(), message.payload().unwrap_or_default()));
        let applied = match owner.apply(&mut self.functions, records, now_ms()) {
            Ok(applied) => applied,
            Err(error) => return Err(self.midway(error)),
        };
        *owned = Some(last.offset() + 1);
        Ok(applied.late)
    }

    /// What an error means where state has part of something.
    fn midway(&self, error: Error) -> Broken {
        if self.stop.is_requested() { Broken::Dropped } else { Broken::Midway(undone(error)) }
    }

    /// Whether there is something to commit beyond offsets.
    pub fn is_pending(&self) -> bool {
        self.source.pending() || self.owned.iter().any(Owned::has_moved)
    }

    /// Whether to commit before the interval is over.
    pub fn is_full(&self) -> bool {
        self.source.full() || self.owned.iter().any(Owned::is_full)
    }

    /// Whether the wall clock would close a window of this input partition, if it has been read to its end.
    pub fn would_idle(&self, at: &SourcePartition, now_ms: i64) -> bool {
        self.source.would_idle(at, now_ms)
    }

    /// To be called for a partition that has been read to its end.
    pub fn idle(&mut self, at: &SourcePartition, now_ms: i64) {
        self.source.idle(at, true, now_ms);
    }

    pub fn open_windows(&self) -> usize {
        self.owned.iter().map(Owned::open_windows).sum()
    }

    /// An input partition comes.
    pub fn assign(&mut self, at: &SourcePartition, progress: Option<Progress>) {
        self.source.assign(at.clone(), progress, now_ms());
    }

    /// An input partition goes.
    pub fn revoke(&mut self, at: &SourcePartition) {
        self.source.revoke(at);
    }
}

/// The pipeline's stores.
pub fn database(dir: &Path) -> Result<Database, Stop> {
    std::fs::create_dir_all(dir).map_err(|error| Stop::start(format!("the store in {}: {error}", dir.display())))?;
    Database::open(dir).map_err(|error| {
        let text = error.to_string();
        let used = Stop::start(format!("the store in {} is in use by another process", dir.display()))
            .hint("stop that one, or give this one its own --instance-id or --state-dir");
        if text.contains("Locked") { used } else { stop_of(error) }
    })
}

pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// How an error in merging or finishing ends the pipeline: no record is to blame, so all since the last commit is.
fn undone(error: Error) -> Stop {
    let (stop, way) = match &error {
        Error::AccumulatorTooLarge { .. } => (Exit::Plugin, "raise accumulator-bytes, or mend the plugin"),
        Error::TooManyKeys { .. } => (Exit::Plugin, "raise keys-max, or have the plugin group by fewer keys"),
        Error::Function { .. } | Error::Instance { .. } | Error::Contract { .. } => (Exit::Plugin, "mend the plugin"),
        _ => return stop_of(error),
    };
    Stop::new(stop, error.to_string()).hint(format!(
        "the transaction in hand (at most a commit interval) is undone: nothing of it is lost or counted twice, it is read \
         again at the next start; {way}"
    ))
}

/// How a window's error ends the pipeline where nothing of it was kept.
fn stop_of(error: Error) -> Stop {
    let text = error.to_string();
    match error {
        Error::AccumulatorTooLarge { .. }
        | Error::TooManyKeys { .. }
        | Error::Function { .. }
        | Error::Instance { .. }
        | Error::Contract { .. } => Stop::new(Exit::Plugin, text)
            .hint("what came before is committed; mend the plugin and start again, it goes on from there"),
        Error::Misplaced { .. } => Stop::new(Exit::Plugin, text).hint(
            "what came before is committed; write the input by the same key and with Kafka's default partitioner, or build \
             the plugin without `partitioned`",
        ),
        Error::Corrupt { .. } => Stop::start(text)
            .hint("another program or another version of smt-host wrote there; `smt-host reset` begins anew"),
        Error::Store { .. } => Stop::dependency(text)
            .hint("look at the disk; the store may be deleted, it is rebuilt from the changelog topic"),
    }
}
