//! Commands to look around with: `topics`, `print`, `select`, `status`.
//!
//! They see what is committed, need no running host, join no group, and change nothing; `topics create` alone makes
//! something.

/// How a record's data look to people.
mod cell;
/// The columns of a topic.
mod columns;
/// `--where`.
mod condition;
/// Records, decoded.
mod print;
/// From a record's bytes to data.
mod record;
/// Columns of records, as a table.
mod select;
/// Once or again and again.
mod show;
/// Pipelines and connectors.
mod status;
/// Tables.
mod table;
/// A topic's records, from its beginning or from now on.
mod tail;
/// Topics.
mod topics;

use std::time::Duration;

use crate::exit::Stop;
use crate::kafka::{Settings, topics as kafka_topics};
use crate::shutdown::Shutdown;

/// So long a registry may take before it counts as away.
const REGISTRY_WITHIN: Duration = Duration::from_secs(5);

pub use print::{Args as PrintArgs, run as print};
pub use select::{Args as SelectArgs, run as select};
pub use show::{Show, Shown};
pub use status::{Args as StatusArgs, run as status};
pub use topics::{Args as TopicsArgs, run as topics};

/// Every command asks this first: other requests wait longer for a cluster that is away.
fn reach(settings: &Settings) -> Result<(), Stop> {
    kafka_topics::answers(settings, Duration::from_secs(5))
}

fn no_topic(settings: &Settings, topic: &str) -> Stop {
    let near = kafka_topics::nearest(settings, topic);
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    Stop::start(format!("topic {topic} does not exist{near}")).hint("smt-host topics shows those that do")
}

fn signals() -> Result<Shutdown, Stop> {
    let stop = Shutdown::new();
    stop.on_signals().map_err(|error| Stop::start(format!("signals: {error}")))?;
    Ok(stop)
}
