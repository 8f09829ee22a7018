//! What can go wrong with a plugin: at load, or with a record. It never decides what happens next.

use std::time::Duration;

use crate::exit::Stop;

/// The plugin cannot be used at all.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct LoadError {
    pub what: String,
    pub hint: String,
}

impl LoadError {
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> LoadError {
        LoadError { what: what.into(), hint: hint.into() }
    }
}

impl From<LoadError> for Stop {
    fn from(error: LoadError) -> Stop {
        Stop::start(error.what).hint(error.hint)
    }
}

/// Why a record could not be handled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    #[error("the plugin trapped: {message}")]
    Trap { message: String, backtrace: String },
    #[error("the plugin used more than {limit:?} of CPU time")]
    Time { limit: Duration },
    #[error("the plugin asked for more than its {} MiB of memory", limit >> 20)]
    Memory { limit: usize },
    #[error("the plugin's output is too large: {reason}")]
    Output { reason: String },
    #[error("the plugin broke its contract: {reason}")]
    Contract { reason: String },
}
