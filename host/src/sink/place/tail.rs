//! A tail that closes before `flush.size`, where that was recorded.

use super::Place;
use crate::sink::recorded::Recorded;

impl Place {
    /// Where the tail would end that nothing was written to since `since_ms`, and from where on it is read again. Only
    /// once all before it is in S3: then the committed offset is that of the tail alone.
    pub(in super::super) fn idle(&self, since_ms: i64) -> Option<Recorded> {
        let end = self.boundaries.files().iter().map(|file| file.last + 1).max()?;
        let is_idle = self.touched_ms <= since_ms && self.flights.is_empty() && self.boundary.is_none();
        is_idle.then(|| Recorded { offset: self.reached.unwrap_or(self.first), end: Some(end) })
    }

    /// This is what the group has committed. Records before it are taken all the same: where the topic was made anew,
    /// its offsets begin anew.
    pub(in super::super) fn follow(&mut self, recorded: Recorded) {
        (self.reached, self.committed) = (Some(recorded.offset), Some(recorded.offset));
        self.boundary = recorded.end;
    }
}
