//! Plugins: compiled once, run in a sandbox, blamed record by record.
//!
//! The only door to wasmtime. It never touches Kafka or Avro, and never trusts what a plugin returns.

mod bisect;
mod check;
mod engine;
mod error;
mod load;
mod names;
mod run;
mod settings;
mod slice;
mod state;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "transform",
        ownership: Owning,
        additional_derives: [PartialEq],
    });
}

pub use bindings::exports::smt::plugin::transformer::{Emitted, Outcome};
pub use bindings::smt::plugin::types::{
    Batch, Column, Description, Format, Headers, Output, Positions, Rejection, Setting, SettingValue, Wants, Wiring,
};
pub use engine::{Engine, Limits};
pub use error::{Failure, LoadError};
pub use load::{Configured, Plugin};
pub use run::{Guilty, Piece, Runner, Verdict};
