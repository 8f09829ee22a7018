//! Waiting at start for what a pipeline needs: brokers, registry, input topics.
//!
//! With `fail_fast` nothing is waited for. What would not get better by waiting ends the pipeline either way.

use std::time::Duration;

use super::end::End;
use super::prepare::{self, NotReady, Prepared};
use super::{Spec, aggregate};
use crate::exit::Stop;
use crate::kafka::patience::{Backoff, Outage, Thing};
use crate::kafka::topics;
use crate::shutdown::Shutdown;
use crate::window::Database;

/// A look whether brokers answer; short, so that stopping is not held up.
const LOOK: Duration = Duration::from_secs(2);

/// What is found out before the first record.
pub struct Ready {
    pub members: Vec<Prepared>,
    pub end: Option<End>,
    /// Where plugins that aggregate keep a copy of their state.
    pub database: Option<Database>,
}

/// `None`: stopping was asked for.
pub fn wait(spec: &Spec, stop: &Shutdown, outage: &Outage) -> Result<Option<Ready>, Stop> {
    let mut backoff = Backoff::default();
    while !stop.is_requested() {
        match attempt(spec) {
            Ok(ready) => {
                outage.all_back();
                return Ok(Some(ready));
            }
            Err(NotReady::Refused(stop)) => return Err(stop),
            Err(NotReady::Away(_, stop)) if spec.fail_fast => return Err(stop),
            Err(NotReady::Away(thing, reason)) => {
                // What was asked for before it has answered.
                outage.only(&thing, &reason.what);
                stop.sleep(backoff.pause());
            }
        }
    }
    Ok(None)
}

fn attempt(spec: &Spec) -> Result<Ready, NotReady> {
    if !spec.fail_fast {
        topics::answers(&spec.kafka, LOOK).map_err(|stop| NotReady::Away(Thing::Brokers, stop))?;
    }
    let members = prepare::members(spec)?;
    let end = spec.until_end.then(|| End::at_start(spec)).transpose().map_err(NotReady::kafka)?;
    let dir = spec.store_dir.as_ref().filter(|_| members.iter().any(|member| member.aggregate.is_some()));
    let database = dir.map(|dir| aggregate::database(dir)).transpose()?;
    Ok(Ready { members, end, database })
}
