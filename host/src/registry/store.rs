//! What the embedded server knows: schemas, subjects, levels; and the file that keeps it.
//!
//! One JSON object a line, appended and synced before memory changes, so an answer is never given for what a crash could
//! take back. Lines are never rewritten. A last line without its end was never answered for and is cut off.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::compatibility::Level;
use crate::exit::Stop;

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Event {
    Version {
        subject: String,
        version: u32,
        id: u32,
        schema: String,
    },
    Delete {
        subject: String,
        versions: Vec<u32>,
        permanent: bool,
    },
    /// No subject: the global level. No level: back to the default.
    Level {
        subject: Option<String>,
        level: Option<String>,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    pub(super) id: u32,
    pub(super) deleted: bool,
}

pub(super) type Versions = BTreeMap<u32, Version>;

#[derive(Default)]
pub(super) struct Known {
    pub(super) schemas: BTreeMap<u32, Arc<str>>,
    pub(super) ids: HashMap<String, u32>,
    pub(super) subjects: BTreeMap<String, Versions>,
    pub(super) levels: HashMap<String, Level>,
    pub(super) global: Option<Level>,
}

pub(super) struct Store {
    pub(super) known: Known,
    file: File,
    length: u64,
}

impl Store {
    pub(super) fn open(dir: &Path) -> Result<Store, Stop> {
        let path = dir.join("schemas.jsonl");
        let fail = |error: std::io::Error| Stop::start(format!("cannot use {}: {error}", path.display()));
        std::fs::create_dir_all(dir).map_err(fail)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        file.try_lock().map_err(|error| {
            Stop::start(format!("cannot lock {}: {error}", path.display()))
                .hint("another schema registry uses this directory; stop it or give another directory")
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut known = Known::default();
        for (at, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let event = serde_json::from_slice(line)
                .map_err(|error| Stop::start(format!("{} line {}: {error}", path.display(), at + 1)))?;
            known.apply(event);
        }
        let length = whole as u64;
        file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length))).map_err(fail)?;
        Ok(Store { known, file, length })
    }

    /// Keeps the event, then makes it true. After an error nothing has changed.
    pub(super) fn record(&mut self, event: Event) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            // Half a line must not stay in front of the next one.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        self.length += line.len() as u64;
        self.known.apply(event);
        Ok(())
    }
}

impl Known {
    fn apply(&mut self, event: Event) {
        match event {
            Event::Version { subject, version, id, schema } => {
                self.schemas.entry(id).or_insert_with(|| schema.as_str().into());
                self.ids.entry(schema).or_insert(id);
                self.subjects.entry(subject).or_default().insert(version, Version { id, deleted: false });
            }
            Event::Delete { subject, versions, permanent } => self.delete(&subject, &versions, permanent),
            Event::Level { subject, level } => self.set_level(subject, level.as_deref().and_then(Level::parse)),
        }
    }

    fn delete(&mut self, subject: &str, versions: &[u32], permanent: bool) {
        let Some(kept) = self.subjects.get_mut(subject) else { return };
        for version in versions {
            if permanent {
                kept.remove(version);
            } else if let Some(found) = kept.get_mut(version) {
                found.deleted = true;
            }
        }
        if kept.is_empty() {
            self.subjects.remove(subject);
        }
    }

    fn set_level(&mut self, subject: Option<String>, level: Option<Level>) {
        match (subject, level) {
            (None, level) => self.global = level,
            (Some(subject), Some(level)) => drop(self.levels.insert(subject, level)),
            (Some(subject), None) => drop(self.levels.remove(&subject)),
        }
    }

    pub(super) fn level(&self, subject: &str) -> Level {
        self.levels.get(subject).copied().unwrap_or_else(|| self.global_level())
    }

    pub(super) fn global_level(&self) -> Level {
        self.global.unwrap_or(Level::Backward)
    }

    /// Ids are never given twice, not even after a permanent deletion.
    pub(super) fn next_id(&self) -> u32 {
        self.schemas.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// Versions that are not deleted, oldest first.
    pub(super) fn live<'a>(&'a self, subject: &str) -> impl DoubleEndedIterator<Item = (u32, u32)> + use<'a> {
        self.subjects
            .get(subject)
            .into_iter()
            .flatten()
            .filter(|(_, found)| !found.deleted)
            .map(|(version, found)| (*version, found.id))
    }
}
