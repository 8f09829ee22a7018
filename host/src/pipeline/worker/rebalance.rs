//! Partitions that come and go, after what was read is committed.

use super::Worker;
use crate::exit::Stop;
use crate::kafka::member::Change;
use crate::pipeline::progress::Progress;

impl Worker<'_> {
    /// Before partitions come or go, what was read of them is committed.
    pub(super) fn rebalance(&mut self) -> Result<(), Stop> {
        while let Some(change) = self.member.change() {
            self.commit()?;
            self.accept(&change)?;
            let pipeline = &self.task.spec.name;
            match &change {
                Change::Assigned(partitions) => {
                    tracing::info!(pipeline, partitions = partitions.count(), "partitions assigned");
                    if !self.assigned {
                        Progress::add(&self.task.progress.assigned, 1);
                    }
                    self.assigned = true;
                }
                Change::Revoked(partitions) => {
                    tracing::info!(pipeline, partitions = partitions.count(), "partitions revoked");
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self, change: &Change) -> Result<(), Stop> {
        let accepted = match change {
            Change::Assigned(partitions) if !self.state.is_none() => {
                match self.begin(partitions) {
                    Ok(begun) => self.member.accept(&Change::Assigned(begun)),
                    // Nothing will be read of them.
                    Err(_) if self.patience.is_over() => self.member.accept(change),
                    Err(stop) => return Err(stop),
                }
            }
            change => self.member.accept(change),
        };
        accepted.map_err(|error| self.lost_place(&error))?;
        match change {
            Change::Assigned(_) => self.hold_restoring(),
            Change::Revoked(partitions) => {
                self.end(partitions);
                Ok(())
            }
        }
    }
}
