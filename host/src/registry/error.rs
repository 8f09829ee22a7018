//! What can go wrong between us and a registry, in words. Never holds a secret: addresses come without credentials.

use std::fmt;

use crate::exit::{Exit, Stop};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No address answered, or all answered 5xx or 429, until the deadline.
    Unreachable { url: String, reason: String },
    /// The schema may not follow the earlier ones of its subject.
    Incompatible { subject: String, messages: Vec<String> },
    /// The registry does not have it.
    NotFound { what: String },
    /// Anything else that the registry says no to. `code` is its own error code, 0 if it gave none.
    Refused { status: u16, code: u32, message: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreachable { url, reason } => write!(f, "cannot reach the schema registry at {url}: {reason}"),
            Error::Incompatible { subject, messages } => {
                write!(f, "the schema is incompatible with subject {subject:?}: {}", messages.join("; "))
            }
            Error::NotFound { what } => write!(f, "the schema registry does not have {what}"),
            Error::Refused { status, code: 0, message } => {
                write!(f, "the schema registry answered {status}: {message}")
            }
            Error::Refused { status, code, message } => {
                write!(f, "the schema registry answered {status} (code {code}): {message}")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        let what = error.to_string();
        match error {
            Error::Unreachable { .. } => Stop::new(Exit::Dependency, what)
                .hint("check the schema registry's address, and that it is running and reachable from here"),
            Error::Incompatible { subject, .. } => Stop::new(Exit::Start, what).hint(format!(
                "make the new schema compatible (a new field needs a default), change the level of {subject:?} by \
                 PUT /config/{subject}, or write to another topic"
            )),
            Error::NotFound { .. } => Stop::new(Exit::Start, what)
                .hint("check that this is the registry that the topic's producers use, and the subject's name"),
            Error::Refused { status: 401 | 403, .. } => {
                Stop::new(Exit::Start, what).hint("check the user and password, or the token, for the schema registry")
            }
            Error::Refused { .. } => Stop::new(Exit::Start, what)
                .hint("check that the address is a schema registry's and the schema is Avro"),
        }
    }
}
