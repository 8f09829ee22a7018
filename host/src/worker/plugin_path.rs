//! Plugin files that a request may name: those below `--plugin-dir`, and no other file of the machine.

use std::path::{Component, Path, PathBuf};

use crate::exit::Stop;

/// The file, canonical. Refused before it is opened: `..`, symbolic links, and whatever is not below the directory.
pub(super) fn confined(dir: Option<&Path>, given: &str) -> Result<PathBuf, Stop> {
    let refuse = |why: &str| Stop::usage(format!("plugin.path is {given:?}, {why}"));
    let Some(dir) = dir else {
        return Err(refuse("but this worker has no directory for plugins")
            .hint("start it with --plugin-dir DIR, and name a file below DIR"));
    };
    let root = dir.canonicalize().map_err(|error| Stop::start(format!("--plugin-dir {}: {error}", dir.display())))?;
    let given_path = Path::new(given);
    if given_path.components().any(|part| part == Component::ParentDir) {
        return Err(refuse("which leads upwards; allowed: a path without .. below --plugin-dir"));
    }
    // A path that names the directory itself, or its canonical form, may be absolute.
    let relative = given_path.strip_prefix(&root).or_else(|_| given_path.strip_prefix(dir)).unwrap_or(given_path);
    let outside = || refuse("which is not below --plugin-dir");
    if relative.is_absolute() {
        return Err(outside());
    }
    let mut at = root.clone();
    for part in relative.components() {
        at.push(part);
        let about =
            std::fs::symlink_metadata(&at).map_err(|_| refuse("and there is no such file below --plugin-dir"))?;
        if about.is_symlink() {
            return Err(refuse("which is, or leads through, a symbolic link"));
        }
    }
    let file = at.canonicalize().map_err(|_| outside())?;
    if !file.starts_with(&root) {
        return Err(outside());
    }
    if file.is_file() { Ok(file) } else { Err(refuse("which is no file")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_files_below_the_directory_are_found() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("plugins");
        std::fs::create_dir_all(dir.join("sub")).unwrap();
        for file in [outer.path().join("secret.wasm"), dir.join("a.wasm"), dir.join("sub/b.wasm")] {
            std::fs::write(file, "").unwrap();
        }
        std::os::unix::fs::symlink(outer.path().join("secret.wasm"), dir.join("link.wasm")).unwrap();
        std::os::unix::fs::symlink(outer.path(), dir.join("up")).unwrap();
        std::os::unix::fs::symlink(dir.join("a.wasm"), dir.join("inner.wasm")).unwrap();
        let ok = |given: &str| confined(Some(&dir), given).unwrap();
        assert_eq!(ok("a.wasm"), dir.canonicalize().unwrap().join("a.wasm"));
        assert_eq!(ok("./sub/b.wasm"), dir.canonicalize().unwrap().join("sub/b.wasm"));
        assert_eq!(ok(dir.join("a.wasm").to_str().unwrap()), ok("a.wasm"));
        let check = |given: &str, why: &str| {
            let stop = confined(Some(&dir), given).unwrap_err();
            assert_eq!(stop.what, format!("plugin.path is {given:?}, {why}"));
        };
        check("../secret.wasm", "which leads upwards; allowed: a path without .. below --plugin-dir");
        check("sub/../a.wasm", "which leads upwards; allowed: a path without .. below --plugin-dir");
        check("/etc/passwd", "which is not below --plugin-dir");
        check(outer.path().join("secret.wasm").to_str().unwrap(), "which is not below --plugin-dir");
        check("link.wasm", "which is, or leads through, a symbolic link");
        check("inner.wasm", "which is, or leads through, a symbolic link");
        check("up/secret.wasm", "which is, or leads through, a symbolic link");
        check("missing.wasm", "and there is no such file below --plugin-dir");
        check("sub", "which is no file");
        check("", "which is no file");
        let stop = confined(None, "a.wasm").unwrap_err();
        assert!(stop.what.ends_with("but this worker has no directory for plugins"), "{stop}");
    }
}
