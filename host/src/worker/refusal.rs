//! A request that is not done: the status, and Connect's text.

use crate::exit::Stop;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal { status, message: message.into() }
    }

    pub(super) fn no_connector(name: &str) -> Refusal {
        Refusal::new(404, format!("Connector {name} not found"))
    }
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Refusal {
        Refusal::new(500, stop.what)
    }
}
