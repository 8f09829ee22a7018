//! Waiting in mid-run for a registry that is away: the batch is given back unhandled, fetching pauses, and the
//! worker stays a member of its group.

use std::time::Instant;

use super::Worker;
use crate::exit::{Exit, Stop};
use crate::kafka::patience::{Backoff, Thing};

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
}
