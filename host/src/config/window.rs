//! `window` of `[[pipeline.plugin]]`: what the operator says of a plugin's windows. As options they hold for every
//! plugin that aggregates.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Count, Time, set};
use crate::pipeline::WindowOptions;
use crate::pipeline::aggregate::{self, EmitMode, OnLate};

/// Absent is the plugin's word, or the default.
#[derive(clap::Args, Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Window {
    /// How long after its end a window takes late records [default: the plugin's, or 24 h less the window's size]
    #[arg(long, env = "SMT_GRACE", value_name = "TIME")]
    pub grace: Option<Time>,
    /// How long a window's state is kept, from its start [default: the plugin's, or size and grace together]
    #[arg(long, env = "SMT_RETENTION", value_name = "TIME")]
    pub retention: Option<Time>,
    /// After so long without input, windows close by the wall clock; or off [default: the plugin's, or size and grace
    /// together, at most 30s]
    #[arg(long = "idle-timeout", env = "SMT_IDLE_TIMEOUT", value_name = "TIME")]
    pub idle: Option<Idle>,
    /// What is done with a record that comes after its windows are closed [default: count]
    #[arg(long, env = "SMT_LATE")]
    pub late: Option<OnLate>,
    /// When a window's rows are written: at each commit that changed it, or once [default: the plugin's]
    #[arg(long, env = "SMT_EMIT")]
    pub emit: Option<EmitMode>,
    /// Groups of a plugin in one partition; beyond them its pipeline stops [default: 10000000]
    #[arg(long, env = "SMT_KEYS_MAX", value_name = "N")]
    pub keys_max: Option<Count>,
}

/// A time, or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "toml::Value", into = "String")]
pub enum Idle {
    Off,
    After(Time),
}

const OFF: &str = "off";

impl FromStr for Idle {
    type Err = String;

    fn from_str(text: &str) -> Result<Idle, String> {
        if text == OFF {
            return Ok(Idle::Off);
        }
        text.parse().map(Idle::After).map_err(|needed| format!("{needed}, or \"{OFF}\""))
    }
}

impl TryFrom<toml::Value> for Idle {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Idle, String> {
        value.as_str().unwrap_or_default().parse().map_err(|needed| format!("{value} does not fit: {needed}"))
    }
}

impl From<Idle> for String {
    fn from(idle: Idle) -> String {
        match idle {
            Idle::Off => OFF.to_owned(),
            Idle::After(time) => time.into(),
        }
    }
}

impl Window {
    pub fn is_empty(&self) -> bool {
        *self == Window::default()
    }

    pub fn override_by(&mut self, over: &Window) {
        set(&mut self.grace, &over.grace);
        set(&mut self.retention, &over.retention);
        set(&mut self.idle, &over.idle);
        set(&mut self.late, &over.late);
        set(&mut self.emit, &over.emit);
        set(&mut self.keys_max, &over.keys_max);
    }

    pub fn options(&self) -> WindowOptions {
        WindowOptions {
            grace: self.grace.map(|time| time.0),
            retention: self.retention.map(|time| time.0),
            idle: self.idle.map(|idle| match idle {
                Idle::Off => aggregate::Idle::Off,
                Idle::After(time) => aggregate::Idle::After(time.0),
            }),
            late: self.late.unwrap_or_default(),
            emit: self.emit,
            keys_max: self.keys_max.map(|count| u64::from(count.0)),
        }
    }
}
