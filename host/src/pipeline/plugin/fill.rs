//! Filling a plugin's batch with a group of messages.
//!
//! What cannot be resolved, key or value, becomes a dead letter; the rest flows. Never calls the plugin.

use rdkafka::message::{BorrowedMessage, Message};

use super::{PluginRun, Work};
use crate::exit::Stop;
use crate::guest::Wants;
use crate::pipeline::dead_letter::Cause;
use crate::pipeline::group::Group;

impl PluginRun<'_> {
    /// Every schema that the group was written with is known to the plugin, or the registry is away.
    pub fn learn(&mut self, messages: &[BorrowedMessage<'_>], group: &Group) -> Result<(), Stop> {
        self.resolver.learn(group.writer)?;
        if let Some(resolver) = self.keys.as_mut().filter(|resolver| resolver.reads_ids()) {
            for key in group.rows.iter().filter_map(|index| messages[*index as usize].key()) {
                let writer = resolver.writer_id(key);
                resolver.learn(writer)?;
            }
        }
        Ok(())
    }

    /// Fills the batch's buffers.
    pub(super) fn fill(&mut self, messages: &[BorrowedMessage<'_>], group: &Group) -> Result<(), Stop> {
        self.rows.clear();
        if let Work::Transform(transform) = &mut self.work {
            transform.framed.clear();
            transform.pieces.clear();
        }
        self.dead.clear();
        self.late.clear();
        self.tombstones_skipped = 0;
        let tombstones = self.prepared.configured.wiring().wants.contains(Wants::TOMBSTONES);
        for index in &group.rows {
            let message = &messages[*index as usize];
            if message.payload().is_none() && !tombstones {
                self.tombstones_skipped += 1;
                continue;
            }
            match self.row(*index, message) {
                Ok(()) => {}
                Err(Ok(cause)) => self.dead.push((*index, cause)),
                Err(Err(stop)) => return Err(stop),
            }
        }
        Ok(())
    }

    /// Adds one message. The key comes first, as in Connect: where both are bad, the key is to blame.
    fn row(&mut self, index: u32, message: &BorrowedMessage<'_>) -> Result<(), Result<Cause, Stop>> {
        let start = self.rows.batch.values.data.len();
        if let (Some(resolver), Some(keys)) = (&mut self.keys, &mut self.rows.batch.keys) {
            resolver.push(message.key(), keys).map_err(|why| why.map(Cause::undecodable_key))?;
        }
        if let Err(why) = self.resolver.push(message.payload(), &mut self.rows.batch.values) {
            self.rows.pop_key();
            return Err(why.map(Cause::undecodable));
        }
        self.rows.push(index, message, start);
        if message.payload().is_some() {
            self.time(start);
        }
        Ok(())
    }

    /// The event time of the row that was pushed last. One whose time cannot be read is a dead letter.
    fn time(&mut self, start: usize) {
        let Some(aggregate) = &self.prepared.aggregate else { return };
        let batch = &mut self.rows.batch;
        let (Some(at), value) = (batch.timestamps.last_mut(), &batch.values.data[start..]) else { return };
        match aggregate.event_time.read(value, *at, &mut self.scratch) {
            Ok(time) => *at = time,
            Err(reason) => {
                let index = self.rows.pop();
                self.dead.extend(index.map(|index| (index, Cause::undecodable(reason))));
            }
        }
    }
}
