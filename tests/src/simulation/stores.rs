//! What a worker keeps beside the log: stores in memory, or on disk as the host has them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use smt_host::window::{Database, Store};

use super::worker::PLUGIN;

pub enum Stores {
    /// Of partitions that are not owned now.
    Memory(BTreeMap<usize, Store>),
    Disk {
        dir: PathBuf,
        database: Database,
    },
}

impl Stores {
    pub fn memory() -> Stores {
        Stores::Memory(BTreeMap::new())
    }

    /// As it was left there, or new.
    pub fn on_disk(dir: PathBuf) -> Stores {
        let database = Database::open(&dir).expect("the database opens");
        Stores::Disk { dir, database }
    }

    pub fn take(&mut self, partition: usize) -> Store {
        match self {
            Stores::Memory(stores) => stores.remove(&partition).unwrap_or_else(Store::memory),
            Stores::Disk { database, .. } => database.store(PLUGIN, partition as i32).expect("the store opens"),
        }
    }

    pub fn put(&mut self, partition: usize, store: Store) {
        if let Stores::Memory(stores) = self {
            stores.insert(partition, store);
        }
    }

    /// The process is gone, and with it, unless `keep`, its disk.
    pub fn reopened(self, keep: bool) -> Stores {
        match self {
            Stores::Memory(_) if !keep => Stores::memory(),
            Stores::Memory(stores) => Stores::Memory(stores),
            Stores::Disk { dir, database } => {
                drop(database);
                if !keep {
                    std::fs::remove_dir_all(&dir).expect("the directory goes");
                }
                Stores::on_disk(dir)
            }
        }
    }
}
