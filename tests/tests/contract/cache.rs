//! Compiled code is kept from one start to the next, and is never worth a failure.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use smt_host::guest::{Engine, Limits, Plugin};
use smt_tests::plugin;

/// As a new process would.
fn start(cache: &Path) -> Duration {
    let engine = Engine::new(Some(cache)).unwrap();
    let start = Instant::now();
    Plugin::load(&engine, &plugin("jovens"), Limits::default()).unwrap();
    start.elapsed()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The compiled code; the cache also keeps a small file of statistics beside it.
fn compiled(dir: &Path) -> Vec<PathBuf> {
    files(dir).into_iter().filter(|path| path.extension().is_none()).collect()
}

#[test]
fn a_second_start_does_not_compile() {
    let dir = tempfile::tempdir().unwrap();
    let cold = start(dir.path());
    let kept = compiled(dir.path());
    assert_eq!(kept.len(), 1, "{:?}", files(dir.path()));
    let warm = (0..5).map(|_| start(dir.path())).min().unwrap();
    assert!(warm < cold / 2, "{cold:?}, then {warm:?}");
    assert_eq!(compiled(dir.path()), kept);
}

#[test]
fn a_damaged_entry_is_compiled_anew() {
    let dir = tempfile::tempdir().unwrap();
    start(dir.path());
    let [entry] = compiled(dir.path()).try_into().unwrap();
    let whole = std::fs::read(&entry).unwrap();
    for damaged in [&b""[..], b"not compiled code", &whole[..whole.len() / 2]] {
        std::fs::write(&entry, damaged).unwrap();
        start(dir.path());
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_a_start_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Engine::new(Some(file.path())).err().unwrap();
    assert!(error.what.contains("cache of compiled plugins") && error.hint.contains("written"), "{error}");
}
