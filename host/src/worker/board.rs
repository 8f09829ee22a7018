//! What the connectors of this worker have done, and how they failed, for whoever holds the worker. Decides nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::class::Progress;
use crate::exit::Stop;

#[derive(Default)]
struct Entry {
    progress: Progress,
    failure: Option<Stop>,
}

#[derive(Default)]
pub(super) struct Board(Mutex<BTreeMap<String, Entry>>);

impl Board {
    /// The same for every start of a connector.
    pub(super) fn progress(&self, connector: &str) -> Progress {
        self.entries().entry(connector.to_owned()).or_default().progress.clone()
    }

    pub(super) fn set_failure(&self, connector: &str, failure: Option<Stop>) {
        self.entries().entry(connector.to_owned()).or_default().failure = failure;
    }

    /// Of the first of them that failed.
    pub(super) fn failure(&self, connectors: &[String]) -> Option<Stop> {
        let entries = self.entries();
        let failure = |name: &String| {
            let Stop { exit, what, hint } = entries.get(name)?.failure.as_ref()?;
            Some(Stop { exit: *exit, what: what.clone(), hint: hint.clone() })
        };
        connectors.iter().find_map(failure)
    }

    /// An entry is whole at any time, so a panic elsewhere means nothing.
    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
