//! The sink's files as others read them: fastavro, pyarrow, Python's json, Apache Kafka's JsonConverter; and moto, a
//! second S3. What is missing here is a failure: `make setup` installs it.
#![allow(clippy::unwrap_used)]

mod json_converter;
mod python;

use std::path::PathBuf;

/// Where `make setup` puts things.
fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/smt-host");
    std::env::var_os("SMT_CACHE").map_or_else(home, PathBuf::from)
}

fn installed(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path
}

/// A file beside this one.
fn beside(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/readers").join(name)
}
