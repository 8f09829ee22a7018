//! An owner's state on disk: groups by (window start, key), stream times, and a checkpoint written with them.
//!
//! One database for a pipeline, one keyspace for each plugin and partition; keys and values are the changelog's. The
//! changelog is the truth, so nothing waits for the disk: after a crash the store is as one of its last commits left
//! it, checkpoint included, and the changelog from there on brings it up to date.
//!
//! The library is fjall, an LSM tree in safe Rust. Measured with 1,000,000 groups on one busy core: 650,000 records are
//! restored a second with 144 MB of memory (redb, a copy-on-write B-tree, inserts 165,000 a second); a commit that reads
//! and writes 20 groups takes 190 µs (redb 230 µs); batches are atomic across keyspaces, and no commit needs an fsync.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;

const CACHE_BYTES: u64 = 32 << 20;
const MEMTABLE_BYTES: u64 = 16 << 20;
/// Restored records are written in chunks of this many.
const RESTORE_CHUNK: usize = 100_000;
const CHECKPOINT_KEY: &[u8] = &[3];

/// A put, or a deletion.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// Up to where a store is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The next record of the repartition partition.
    pub input_offset: i64,
    /// Changelog records before this one are in the store.
    pub changelog_offset: i64,
}

/// A pipeline's stores. One process at a time can have it open.
#[derive(Clone)]
pub struct Database {
    database: fjall::Database,
    dir: Arc<PathBuf>,
}

/// The state of one plugin in one partition.
pub struct Store(Backing);

enum Backing {
    Memory(BTreeMap<Vec<u8>, Vec<u8>>),
    Disk { database: Database, keyspace: fjall::Keyspace, restored: Vec<Change> },
}

impl Database {
    pub fn open(dir: &Path) -> Result<Database, Error> {
        let opened = fjall::Database::builder(dir).cache_size(CACHE_BYTES).worker_threads(1).open();
        let database = opened.map_err(|error| failed(dir, &error))?;
        Ok(Database { database, dir: Arc::new(dir.to_owned()) })
    }

    /// Opened, or made if it is not there.
    pub fn store(&self, plugin: &str, partition: i32) -> Result<Store, Error> {
        let options = || fjall::KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let keyspace =
            self.database.keyspace(&format!("{plugin}-{partition}"), options).map_err(|error| self.failed(&error))?;
        Ok(Store(Backing::Disk { database: self.clone(), keyspace, restored: Vec::new() }))
    }

    fn failed(&self, error: &fjall::Error) -> Error {
        failed(&self.dir, error)
    }
}

fn failed(dir: &Path, error: &fjall::Error) -> Error {
    Error::Store { dir: dir.display().to_string(), reason: error.to_string() }
}

impl Store {
    /// Nothing on disk; for tests and for state that need not outlive the process.
    pub fn memory() -> Store {
        Store(Backing::Memory(BTreeMap::new()))
    }

    /// `read` sees the value where it is.
    pub fn get<T>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, Error> {
        match &self.0 {
            Backing::Memory(map) => Ok(map.get(key).map(|value| read(value))),
            Backing::Disk { database, keyspace, .. } => {
                let value = keyspace.get(key).map_err(|error| database.failed(&error))?;
                Ok(value.map(|value| read(&value)))
            }
        }
    }

    /// All of them and the checkpoint, or nothing.
    pub fn apply(&mut self, changes: Vec<Change>, checkpoint: Checkpoint) -> Result<(), Error> {
        let at = (CHECKPOINT_KEY.to_vec(), Some(checkpoint.encode()));
        self.write(changes.into_iter().chain([at]))
    }

    fn write(&mut self, changes: impl Iterator<Item = Change>) -> Result<(), Error> {
        match &mut self.0 {
            Backing::Memory(map) => {
                for (key, value) in changes {
                    match value {
                        Some(value) => map.insert(key, value),
                        None => map.remove(&key),
                    };
                }
                Ok(())
            }
            Backing::Disk { database, keyspace, .. } => {
                let mut batch = database.database.batch();
                for (key, value) in changes {
                    match value {
                        Some(value) => batch.insert(keyspace, key, value),
                        None => batch.remove(keyspace, key),
                    }
                }
                batch.commit().map_err(|error| database.failed(&error))
            }
        }
    }

    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.get(CHECKPOINT_KEY, Checkpoint::decode)?.flatten())
    }

    /// Keys in order, the checkpoint left out; until `each` breaks.
    pub fn scan(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let mut see = |key: &[u8], value: &[u8]| {
            if key == CHECKPOINT_KEY { Ok(ControlFlow::Continue(())) } else { each(key, value) }
        };
        match &self.0 {
            Backing::Memory(map) => {
                for (key, value) in map.range::<[u8], _>(range) {
                    if see(key, value)?.is_break() {
                        break;
                    }
                }
            }
            Backing::Disk { database, keyspace, .. } => {
                for item in keyspace.range::<&[u8], _>(range) {
                    let (key, value) = item.into_inner().map_err(|error| database.failed(&error))?;
                    if see(&key, &value)?.is_break() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Empties it, the checkpoint included: before a restore from the changelog's beginning.
    pub fn clear(&mut self) -> Result<(), Error> {
        match &mut self.0 {
            Backing::Memory(map) => map.clear(),
            Backing::Disk { database, keyspace, restored } => {
                restored.clear();
                keyspace.clear().map_err(|error| database.failed(&error))?;
            }
        }
        Ok(())
    }

    /// A changelog record, in the changelog's order. It is in the store only after `restored`.
    pub fn restore(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), Error> {
        match &mut self.0 {
            Backing::Memory(_) => return self.write(std::iter::once((key, value))),
            Backing::Disk { restored, .. } => restored.push((key, value)),
        }
        self.flush_restored(RESTORE_CHUNK)
    }

    /// The end of a restore. If it never came, the old checkpoint stands, and what was restored is restored again.
    pub fn restored(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        self.flush_restored(1)?;
        self.apply(Vec::new(), checkpoint)
    }

    fn flush_restored(&mut self, at_least: usize) -> Result<(), Error> {
        let Backing::Disk { restored, .. } = &mut self.0 else { return Ok(()) };
        if restored.len() < at_least {
            return Ok(());
        }
        // Through the journal. Bulk ingestion is faster, but leaves nothing there, while a clearing does: replayed at the
        // next opening it would take along what was ingested after it, and leave the checkpoint that says it is there.
        let records = std::mem::take(restored);
        self.write(records.into_iter())
    }
}

impl Checkpoint {
    fn encode(self) -> Vec<u8> {
        let mut to = vec![1]; // version
        to.extend(self.input_offset.to_be_bytes());
        to.extend(self.changelog_offset.to_be_bytes());
        to
    }

    /// `None`: of another version, so the store is to be rebuilt.
    fn decode(bytes: &[u8]) -> Option<Checkpoint> {
        let (input, rest) = bytes.strip_prefix(&[1])?.split_first_chunk::<8>()?;
        let changelog: &[u8; 8] = rest.try_into().ok()?;
        Some(Checkpoint { input_offset: i64::from_be_bytes(*input), changelog_offset: i64::from_be_bytes(*changelog) })
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
