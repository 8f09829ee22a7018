//! Typed look-ups in a connector file's texts. Every refusal names the key, the value and what is allowed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::exit::Stop;
use crate::nearest::nearest;

#[derive(Clone)]
pub(crate) struct Values(pub(crate) BTreeMap<String, String>);

impl Values {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(crate) fn required(&self, key: &str) -> Result<&str, Stop> {
        match self.get(key) {
            Some(value) if !value.trim().is_empty() => Ok(value),
            _ => Err(Stop::usage(format!("{key} is missing"))),
        }
    }

    /// Comma-separated, blanks around an entry trimmed.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let entries = self.get(key).unwrap_or_default().split(',').map(str::trim);
        entries.filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }

    pub(crate) fn number(&self, key: &str, default: i64, allowed: RangeInclusive<i64>) -> Result<i64, Stop> {
        let Some(text) = self.get(key) else { return Ok(default) };
        let number = text.trim().parse().ok().filter(|number| allowed.contains(number));
        number.ok_or_else(|| {
            let (low, high) = allowed.into_inner();
            Stop::usage(format!("{key} is {text:?}; allowed: a whole number from {low} to {high}"))
        })
    }

    pub(crate) fn millis(&self, key: &str, default: i64) -> Result<Duration, Stop> {
        let millis = self.number(key, default, 0..=i32::MAX.into())?;
        Ok(Duration::from_millis(millis.unsigned_abs()))
    }

    pub(crate) fn boolean(&self, key: &str, default: bool) -> Result<bool, Stop> {
        match self.get(key).map(|text| text.trim().to_lowercase()).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(Stop::usage(format!("{key} is {other:?}; allowed: true, false"))),
        }
    }

    /// One of several words; the first is the default.
    pub(crate) fn choice<T: Copy>(&self, key: &str, allowed: &[(&str, T)]) -> Result<T, Stop> {
        let text = self.get(key).unwrap_or(allowed[0].0).trim();
        if let Some((_, value)) = allowed.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
            return Ok(*value);
        }
        let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).filter(|word| !word.is_empty()).collect();
        let stop = Stop::usage(format!("{key} is {text:?}; allowed: {}", words.join(", ")));
        Err(match nearest(text, words) {
            Some(near) => stop.hint(format!("did you mean {near:?}?")),
            None => stop,
        })
    }
}
