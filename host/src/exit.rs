//! Exit codes, and the one way in which an error becomes text and a code.
//!
//! Every error that ends a command is a `Stop`. Text: lower case, no full stop; it names the thing, the value seen
//! and what was allowed. The hint says what to do next. Never put a secret into either.

use std::fmt;

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Success = 0,
    /// A check that the command was asked to make failed (`demo`'s counts).
    CheckFailed = 1,
    /// A bad option, configuration or connector file. Nothing was started.
    Usage = 2,
    /// A plugin, schema, topic or port that does not fit. Nothing was started.
    Start = 3,
    /// A plugin failed too much: its pipeline was stopped; what was complete is committed.
    Plugin = 4,
    /// A broker, registry or database is gone or cannot be reached.
    Dependency = 5,
    /// Another instance with the same id has taken over.
    Fenced = 6,
    /// A connector failed where Connect's task would fail for good.
    Connector = 7,
    /// A bug in smt-host.
    Bug = 70,
}

impl Exit {
    /// What a number stands for; a bug, if it stands for nothing.
    pub fn from_code(code: u8) -> Exit {
        use Exit::{CheckFailed, Connector, Dependency, Fenced, Plugin, Start, Success, Usage};
        let all = [Success, CheckFailed, Usage, Start, Plugin, Dependency, Fenced, Connector];
        all.into_iter().find(|exit| *exit as u8 == code).unwrap_or(Exit::Bug)
    }
}

/// Why a command ends: what is printed, and the exit code.
#[derive(Debug)]
pub struct Stop {
    pub exit: Exit,
    pub what: String,
    pub hint: Option<String>,
}

impl Stop {
    pub fn new(exit: Exit, what: impl Into<String>) -> Stop {
        Stop { exit, what: what.into(), hint: None }
    }

    pub fn usage(what: impl Into<String>) -> Stop {
        Stop::new(Exit::Usage, what)
    }

    pub fn start(what: impl Into<String>) -> Stop {
        Stop::new(Exit::Start, what)
    }

    pub fn dependency(what: impl Into<String>) -> Stop {
        Stop::new(Exit::Dependency, what)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Stop {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Stop {}
