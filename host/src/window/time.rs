//! Where windows stand: panes, windows, when they close and when they are forgotten. Pure arithmetic.

use std::sync::Arc;

/// One partition of an input topic, whose stream time is its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl SourcePartition {
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> SourcePartition {
        SourcePartition { topic: topic.into(), partition }
    }

    pub fn is(&self, topic: &str, partition: i32) -> bool {
        self.partition == partition && *self.topic == *topic
    }
}

impl std::fmt::Display for SourcePartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Event times beyond ± this many milliseconds (36 million years) are taken as this; so no sum overflows.
pub(super) const EVENT_TIME_MAX: i64 = 1 << 60;
/// No window, grace or retention is longer (35,000 years).
const LENGTH_MAX: u64 = 1 << 50;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const IDLE_MS_MAX: u64 = 30_000;

/// What a plugin says of its windows; absent is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    pub size_ms: u64,
    pub advance_ms: u64,
    pub grace_ms: Option<u64>,
    pub retention_ms: Option<u64>,
    pub idle_ms: Option<u64>,
}

/// Windows `[start, start + size)` aligned to the epoch, one every `advance`. A pane, `[k · advance, (k + 1) ·
/// advance)`, is the part of time that belongs to the same windows. All fields are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    pub size_ms: i64,
    pub advance_ms: i64,
    pub grace_ms: i64,
    pub retention_ms: i64,
    /// `None`: stream time advances with records only.
    pub idle_ms: Option<i64>,
}

impl Windows {
    /// Checks, and fills in defaults: grace 24 h less the size, retention size and grace, idle the same but at most
    /// 30 s.
    pub fn new(declared: Declared) -> Result<Windows, String> {
        let Declared { size_ms, advance_ms, grace_ms, retention_ms, idle_ms } = declared;
        if advance_ms == 0 || size_ms == 0 || !size_ms.is_multiple_of(advance_ms) {
            return Err(format!(
                "a window of {size_ms} ms every {advance_ms} ms: the advance must be above 0 and divide the size"
            ));
        }
        let grace = grace_ms.unwrap_or(DAY_MS.saturating_sub(size_ms));
        let closing = size_ms.saturating_add(grace);
        let retention = retention_ms.unwrap_or(closing);
        let idle = idle_ms.unwrap_or(closing.min(IDLE_MS_MAX));
        for (name, value) in [("size", size_ms), ("grace", grace), ("retention", retention), ("idle timeout", idle)] {
            if value > LENGTH_MAX {
                return Err(format!("a window's {name} of {value} ms is above {LENGTH_MAX} ms"));
            }
        }
        if retention < closing {
            return Err(format!(
                "a retention of {retention} ms is shorter than size and grace together ({size_ms} + {grace} ms)"
            ));
        }
        let signed = |ms: u64| ms as i64; // at most LENGTH_MAX
        Ok(Windows {
            size_ms: signed(size_ms),
            advance_ms: signed(advance_ms),
            grace_ms: signed(grace),
            retention_ms: signed(retention),
            idle_ms: Some(signed(idle)),
        })
    }

    /// The start of the pane that holds `time`, which is also its last window's start.
    pub fn pane(&self, time: i64) -> i64 {
        time.div_euclid(self.advance_ms) * self.advance_ms
    }

    /// The start of the earliest window that holds the pane.
    pub fn first(&self, pane: i64) -> i64 {
        pane - self.size_ms + self.advance_ms
    }

    pub fn end(&self, start: i64) -> i64 {
        start + self.size_ms
    }

    /// The stream time at which a window closes: whatever comes for it then is late.
    pub fn closes_at(&self, start: i64) -> i64 {
        self.end(start) + self.grace_ms
    }

    /// The stream time at which a window's state is removed.
    pub fn expires_at(&self, start: i64) -> i64 {
        start + self.retention_ms
    }

    pub fn is_closed(&self, start: i64, stream_time: i64) -> bool {
        self.closes_at(start) <= stream_time
    }

    /// The start of the latest closed window.
    pub fn closed_through(&self, stream_time: i64) -> i64 {
        self.tick(stream_time) * self.advance_ms - self.size_ms
    }

    /// The start of the latest window whose state is to be removed.
    pub fn expired_through(&self, stream_time: i64) -> i64 {
        self.pane(stream_time - self.retention_ms)
    }

    /// The pane's earliest window that is still open; `None` if all are closed.
    pub fn first_open(&self, pane: i64, stream_time: i64) -> Option<i64> {
        let first = self.first(pane).max(self.closed_through(stream_time) + self.advance_ms);
        (first <= pane).then_some(first)
    }

    /// A number that changes exactly when some window closes.
    pub fn tick(&self, stream_time: i64) -> i64 {
        (stream_time - self.grace_ms).div_euclid(self.advance_ms)
    }
}

pub(super) fn clamp(time: i64) -> i64 {
    time.clamp(-EVENT_TIME_MAX, EVENT_TIME_MAX)
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
