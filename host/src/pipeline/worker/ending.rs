//! Where a run that goes to its input's end stands. It asks the cluster, so it looks now and then only.

use std::time::{Duration, Instant};

use super::Worker;
use crate::exit::{Exit, Stop};
use crate::kafka::patience::Thing;
use crate::pipeline::end::End;

const END_LOOK_INTERVAL: Duration = Duration::from_millis(200);

impl Worker<'_> {
    /// Looks at most once in `END_LOOK_INTERVAL`, since it asks the cluster.
    pub(super) fn at_end(&mut self) -> Result<bool, Stop> {
        let Some(end) = &self.task.ready.end else { return Ok(false) };
        if self.looked.elapsed() < END_LOOK_INTERVAL {
            return Ok(false);
        }
        let reached = self.is_done(end);
        self.looked = Instant::now();
        match reached {
            Ok(true) => self.member.at_end(),
            Err(stop) if stop.exit == Exit::Dependency && !self.task.spec.fail_fast => {
                self.task.outage.away(&Thing::Brokers, &stop.what);
                return Ok(false);
            }
            _ => {}
        }
        reached
    }

    /// The input is done, and so is what it made between the halves of aggregations.
    fn is_done(&mut self, end: &End) -> Result<bool, Stop> {
        let spec = self.task.spec;
        let reached = end.is_reached(spec)?;
        if !reached || self.state.repartitions.is_empty() {
            return Ok(reached);
        }
        let made = match self.made.take() {
            Some(made) => made,
            None => End::made(spec, &self.state.repartitions)?,
        };
        self.made.insert(made).is_reached(spec)
    }
}
