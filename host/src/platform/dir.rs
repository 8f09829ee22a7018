//! The private directory in which the embedded servers keep what is theirs, and its one owner.
//!
//! The lock is the kernel's and ends with its process, so a killed host never leaves a directory locked.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::exit::Stop;

const LOCK: &str = "owner.lock";
const PREFIX: &str = "smt-host-";

/// A directory that this process alone uses. A temporary one is removed on drop.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    temporary: bool,
    // Held for the lock only.
    _lock: File,
}

impl Directory {
    /// Opens `path` (made if it is not there, kept on drop), or a fresh temporary directory.
    pub fn open(path: Option<&Path>) -> Result<Directory, Stop> {
        match path {
            Some(path) => {
                let path = prepare(path)?;
                let lock = lock(&path)?;
                Ok(Directory { path, temporary: false, _lock: lock })
            }
            None => Directory::temporary(&base()),
        }
    }

    fn temporary(base: &Path) -> Result<Directory, Stop> {
        sweep(base);
        let path = base.join(format!("{PREFIX}{:08x}", rand::random::<u32>()));
        make(&path, false)?;
        let lock = lock(&path)?;
        Ok(Directory { path, temporary: true, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the temporary directory");
        }
    }
}

/// Makes a directory for later use, with the parents that it lacks.
pub(super) fn prepare(path: &Path) -> Result<PathBuf, Stop> {
    make(path, true)?;
    fs::canonicalize(path).map_err(|error| failed("open", path, &error))
}

/// 0711: a server that runs as another user has to pass through to its own folder, and can list nothing.
fn make(path: &Path, may_exist: bool) -> Result<(), Stop> {
    if may_exist && path.is_dir() {
        let owner = fs::metadata(path).map_err(|error| failed("open", path, &error))?.uid();
        let own = rustix::process::geteuid().as_raw();
        if owner != own {
            return Err(Stop::start(format!("{} belongs to user {owner}, not to {own}", path.display())));
        }
        return Ok(());
    }
    DirBuilder::new().recursive(may_exist).mode(0o711).create(path).map_err(|error| failed("make", path, &error))?;
    // Again, because the mode above was cut by the umask.
    fs::set_permissions(path, PermissionsExt::from_mode(0o711)).map_err(|error| failed("open", path, &error))
}

fn lock(directory: &Path) -> Result<File, Stop> {
    let path = directory.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| failed("open", &path, &error))?;
    match patient_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            file.read_to_string(&mut owner).ok();
            return Err(Stop::start(format!("{} is in use by process {}", directory.display(), owner.trim()))
                .hint("stop that process, or give another directory"));
        }
        Err(TryLockError::Error(error)) => return Err(failed("lock", &path, &error)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|error| failed("write", &path, &error))?;
    Ok(file)
}

/// Who only looks whether there is an owner holds the lock for a moment, too.
fn patient_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(20)),
            settled => return settled,
        }
    }
    file.try_lock()
}

/// The process that has `directory` open, if any.
pub(super) fn owner(directory: &Path) -> Option<u32> {
    let mut file = File::open(directory.join(LOCK)).ok()?;
    if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut owner = String::new();
    file.read_to_string(&mut owner).ok()?;
    owner.trim().parse().ok()
}

/// Not below the home directory: the database's user cannot get there.
fn base() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(path) if path.is_dir() => path,
        _ => PathBuf::from("/tmp"),
    }
}

/// Removes temporary directories whose host was killed: their lock is free.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // A directory without the file is just being made by another host.
        let Ok(file) = File::open(entry.path().join(LOCK)) else { continue };
        let written = file.metadata().is_ok_and(|metadata| metadata.len() > 0);
        if ours && written && file.try_lock().is_ok() {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// One wording for whatever the file system refuses.
pub(super) fn failed(verb: &str, path: &Path, error: &std::io::Error) -> Stop {
    Stop::start(format!("cannot {verb} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_second_use_of_the_same_directory_names_the_owner() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("data");
        let first = Directory::open(Some(&path)).unwrap();
        let stop = Directory::open(Some(&path)).unwrap_err();
        assert!(stop.what.ends_with(&format!("is in use by process {}", std::process::id())), "{stop}");
        drop(first);
        Directory::open(Some(&path)).unwrap();
    }

    #[test]
    fn a_given_directory_is_kept_and_a_temporary_one_is_removed() {
        let base = tempfile::tempdir().unwrap();
        let given = base.path().join("data");
        drop(Directory::open(Some(&given)).unwrap());
        assert!(given.is_dir());
        let temporary = Directory::temporary(base.path()).unwrap();
        let path = temporary.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o711);
        drop(temporary);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_host_left_is_swept_and_a_live_one_is_not() {
        let base = tempfile::tempdir().unwrap();
        let left = base.path().join("smt-host-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "1\n").unwrap();
        let live = Directory::temporary(base.path()).unwrap();
        let other = Directory::temporary(base.path()).unwrap();
        assert!(!left.exists());
        assert!(live.path().exists() && other.path().exists());
    }
}
