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
mod column;
mod containers;
mod context;
mod duration;
mod emit;
mod emitter;
mod hash;
mod input;
mod json;
mod key;
mod logical;
pub mod payload;
pub mod plugin;
mod reader;
mod record;
pub mod schema;
mod settings;
pub mod testing;

pub use accumulator::Accumulator;
pub use aggregate::{Aggregate, Group};
pub use bindings::aggregator::{Emit, Grouping, Window};
pub use codec::{AvroType, Decode, Encode, decode_record};
pub use column::{Strings, View};
pub use context::{Context, Headers, Position};
pub use duration::{Millis, NoDuration};
#[doc(hidden)]
pub use emit::Each;
pub use emit::{IntoEmitted, Reject, Single, Target};
pub use emitter::Emitter;
pub use input::Input;
#[doc(hidden)]
pub use input::read_avro;
#[cfg(feature = "json")]
pub use json::Json;
pub use json::JsonText;
pub use key::{Avro, Key};
pub use logical::{Date, Decimal, TimeMicros, TimeMillis, TimestampMicros, TimestampMillis, Uuid};
pub use payload::{Keep, Payload};
pub use reader::{DecodeError, Reader};
pub use record::Record;
pub use schema::{AvroSchema, schema_of};
pub use settings::{SettingText, Settings};
pub use smt_plugin_macros::{Accumulator, AvroEnum, AvroRecord, Outputs, Settings, aggregate, transform};
