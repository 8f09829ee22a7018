//! Write smt-host plugins: a plain function over Avro records becomes a WASM component.
//!
//! Derive [`AvroRecord`] on an input and an output struct, put [`macro@transform`] on a function between them, and
//! build the crate as a `cdylib` for wasm32 (`plugins/build.sh`).

// The crate's own derives name it as plugins do.
extern crate self as smt_plugin;

mod accumulator;
pub mod accumulators;
pub mod aggregate;
pub mod bindings;
mod codec;
mod containers;
mod duration;
mod emit;
mod hash;
mod key;
mod logical;
pub mod plugin;
mod reader;
mod schema;
mod settings;
pub mod testing;

pub use accumulator::Accumulator;
pub use aggregate::{Aggregate, Group};
pub use bindings::aggregator::{Emit, Grouping, Window};
pub use codec::{AvroType, Decode, Encode, decode_record};
pub use duration::{Millis, NoDuration};
pub use emit::{Emitter, IntoEmitted, Reject, Target};
pub use key::{Avro, Key};
pub use logical::{Date, Decimal, TimeMicros, TimeMillis, TimestampMicros, TimestampMillis, Uuid};
pub use plugin::Context;
pub use reader::{DecodeError, Reader};
pub use schema::{RecordHead, SchemaText, schema_of};
pub use settings::{SettingText, Settings};
pub use smt_plugin_macros::{Accumulator, AvroEnum, AvroRecord, Outputs, Settings, aggregate, transform};
