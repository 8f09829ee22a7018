//! What plugins that aggregate need: their partitions, their part of a commit, time that goes on by itself. Where none
//! does, only the outputs are told beside offsets.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::Worker;
use super::places::Places;
use crate::exit::Stop;
use crate::kafka::{lag, topics, transaction::Span};
use crate::pipeline::aggregate::{Aggregation, now_ms};
use crate::pipeline::plugin::{Broken, PluginRun};
use crate::pipeline::{outputs, prepare::Prepared};
use crate::window::{Metadata, SourcePartition};

/// All partitions that are being restored share it; the group is polled in between.
const RESTORE_STEP: Duration = Duration::from_millis(200);
/// How often it is looked whether a partition is idle.
const IDLE_LOOK_INTERVAL: Duration = Duration::from_millis(200);
const END_REQUEST: Duration = Duration::from_secs(1);
const PURGE_INTERVAL: Duration = Duration::from_secs(30);

pub(super) struct State {
    /// Of all plugins that aggregate, unless their input stands where their groups do.
    pub(super) repartitions: Vec<String>,
    aggregates: bool,
    /// The outputs: what stands beside each offset before there is anything of state, and its text.
    told: (Metadata, String),
    places: Places,
    open_windows: lag::Share,
    idle_looked: Instant,
    /// Once at the first commit, too: a short run leaves nothing behind either.
    purged: Option<Instant>,
    purge_failed: bool,
}

impl State {
    pub(super) fn new(members: &[Prepared], open_windows: lag::Share) -> State {
        let aggregates = || members.iter().filter_map(|member| member.aggregate.as_ref());
        let repartitions = aggregates().filter(|aggregate| !aggregate.partitioned);
        let told = Metadata { outputs: outputs::told(members), ..Metadata::default() };
        let now = Instant::now();
        State {
            repartitions: repartitions.map(|aggregate| aggregate.home.clone()).collect(),
            aggregates: aggregates().next().is_some(),
            told: (told.clone(), told.encode()),
            places: Places::default(),
            open_windows,
            idle_looked: now,
            purged: None,
            purge_failed: false,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        !self.aggregates
    }

    /// What was polled up to here comes again; until then the partition is not at its end.
    pub(super) fn give_back(&mut self, topic: &str, partition: i32, next: i64) {
        self.places.saw(topic, partition, next);
    }

    /// A record between two halves of an aggregation, not one of the input.
    pub(super) fn is_internal(&self, topic: &str) -> bool {
        self.repartitions.iter().any(|repartition| repartition == topic)
    }
}

/// Those that aggregate.
pub(super) fn aggregations<'w, 'a>(plugins: &'w mut [PluginRun<'a>]) -> impl Iterator<Item = &'w mut Aggregation<'a>> {
    plugins.iter_mut().filter_map(|plugin| plugin.aggregation().map(|(aggregation, _)| aggregation))
}

impl Worker<'_> {
    /// Whether there is something to commit beyond offsets.
    pub(super) fn is_pending(&mut self) -> bool {
        aggregations(&mut self.plugins).any(|aggregation| aggregation.is_pending())
    }

    pub(super) fn is_full(&mut self) -> bool {
        aggregations(&mut self.plugins).any(|aggregation| aggregation.is_full())
    }

    /// Repartition records go to their owners.
    pub(super) fn apply(&mut self) -> Result<(), Broken> {
        let one =
            |a: &BorrowedMessage<'_>, b: &BorrowedMessage<'_>| a.partition() == b.partition() && a.topic() == b.topic();
        for run in self.internal.chunk_by(one) {
            let (first, last) = (&run[0], &run[run.len() - 1]);
            let mut owners = aggregations(&mut self.plugins);
            let Some(owner) = owners.find(|owner| owner.aggregate().home == first.topic()) else { continue };
            let late = owner.apply(run)?;
            self.tally.late += late.count as usize;
            self.transaction.read(first.topic(), first.partition(), first.offset(), last.offset() + 1);
        }
        Ok(())
    }

    /// Everything but the offsets that belongs into the transaction.
    pub(super) fn send_state(&mut self) -> Result<(), Broken> {
        if self.state.is_none() {
            let told = &self.state.told.1;
            self.transaction.spans().iter_mut().for_each(|span| span.metadata = Some(told.clone()));
            return Ok(());
        }
        self.transaction.ensure_open().map_err(Broken::Transaction)?;
        self.state.places.follow(self.transaction.spans());
        for plugin in &mut self.plugins {
            if let Some((aggregation, target)) = plugin.aggregation() {
                let next = |at: &SourcePartition| self.state.places.next(at);
                aggregation.send(target, &mut self.transaction, &mut self.tally, next)?;
            }
        }
        for place in self.state.places.iter_mut() {
            let mut metadata = self.state.told.0.clone();
            for aggregation in aggregations(&mut self.plugins) {
                let plugin = &aggregation.aggregate().plugin;
                metadata.plugins.extend(aggregation.progress(&place.at).map(|progress| (plugin.clone(), progress)));
                metadata.stamps.extend(aggregation.stamp_beside(&place.at).map(|stamp| (plugin.clone(), stamp)));
            }
            let metadata = metadata.encode();
            // An offset without it would wipe it out; it goes with the offset that stands where none moved.
            if let Some(next) = place.next.filter(|_| metadata != place.metadata) {
                self.transaction.touch(Span::at(&place.at.topic, place.at.partition, next));
            }
            place.sent = Some(metadata);
        }
        for span in self.transaction.spans() {
            let place = self.state.places.iter_mut().find(|place| place.at.is(&span.topic, span.partition));
            span.metadata = match place {
                Some(place) => place.sent.clone(),
                None => aggregations(&mut self.plugins)
                    .find(|aggregation| aggregation.aggregate().home == span.topic)
                    .and_then(|aggregation| aggregation.stamp(span.partition)),
            };
        }
        Ok(())
    }

    /// The transaction is committed.
    pub(super) fn state_committed(&mut self) -> Result<(), Stop> {
        if self.state.is_none() {
            return Ok(());
        }
        self.state.places.committed();
        let consumer = self.member.consumer();
        let end = |topic: &str, partition| Some(consumer.fetch_watermarks(topic, partition, END_REQUEST).ok()?.1);
        let mut open = 0;
        for aggregation in aggregations(&mut self.plugins) {
            aggregation.committed(&mut self.tally, end)?;
            open += aggregation.open_windows();
        }
        self.state.open_windows.set(open as u64);
        self.purge();
        Ok(())
    }

    /// Where partitions that come begin; what is known of them is read.
    pub(super) fn begin(&mut self, partitions: &TopicPartitionList) -> Result<TopicPartitionList, Stop> {
        let committed = self.member.committed(partitions, &self.patience).map_err(|error| self.lost_place(&error))?;
        let mut begun = TopicPartitionList::with_capacity(partitions.count());
        let (database, patience) = (self.task.ready.database.as_ref(), &self.patience);
        for element in committed.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            let mut added = begun.add_partition(topic, partition);
            if self.state.is_internal(topic) {
                for aggregation in aggregations(&mut self.plugins) {
                    if aggregation.aggregate().home == topic {
                        let offset = aggregation.own(&element, database, patience)?;
                        added.set_offset(offset).ok();
                    }
                }
                continue;
            }
            let at = SourcePartition::new(topic, partition);
            let metadata = Metadata::decode(element.metadata()).map_err(Stop::start)?;
            for aggregation in aggregations(&mut self.plugins) {
                let progress = metadata.plugins.get(&aggregation.aggregate().plugin).copied();
                aggregation.assign(&at, progress);
                if aggregation.aggregate().home == topic {
                    // Where reading begins is the input's matter.
                    aggregation.own(&element, database, patience)?;
                }
            }
            self.state.places.begin(&at, &element);
        }
        Ok(begun)
    }

    /// Partitions go, after a commit or an abort.
    pub(super) fn end(&mut self, partitions: &TopicPartitionList) {
        for element in partitions.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            let at = SourcePartition::new(topic, partition);
            for aggregation in aggregations(&mut self.plugins) {
                if aggregation.aggregate().home == topic {
                    aggregation.disown(partition);
                }
                aggregation.revoke(&at);
            }
            self.state.places.end(&at);
        }
    }

    /// After an abort: whether it was committed after all, only the group knows.
    pub(super) fn begin_again(&mut self) -> Result<(), Stop> {
        if self.state.is_none() {
            return Ok(());
        }
        let assigned = self.member.consumer().assignment().map_err(|error| self.lost_place(&error))?;
        if assigned.count() > 0 {
            self.begin(&assigned)?;
            self.hold_restoring()?;
        }
        Ok(())
    }

    /// What is being restored is not fetched.
    pub(super) fn hold_restoring(&mut self) -> Result<(), Stop> {
        for aggregation in aggregations(&mut self.plugins) {
            let restoring = aggregation.restoring();
            if restoring.count() > 0 {
                let paused = self.member.consumer().pause(&restoring);
                paused.map_err(|error| topics::away(&self.task.spec.kafka, &error))?;
            }
        }
        Ok(())
    }

    /// Goes on restoring for a moment; what is complete is fetched from then on.
    pub(super) fn restore(&mut self) -> Result<(), Stop> {
        let mut any = false;
        for aggregation in aggregations(&mut self.plugins) {
            let waiting = aggregation.restoring().count();
            if waiting == 0 {
                continue;
            }
            let complete = aggregation.restore(RESTORE_STEP / waiting as u32)?;
            if complete.count() > 0 {
                any = true;
                let resumed = self.member.consumer().resume(&complete);
                resumed.map_err(|error| topics::away(&self.task.spec.kafka, &error))?;
            }
        }
        // An input partition may be waited for by another plugin.
        if any { self.hold_restoring() } else { Ok(()) }
    }

    /// The time of partitions that have been read to their end goes on with the wall clock.
    pub(super) fn idle(&mut self) {
        if self.state.is_none() || self.state.idle_looked.elapsed() < IDLE_LOOK_INTERVAL {
            return;
        }
        self.state.idle_looked = Instant::now();
        let now_ms = now_ms();
        self.state.places.follow(self.transaction.spans());
        for place in self.state.places.iter_mut() {
            let at = &place.at;
            if !aggregations(&mut self.plugins).any(|aggregation| aggregation.would_idle(at, now_ms)) {
                continue;
            }
            // Asked for only when a window would close: it is a request.
            let ends = self.member.consumer().fetch_watermarks(&at.topic, at.partition, END_REQUEST);
            // Who cannot be asked cannot be read either: nobody knows what has come since.
            let Ok((_, end)) = ends else { return };
            if !place.is_caught_up() {
                continue;
            }
            let reached = self.member.reached(&at.topic, at.partition).max(place.next);
            if reached.is_some_and(|reached| reached >= end) || end == 0 {
                place.next.get_or_insert(end);
                aggregations(&mut self.plugins).for_each(|aggregation| aggregation.idle(at, now_ms));
            }
        }
    }

    /// Repartition records that are applied and committed are of no use any more.
    fn purge(&mut self) {
        if self.state.purged.is_some_and(|purged| purged.elapsed() < PURGE_INTERVAL) {
            return;
        }
        self.state.purged = Some(Instant::now());
        let mut before = TopicPartitionList::new();
        for aggregation in aggregations(&mut self.plugins) {
            aggregation.applied(&mut before);
        }
        if before.count() == 0 {
            return;
        }
        if let (Err(stop), false) = (topics::purge(&self.task.spec.kafka, &before), self.state.purge_failed) {
            self.state.purge_failed = true;
            let pipeline = &self.task.spec.name;
            tracing::warn!(pipeline, "repartition records stay longer than they are needed: {}", stop.what);
        }
    }
}
