//! Windowed aggregation without Kafka: time, groups, state and record formats, driven at batch boundaries.
//!
//! A `Source` folds a worker's input into partial accumulators until the commit; an `Owner` merges the partials of one
//! repartition partition, closes windows and makes output and changelog records; a `Store` holds its state. All three
//! are deterministic. Nothing here knows rdkafka, wasmtime or the clock: functions of the plugin come in as
//! `Functions`, the time as an argument.

mod bucket;
mod columns;
mod commit;
mod error;
mod finish;
mod functions;
mod groups;
mod merge;
mod owner;
mod placed;
mod progress;
mod rows;
mod source;
mod status;
mod store;
mod time;
mod times;

/// Record formats, byte by byte.
pub mod wire;

pub use bucket::LateRecord;
pub use commit::Prepared;
pub use error::Error;
pub use finish::Output;
pub use functions::{Fault, Functions};
pub use owner::{Applied, Emit, Limits, Owner};
pub use progress::{Late, Metadata, Outputs, Progress, RESET};
pub use source::{Folding, Judged, Rejected, Source, SourceLimits, Taken};
pub use status::{HeldBack, OpenWindow};
pub use store::{Change, Checkpoint, Database, Store};
pub use time::{Declared, SourcePartition, Windows};
