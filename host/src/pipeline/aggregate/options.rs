//! What the operator says of a plugin's windows, and what comes of it together with what the plugin says.

use std::time::Duration;

use crate::exit::Stop;
use crate::guest::{self, Grouping};
use crate::window::{Declared, Emit, Windows};

/// Absent is the plugin's word, or the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WindowOptions {
    pub grace: Option<Duration>,
    pub retention: Option<Duration>,
    pub idle: Option<Idle>,
    pub late: OnLate,
    pub emit: Option<EmitMode>,
    pub keys_max: Option<u64>,
}

/// After which time without input a partition's time goes on with the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    Off,
    After(Duration),
}

/// What is done with a record that comes after its windows are closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnLate {
    /// It is counted and let be.
    #[default]
    Count,
    DeadLetter,
}

/// When a window's output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmitMode {
    Changes,
    Final,
}

impl WindowOptions {
    pub fn windows(&self, plugin: &str, grouping: &Grouping) -> Result<Option<Windows>, Stop> {
        let Some(window) = &grouping.window else {
            return self.without_windows(plugin).map(|()| None);
        };
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let idle = match self.idle {
            Some(Idle::After(time)) => Some(ms(time)),
            _ => window.idle_ms,
        };
        let declared = Declared {
            size_ms: window.size_ms,
            advance_ms: window.advance_ms,
            grace_ms: self.grace.map(ms).or(window.grace_ms),
            retention_ms: self.retention.map(ms).or(window.retention_ms),
            idle_ms: idle,
        };
        let mut windows = Windows::new(declared).map_err(|wrong| {
            Stop::usage(format!("plugin {plugin}: {wrong}"))
                .hint("grace, retention and idle timeout are options; smt-host inspect shows what the plugin asks for")
        })?;
        if self.idle == Some(Idle::Off) {
            windows.idle_ms = None;
        }
        Ok(Some(windows))
    }

    fn without_windows(&self, plugin: &str) -> Result<(), Stop> {
        let given = [
            ("a grace", self.grace.is_some()),
            ("a retention", self.retention.is_some()),
            ("an idle timeout", self.idle.is_some()),
            ("emit = \"final\"", self.emit == Some(EmitMode::Final)),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((what, _)) => Err(Stop::usage(format!("plugin {plugin} has no windows, so {what} means nothing"))
                .hint("its groups never close; leave the option away for it")),
            None => Ok(()),
        }
    }

    pub fn emit(&self, grouping: &Grouping) -> Emit {
        match (self.emit, grouping.emit) {
            (Some(EmitMode::Changes), _) | (None, guest::Emit::Changes) => Emit::Changes,
            (Some(EmitMode::Final), _) | (None, guest::Emit::Final) => Emit::Final,
        }
    }
}
