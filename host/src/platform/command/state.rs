//! What a supervisor says of itself to those who wait for it: a small file, replaced whole.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Ports;
use crate::exit::Stop;
use crate::platform::dir::failed;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    /// The supervisor's process.
    pub(super) process: u32,
    pub(super) ports: Ports,
    /// What has been started so far: names and what there is to say.
    pub(super) steps: Vec<(String, String)>,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    Starting,
    Up,
    Stopping,
    Failed { exit: u8, what: String, hint: Option<String> },
}

fn file(dir: &Path) -> PathBuf {
    dir.join("platform.json")
}

impl State {
    pub(super) fn read(dir: &Path) -> Option<State> {
        serde_json::from_slice(&std::fs::read(file(dir)).ok()?).ok()
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), Stop> {
        let (file, fresh) = (file(dir), dir.join("platform.json.new"));
        let text = serde_json::to_vec_pretty(self).map_err(|error| Stop::start(error.to_string()))?;
        std::fs::write(&fresh, text)
            .and_then(|()| std::fs::rename(&fresh, &file))
            .map_err(|error| failed("write", &file, &error))
    }
}
