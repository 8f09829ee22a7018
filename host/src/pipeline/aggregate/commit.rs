//! What goes into a transaction before the offsets, and what follows once it is committed or is not.

use std::time::Instant;

use serde_json::Value;

use super::own::{CHANGELOG_LOOK_INTERVAL, Owned};
use super::{Aggregation, now_ms, stop_of};
use crate::exit::{Exit, Stop};
use crate::kafka::transaction::{Record, Transaction};
use crate::kafka::{partition, size};
use crate::pipeline::emit::encode;
use crate::pipeline::plugin::Broken;
use crate::pipeline::prepare::{Encoding, Target};
use crate::pipeline::progress::Tally;
use crate::window::{Change, Checkpoint, Output, Progress, SourcePartition, Taken};

impl Aggregation<'_> {
    /// Sends partials, markers, outputs and changelog records. `next` is up to where an input partition is read.
    /// `committed` or `abort` must follow.
    pub fn send(
        &mut self,
        target: &Target,
        transaction: &mut Transaction,
        tally: &mut Tally,
        next: impl Fn(&SourcePartition) -> Option<i64>,
    ) -> Result<(), Broken> {
        let taken = self.source.take();
        if self.aggregate.partitioned {
            self.take_over(&taken, tally, next)?;
        } else {
            self.send_partials(&taken, transaction, tally)?;
        }
        self.progress = taken.progress;
        for at in 0..self.owned.len() {
            if !self.owned[at].has_moved() {
                continue;
            }
            let Some((_, owner)) = self.owned[at].ready() else { continue };
            let prepared = match owner.prepare_commit(&mut self.functions) {
                Ok(prepared) => prepared,
                Err(error) => return Err(self.midway(error)),
            };
            let partition = self.owned[at].partition;
            self.send_outputs(&prepared.outputs, target, transaction)?;
            tally.records_out += prepared.outputs.len();
            self.send_changes(partition, &prepared.changelog, transaction)?;
            self.in_flight.push((at, prepared));
        }
        Ok(())
    }

    /// The input stands where its groups do: their owners are here.
    fn take_over(
        &mut self,
        taken: &Taken,
        tally: &mut Tally,
        next: impl Fn(&SourcePartition) -> Option<i64>,
    ) -> Result<(), Broken> {
        let partitions = self.aggregate.partitions;
        for owned in &mut self.owned {
            let at = self.aggregate.source(&self.aggregate.home, owned.partition);
            let (Some((moved, owner)), Some(next)) = (owned.ready(), next(&at)) else { continue };
            match owner.take_over(&mut self.functions, taken, (&at, partitions), now_ms()) {
                Ok(applied) => tally.late += applied.late.count as usize,
                Err(error) => return Err(self.midway(error)),
            }
            *moved = Some(next);
        }
        Ok(())
    }

    fn send_partials(&mut self, taken: &Taken, transaction: &mut Transaction, tally: &mut Tally) -> Result<(), Broken> {
        let (topic, partitions) = (self.aggregate.home.as_str(), self.aggregate.partitions);
        let mut send = |partition: i32, key: Option<&[u8]>, value: &[u8]| {
            let (partition, value, timestamp_ms) = (Some(partition), Some(value), None);
            transaction
                .send(Record { topic, partition, key, value, timestamp_ms, headers: None })
                .map_err(Broken::Transaction)
        };
        for (key, value) in &taken.partials {
            self.check_size(key, value, topic, || "a group's accumulator, with its key,".to_owned())?;
            send(partition::of_key(key, partitions), Some(key), value)?;
        }
        for partition in 0..taken.marker.as_ref().map_or(0, |_| partitions) {
            send(partition, None, taken.marker.as_deref().unwrap_or_default())?;
        }
        tally.partials += taken.partials.len();
        Ok(())
    }

    fn send_outputs(&self, outputs: &[Output], target: &Target, transaction: &mut Transaction) -> Result<(), Broken> {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for output in outputs {
            key.clear();
            value.clear();
            put(&self.aggregate.key, &output.key, &mut key).map_err(|why| self.misfit(output, "key", &why))?;
            let partition = partition::of_key(&key, target.partitions);
            if let Some(start) = output.window_start {
                key.extend(start.to_be_bytes());
            }
            if let Some(bytes) = &output.value {
                put(&target.encoding, bytes, &mut value).map_err(|why| self.misfit(output, "value", &why))?;
            }
            self.check_size(&key, &value, &target.topic, || format!("its row for {output}"))?;
            transaction
                .send(Record {
                    topic: &target.topic,
                    partition: Some(partition),
                    key: Some(&key),
                    value: output.value.as_ref().map(|_| value.as_slice()),
                    timestamp_ms: Some(output.timestamp),
                    headers: None,
                })
                .map_err(Broken::Transaction)?;
        }
        Ok(())
    }

    /// A record larger than the producer takes is told from one that a topic refuses, while it is known whose it is.
    fn check_size(&self, key: &[u8], value: &[u8], topic: &str, what: impl Fn() -> String) -> Result<(), Broken> {
        let (bytes, allowed) = (size::of_record(key.len(), value.len()), self.spec.kafka.record_bytes_max());
        if bytes <= allowed {
            return Ok(());
        }
        let (plugin, what) = (&self.aggregate.plugin, what());
        let text = format!("plugin {plugin}: {what} takes {bytes} bytes, above the {allowed} of message.max.bytes");
        Err(Broken::Midway(Stop::new(Exit::Plugin, text).hint(format!(
            "the transaction in hand is undone and read again at the next start; give -X message.max.bytes=N and \
             max.message.bytes of topic {topic} as much, or have the plugin keep and write less"
        ))))
    }

    fn misfit(&self, output: &Output, what: &str, why: &str) -> Broken {
        let plugin = &self.aggregate.plugin;
        let text = format!("plugin {plugin}: its {what} for {output} is not of the schema that it declared: {why}");
        Broken::Midway(Stop::new(Exit::Plugin, text).hint("this is for the plugin's author"))
    }

    /// Without a timestamp of their own: the topic's retention counts from when they were written.
    fn send_changes(&self, partition: i32, changes: &[Change], transaction: &mut Transaction) -> Result<(), Broken> {
        for (key, value) in changes {
            let what = || "a group's accumulator, with its key,".to_owned();
            self.check_size(key, value.as_deref().unwrap_or_default(), &self.aggregate.changelog, what)?;
            let (key, value) = (Some(key.as_slice()), value.as_deref());
            let (topic, partition) = (self.aggregate.changelog.as_str(), Some(partition));
            transaction
                .send(Record { topic, partition, key, value, timestamp_ms: None, headers: None })
                .map_err(Broken::Transaction)?;
        }
        Ok(())
    }

    /// What belongs beside the committed offset of an input partition.
    pub fn progress(&self, at: &SourcePartition) -> Option<Progress> {
        self.progress.iter().find(|(known, _)| known == at).map(|(_, progress)| *progress)
    }

    /// The same of a plugin whose groups are of that partition.
    pub fn stamp_beside(&self, at: &SourcePartition) -> Option<Value> {
        let ours = self.aggregate.partitioned && *at.topic == *self.aggregate.home;
        let owned = self.owned.iter().find(|owned| ours && owned.partition == at.partition)?;
        Some(owned.stamp.value())
    }

    /// What belongs beside the committed offset of a repartition partition.
    pub fn stamp(&self, partition: i32) -> Option<String> {
        self.owned.iter().find(|owned| owned.partition == partition).map(|owned| owned.stamp.encode())
    }

    /// The transaction is committed. `end` asks for the end of a partition of the changelog.
    pub fn committed(&mut self, tally: &mut Tally, end: impl Fn(&str, i32) -> Option<i64>) -> Result<(), Stop> {
        self.source.committed();
        for (at, prepared) in std::mem::take(&mut self.in_flight) {
            let owned = &mut self.owned[at];
            let changelog_offset = owned.changelog_offset;
            let Some((next, owner)) = owned.ready() else { continue };
            let Some(input_offset) = next.take() else { continue };
            let checkpoint = Checkpoint { input_offset, changelog_offset };
            tally.windows_closed += owner.committed(prepared, checkpoint).map_err(stop_of)?;
            // Everything before it is in the store from now on, and the next checkpoint says so.
            if owned.looked.elapsed() >= CHANGELOG_LOOK_INTERVAL {
                owned.looked = Instant::now();
                owned.changelog_offset = end(&self.aggregate.changelog, owned.partition).unwrap_or(changelog_offset);
            }
        }
        Ok(())
    }

    /// The transaction is not: what was read since the last commit comes again.
    pub fn abort(&mut self) {
        self.source.abort();
        self.in_flight.clear();
        for owned in &mut self.owned {
            owned.next = None;
            if let Some((_, owner)) = Owned::ready(owned) {
                owner.abort();
            }
        }
    }
}

fn put(encoding: &Encoding, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    if !encode(encoding, bytes, out)? {
        out.extend_from_slice(bytes);
    }
    Ok(())
}
