//! Windows and grouping as an author says them, checked before any record.

use crate::bindings::aggregator::{Emit, Grouping, Window};
use crate::bindings::types::Format;
use crate::duration::Millis;

impl Window {
    /// Windows back to back.
    pub const fn tumbling(size: Millis) -> Self {
        Self::hopping(size, size)
    }

    /// Windows of `size` that begin every `advance`.
    pub const fn hopping(size: Millis, advance: Millis) -> Self {
        Self { size_ms: size.0, advance_ms: advance.0, grace_ms: None, retention_ms: None, idle_ms: None }
    }

    /// For an attribute: a window that makes no sense does not compile.
    pub const fn checked(self) -> Self {
        match self.fault() {
            Some(fault) => panic!("{}", fault),
            None => self,
        }
    }

    /// Why the host would refuse this window.
    pub const fn fault(&self) -> Option<&'static str> {
        if self.size_ms == 0 || self.advance_ms == 0 {
            Some("a window's size and advance are longer than nothing")
        } else if !self.size_ms.is_multiple_of(self.advance_ms) {
            Some("a window's advance divides its size")
        } else {
            None
        }
    }
}

impl Grouping {
    /// One group a key for ever; its key's format is filled in from the aggregate's `Key`.
    pub const fn forever(version: u32) -> Self {
        Self {
            key: Format::Bytes,
            window: None,
            emit: Emit::Changes,
            time_field: None,
            partitioned: false,
            accumulator_version: version,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match &self.window {
            Some(window) => window
                .fault()
                .map_or(Ok(()), |fault| Err(format!("{fault}: {} ms by {} ms", window.size_ms, window.advance_ms))),
            None if self.emit == Emit::Final => Err("without a window nothing is ever final: emit changes".to_owned()),
            None => Ok(()),
        }
    }
}
