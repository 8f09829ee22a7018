//! Lays exercises out: a cargo workspace with a copy of the SDK, so that nothing depends on where the program came from.
//! It never writes over what is there.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::exercise::Exercise;
use crate::exit::Stop;

/// The SDK's sources, by their path in the repository.
const SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
/// Of the repository; cargo takes from it what it needs, so that everyone builds with the same versions.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// The exercise's folder.
pub(super) fn start(exercise: &Exercise, dir: &Path) -> Result<PathBuf, Stop> {
    let folder = dir.join(exercise.name);
    if folder.exists() {
        let what = format!("{} is there already, and is not written over", folder.display());
        return Err(Stop::usage(what).hint("go on with it, move it away, or choose another --dir"));
    }
    if !dir.join("Cargo.toml").exists() {
        workspace(dir)?;
    }
    write(&folder.join("Cargo.toml"), &include_str!("sdk/exercise.toml").replace("NAME", &exercise.package()))?;
    write(&folder.join("README.md"), exercise.readme)?;
    write(&folder.join("src/lib.rs"), exercise.skeleton)?;
    Ok(folder)
}

fn workspace(dir: &Path) -> Result<(), Stop> {
    if std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        let what = format!("{} is neither empty nor a folder of exercises", dir.display());
        return Err(Stop::usage(what).hint("choose another --dir"));
    }
    for (name, text) in SDK {
        write(&dir.join("sdk").join(name), text)?;
    }
    write(&dir.join("sdk/plugins/sdk/Cargo.toml"), include_str!("sdk/smt-plugin.toml"))?;
    write(&dir.join("sdk/plugins/sdk-macros/Cargo.toml"), include_str!("sdk/smt-plugin-macros.toml"))?;
    write(&dir.join("Cargo.lock"), LOCK)?;
    // Last: a workspace that is there is a whole one.
    write(&dir.join("Cargo.toml"), include_str!("sdk/workspace.toml"))
}

fn write(file: &Path, text: &str) -> Result<(), Stop> {
    let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(file, text));
    written.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => "choose a --dir that you can write to",
            _ => "choose another --dir",
        };
        Stop::usage(format!("{} cannot be written: {error}", file.display())).hint(hint)
    })
}
