//! Write smt-host plugins: a plain function over Avro records becomes a WASM component.
//!
//! Derive [`AvroRecord`] on an input and an output struct, put [`macro@transform`] on a function between them, and
//! build the crate as a `cdylib` for wasm32 (`plugins/build.sh`).

pub mod bindings;
mod codec;
mod containers;
mod emit;
mod logical;
pub mod plugin;
mod reader;
mod schema;
mod settings;
pub mod testing;

pub use codec::{AvroType, Decode, Encode, decode_record};
pub use emit::{Emitter, IntoEmitted, Reject, Target};
pub use logical::{Date, Decimal, TimeMicros, TimeMillis, TimestampMicros, TimestampMillis, Uuid};
pub use plugin::Context;
pub use reader::{DecodeError, Reader};
pub use schema::{RecordHead, SchemaText, schema_of};
pub use settings::{SettingText, Settings};
pub use smt_plugin_macros::{AvroEnum, AvroRecord, Outputs, Settings, transform};
