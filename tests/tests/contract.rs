//! What a plugin may be and do, seen through the host's library with real WASM; no Kafka.
#![allow(clippy::unwrap_used)]

#[path = "contract/aggregator.rs"]
mod aggregator;

use std::path::Path;
use std::sync::LazyLock;

use smt_host::guest::{Engine, Limits, LoadError, Plugin};

/// One for all tests, as in the host.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).unwrap());

fn load(file: &Path) -> Result<Plugin, LoadError> {
    Plugin::load(&ENGINE, file, Limits::default())
}
