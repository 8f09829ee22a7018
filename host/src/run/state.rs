//! What is kept from one start to the next: the instance id. Compiled plugins lie beside it.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::exit::Stop;

/// The directory that the configuration names, or the user's. Not made yet.
pub(super) fn path(config: &Config) -> PathBuf {
    config.state_dir.clone().unwrap_or_else(default_dir)
}

/// The user's.
pub(crate) fn default_dir() -> PathBuf {
    let base = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    base.or_else(home).unwrap_or_else(std::env::temp_dir).join("smt-host")
}

/// The same, made.
pub(super) fn dir(config: &Config) -> Result<PathBuf, Stop> {
    let dir = path(config);
    std::fs::create_dir_all(&dir).map_err(|error| {
        Stop::start(format!("state directory {}: {error}", dir.display())).hint("choose another with --state-dir")
    })?;
    Ok(dir)
}

/// Where a pipeline keeps a copy of the state of plugins that aggregate; each instance in a directory of its own.
pub(super) fn store(config: &Config, pipeline: &str) -> PathBuf {
    path(config).join(pipeline).join("store")
}

/// The id in the state directory, made at the first start.
pub(super) fn kept_instance_id(state: &Path) -> Result<String, Stop> {
    let file = state.join("instance-id");
    if let Ok(id) = std::fs::read_to_string(&file)
        && !id.trim().is_empty()
    {
        return Ok(id.trim().to_owned());
    }
    let id = format!("{:016x}", rand::random::<u64>());
    std::fs::write(&file, &id).map_err(|error| Stop::start(format!("{}: {error}", file.display())))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_instance_id_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let first = kept_instance_id(dir.path()).unwrap();
        assert_eq!(kept_instance_id(dir.path()).unwrap(), first);
    }
}
