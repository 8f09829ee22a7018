//! JSON on the topic, in and out.

use crate::bindings::types::Format;
use crate::column::Strings;
use crate::emit::Reject;
use crate::input::{Input, present};
use crate::payload::Payload;

/// A JSON document as text. Avro on the input topic is rendered as JSON by the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonText<'a>(pub &'a str);

impl<'a> Input<'a> for JsonText<'a> {
    fn format() -> Format {
        Format::Json
    }
    fn read(value: Option<&'a [u8]>) -> Result<Self, Reject> {
        std::str::from_utf8(present(value)?).map(Self).map_err(Reject::new)
    }
}

impl Payload for JsonText<'_> {
    fn format() -> Option<Format> {
        Some(Format::Json)
    }
    fn write(&self, out: &mut Strings) -> Result<(), Reject> {
        out.push(self.0.as_bytes());
        Ok(())
    }
}

/// A JSON document as a type of serde's.
#[cfg(feature = "json")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

#[cfg(feature = "json")]
impl<'a, T: serde::Deserialize<'a>> Input<'a> for Json<T> {
    fn format() -> Format {
        Format::Json
    }
    fn read(value: Option<&'a [u8]>) -> Result<Self, Reject> {
        serde_json::from_slice(present(value)?).map(Self).map_err(Reject::new)
    }
}

#[cfg(feature = "json")]
impl<T: serde::Serialize> Payload for Json<T> {
    fn format() -> Option<Format> {
        Some(Format::Json)
    }
    fn write(&self, out: &mut Strings) -> Result<(), Reject> {
        out.push_with(|out| serde_json::to_writer(out, &self.0)).map_err(Reject::new)
    }
}
