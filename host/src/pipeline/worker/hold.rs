//! Waiting in mid-run for a registry that is away: the batch is given back unhandled, fetching pauses, and the
//! worker stays a member of its group.

use std::time::Instant;

use rdkafka::message::Message;

use super::Worker;
use crate::exit::{Exit, Stop};
use crate::kafka::patience::{Backoff, Thing};
use crate::kafka::transaction::Span;

#[derive(Default)]
pub(super) struct Hold {
    until: Option<Instant>,
    backoff: Backoff,
}

impl Worker<'_> {
    /// Every writer's schema in the batch is known to every plugin, or the registry is away.
    pub(super) fn learn(&mut self) -> Result<(), Stop> {
        for group in self.groups.iter() {
            for plugin in &mut self.plugins {
                plugin.learn(&self.messages, group)?;
            }
        }
        if self.hold.backoff.is_waiting() {
            self.hold.backoff.reset();
            self.task.outage.back(&Thing::Registry);
        }
        Ok(())
    }

    /// Gives the batch back and pauses; with `fail_fast`, ends the pipeline with what is complete committed.
    pub(super) fn hold(&mut self, why: Stop) -> Result<(), Stop> {
        if self.task.spec.fail_fast || why.exit != Exit::Dependency {
            self.commit()?;
            return Err(why);
        }
        self.task.outage.away(&Thing::Registry, &why.what);
        let spans = self.batch_spans();
        if self.transaction.is_open() {
            self.touch_batch();
        }
        // An abort goes back further by itself.
        if self.commit()? {
            self.member.seek_first(&spans).map_err(|error| self.lost_place(&error))?;
        }
        self.member.pause().map_err(|error| self.lost_place(&error))?;
        self.hold.until = Some(Instant::now() + self.hold.backoff.pause());
        Ok(())
    }

    /// Fetches again once the pause is over.
    pub(super) fn resume(&mut self) -> Result<(), Stop> {
        if self.hold.until.is_some_and(|until| Instant::now() >= until) {
            self.hold.until = None;
            self.member.resume().map_err(|error| self.lost_place(&error))?;
            self.hold_restoring()?;
        }
        Ok(())
    }

    /// Where each topic partition of the batch begins.
    fn batch_spans(&mut self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for group in self.groups.iter() {
            let last = group.ends(&self.messages).1;
            self.state.give_back(last.topic(), last.partition(), last.offset() + 1);
        }
        let inputs = self.groups.iter().map(|group| group.ends(&self.messages).0);
        for first in inputs.chain(&self.internal) {
            let (topic, partition, offset) = (first.topic(), first.partition(), first.offset());
            if !spans.iter().any(|span| span.partition == partition && span.topic == topic) {
                spans.push(Span::at(topic, partition, offset));
            }
        }
        spans
    }

    /// What was polled counts as read since the last commit, so that an abort goes back to it.
    pub(super) fn touch_batch(&mut self) {
        for span in self.batch_spans() {
            self.transaction.touch(span);
        }
    }
}
