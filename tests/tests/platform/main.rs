//! The platform without Docker, as a user starts and ends it; and with Docker, as far as it can be checked without one.
#![allow(clippy::unwrap_used)]

mod compose;
mod images;
mod lifecycle;

use std::path::{Path, PathBuf};

/// The repository's top.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
