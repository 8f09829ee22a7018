//! Plugins that aggregate, on a real Kafka: what stands in the output topic, whatever happened on the way.
#![allow(clippy::unwrap_used)]

mod classes;
mod faults;
mod kill;
mod limits;
mod moves;
mod options;
mod partitioned;
mod pipeline;
mod reset;
mod state;
mod table;
