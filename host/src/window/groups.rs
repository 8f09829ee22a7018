//! Groups that changed since the last commit, by key: the source's held partials and the owner's overlay.
//!
//! It is all in memory, and its size is known, so that its owner can commit before it grows too large.

use std::collections::HashMap;

use super::functions::{Fault, Functions};
use super::merge;
use super::wire::Entry;

/// What a group costs beyond its key and accumulator.
const OVERHEAD: usize = 160;

#[derive(Debug, Default)]
pub(super) struct Groups {
    index: HashMap<Box<[u8]>, usize>,
    groups: Vec<Group>,
    /// Groups with parts still to be merged.
    touched: Vec<usize>,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) accumulator: Vec<u8>,
    pub(super) count: u64,
    pub(super) greatest: i64,
    /// The count that the store has; `None` if the store lacks the group.
    pub(super) stored: Option<u64>,
    parts: Vec<Vec<u8>>,
}

/// Why `settle` did not: the group's key and its fault, or its size.
pub(super) enum Unsettled {
    Fault { key: Box<[u8]>, fault: Fault },
    TooLarge { key: Box<[u8]>, bytes: usize },
}

impl Groups {
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// About what it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.index.contains_key(key)
    }

    /// A group that is not here yet, as the store has it.
    pub(super) fn load(&mut self, key: &[u8], entry: Entry<'_>) {
        self.insert(key, entry, Some(entry.count));
    }

    /// Adds to a group, which begins with it if it is not here; `settle` must follow before anything is read.
    pub(super) fn add(&mut self, key: &[u8], entry: Entry<'_>) {
        let Some(&at) = self.index.get(key) else {
            let at = self.insert(key, entry, None);
            return self.touched.push(at);
        };
        let group = &mut self.groups[at];
        group.count += entry.count;
        group.greatest = group.greatest.max(entry.greatest);
        if group.parts.is_empty() {
            self.touched.push(at);
        }
        self.bytes += entry.accumulator.len();
        group.parts.push(entry.accumulator.to_vec());
    }

    fn insert(&mut self, key: &[u8], entry: Entry<'_>, stored: Option<u64>) -> usize {
        let at = self.groups.len();
        self.index.insert(key.into(), at);
        self.bytes += OVERHEAD + key.len() + entry.accumulator.len();
        let Entry { count, greatest, accumulator } = entry;
        let (accumulator, parts) = (accumulator.to_vec(), Vec::new());
        self.groups.push(Group { accumulator, count, greatest, stored, parts });
        at
    }

    /// Merges what was added, all groups together.
    pub(super) fn settle<F: Functions>(&mut self, functions: &mut F, bytes_max: usize) -> Result<(), Unsettled> {
        let touched = std::mem::take(&mut self.touched);
        let several: Vec<usize> = touched.iter().copied().filter(|&at| !self.groups[at].parts.is_empty()).collect();
        let mut chains: Vec<Vec<Vec<u8>>> = several.iter().map(|&at| self.groups[at].chain()).collect();
        let before: usize = chains.iter().flatten().map(Vec::len).sum();
        if let Err(fault) = merge::reduce(functions, &mut chains) {
            let at = match fault {
                Fault::Group { index, .. } => several.get(index).copied(),
                Fault::Instance(_) => None,
            };
            return Err(Unsettled::Fault { key: at.map(|at| self.key(at)).unwrap_or_default(), fault });
        }
        let after: usize = chains.iter().flatten().map(Vec::len).sum();
        self.bytes = (self.bytes + after).saturating_sub(before);
        for (at, chain) in several.into_iter().zip(chains) {
            self.groups[at].accumulator = chain.into_iter().next().unwrap_or_default();
        }
        match touched.into_iter().find(|&at| self.groups[at].accumulator.len() > bytes_max) {
            Some(at) => Err(Unsettled::TooLarge { key: self.key(at), bytes: self.groups[at].accumulator.len() }),
            None => Ok(()),
        }
    }

    /// Slow; for errors.
    fn key(&self, wanted: usize) -> Box<[u8]> {
        self.index.iter().find(|(_, at)| **at == wanted).map(|(key, _)| key.clone()).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.index.iter().map(|(key, &at)| (key.as_ref(), &self.groups[at]))
    }

    /// In the order of keys, so that what is written does not depend on a hash.
    pub(super) fn sorted(&self) -> Vec<(&[u8], &Group)> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        sorted
    }

    pub(super) fn clear(&mut self) {
        *self = Groups::default();
    }
}

impl Group {
    pub(super) fn entry(&self) -> Entry<'_> {
        Entry { count: self.count, greatest: self.greatest, accumulator: &self.accumulator }
    }

    fn chain(&mut self) -> Vec<Vec<u8>> {
        let mut chain = vec![std::mem::take(&mut self.accumulator)];
        chain.append(&mut self.parts);
        chain
    }
}
