//! Plugins: compiled once, run in a sandbox, blamed record by record.
//!
//! The only door to wasmtime. It never touches Kafka or Avro, and never trusts what a plugin returns.

mod aggregate;
mod bisect;
mod check;
mod check_aggregate;
mod code;
mod component;
mod engine;
mod error;
mod grouping;
mod instance;
mod load;
mod log;
mod names;
mod run;
mod settings;
mod slice;
mod state;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        // Both worlds in one, so that they share their types; which of them a plugin is of, its exports' names tell.
        inline: "
            package smt:host;
            world plugin {
                include smt:plugin/transform@1.0.0;
                include smt:plugin/aggregate@1.0.0;
            }
        ",
        world: "smt:host/plugin",
        ownership: Owning,
        additional_derives: [PartialEq],
    });
}

pub use aggregate::{Aggregator, Blame, Folded, FoldedPiece};
pub use bindings::exports::smt::plugin::aggregator::{Emit, Finished, Grouping, Partials, Window};
pub use bindings::exports::smt::plugin::transformer::{Emitted, Outcome};
pub use bindings::smt::plugin::types::{
    Batch, Column, Description, Format, Headers, Output, Positions, Rejection, Setting, SettingValue, Wants, Wiring,
};
pub use engine::{Engine, Limits};
pub use error::{Failure, LoadError};
pub use load::{Configured, Plugin, World};
pub use run::{Guilty, Piece, Runner, Verdict};
