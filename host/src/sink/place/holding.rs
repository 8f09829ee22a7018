//! What a topic partition holds in memory.

use std::time::Instant;

use super::Place;
use crate::sink::open::Open;
use crate::sink::store::Outbox;

impl Place {
    /// Bytes of open files.
    pub(in super::super) fn held(&self) -> usize {
        self.held
    }

    /// Makes room: sends what is large enough for a part of its own.
    pub(in super::super) fn ship_early(&mut self, part_size: usize, outbox: &Outbox) {
        for open in &mut self.open {
            open.ship(part_size, outbox);
        }
        self.held = self.open.iter().map(Open::held).sum();
    }

    pub(in super::super) fn open_files(&self) -> usize {
        self.open.len()
    }

    /// Records in files that are open.
    pub(in super::super) fn waiting(&self) -> u64 {
        self.boundaries.files().iter().map(|file| file.records).sum()
    }

    /// Since when the oldest open file is open.
    pub(in super::super) fn opened(&self) -> Option<Instant> {
        self.opened
    }
}
