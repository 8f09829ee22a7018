//! Settings: the operator's texts, parsed into a struct of the plugin's own.

use crate::bindings::types::{Setting, SettingValue};
use std::fmt::Display;
use std::str::FromStr;

/// A plugin's settings. `()` has none.
pub trait Settings: Sized + Send + Sync + 'static {
    fn declare() -> Vec<Setting>;
    /// The error names the setting.
    fn parse(values: &[SettingValue]) -> Result<Self, String>;
}

impl Settings for () {
    fn declare() -> Vec<Setting> {
        Vec::new()
    }
    fn parse(_: &[SettingValue]) -> Result<Self, String> {
        Ok(())
    }
}

/// Looks settings up by name.
pub struct SettingText<'a>(pub &'a [SettingValue]);

impl SettingText<'_> {
    pub fn get<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, String> {
        let found = self.0.iter().find(|setting| setting.name == name);
        let text = &found.ok_or_else(|| format!("{name}: missing"))?.value;
        text.parse().map_err(|error| format!("{name}: {error}: {text:?}"))
    }
}
