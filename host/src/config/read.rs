//! From a file's text to a configuration. A mistake is told with the file, the line, the table, the nearest known key
//! and everything that is allowed; a value only where it cannot be a secret.

use std::fmt::Write as _;
use std::path::Path;

use serde_path_to_error::{Path as Keys, Segment};

use super::Config;
use crate::exit::Stop;
use crate::nearest::did_you_mean;

pub(super) fn config(text: &str, file: &Path) -> Result<Config, Stop> {
    let whole = toml::Deserializer::parse(text).map_err(|error| syntax(&error, text, file))?;
    serde_path_to_error::deserialize(whole).map_err(|error| mistake(error.path(), error.inner(), text, file))
}

fn syntax(error: &toml::de::Error, text: &str, file: &Path) -> Stop {
    Stop::usage(format!("{}: this is not TOML: {}", place(error, text, file), error.message()))
        .hint("the usual reasons: a text without quotes, or a quote or bracket that is not closed")
}

fn mistake(keys: &Keys, error: &toml::de::Error, text: &str, file: &Path) -> Stop {
    let (place, message) = (place(error, text, file), error.message());
    let (table, key) = table_and_key(keys);
    // serde tells what is allowed only in its message, between backquotes.
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let near = || did_you_mean(unknown, known.iter().copied());
    if message.starts_with("unknown field") {
        let table = if table.is_empty() { "at the top".to_owned() } else { format!("in {table}") };
        return Stop::usage(format!("{place}: unknown key {unknown:?} {table}{}", near()))
            .hint(format!("allowed there: {}", known.join(", ")));
    }
    if message.starts_with("unknown variant") {
        return Stop::usage(format!("{place}: {key} in {table} is {unknown:?}{}", near()))
            .hint(format!("allowed: {}", known.join(", ")));
    }
    if message.starts_with("missing field") {
        return Stop::usage(format!("{place}: {unknown} is missing in {table}"));
    }
    let header = header(keys);
    if message.ends_with("expected a sequence") {
        return Stop::usage(format!("{place}: {key} must be a list of tables")).hint(format!("write [[{header}]]"));
    }
    if message.contains("expected struct") {
        return Stop::usage(format!("{place}: {key} must be a table")).hint(format!("write [{header}]"));
    }
    let what = if table.is_empty() { key } else { format!("{key} in {table}") };
    Stop::usage(format!("{place}: {what}: {message}"))
}

fn place(error: &toml::de::Error, text: &str, file: &Path) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!("{} line {}", file.display(), before.matches('\n').count() + 1),
        None => file.display().to_string(),
    }
}

/// What a table's brackets hold.
fn header(keys: &Keys) -> String {
    let names = keys.iter().filter_map(|segment| match segment {
        Segment::Map { key } => Some(key.as_str()),
        _ => None,
    });
    names.collect::<Vec<_>>().join(".")
}

/// The way to a key as the file writes it, `[[pipeline]] number 2`, and the key itself.
fn table_and_key(keys: &Keys) -> (String, String) {
    let mut segments: Vec<&Segment> = keys.iter().collect();
    let key = match segments.last() {
        Some(Segment::Map { key }) => key.clone(),
        _ => String::new(),
    };
    if !key.is_empty() {
        segments.pop();
    }
    let (mut name, mut table, mut numbered) = (String::new(), String::new(), false);
    for segment in segments {
        match segment {
            Segment::Map { key } => {
                let dot = if name.is_empty() { "" } else { "." };
                // Writing to a string cannot fail.
                write!(name, "{dot}{key}").ok();
                numbered = false;
            }
            Segment::Seq { index } => {
                let comma = if table.is_empty() { "" } else { ", " };
                write!(table, "{comma}[[{name}]] number {}", index + 1).ok();
                numbered = true;
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    if !numbered && !name.is_empty() {
        let comma = if table.is_empty() { "" } else { ", " };
        write!(table, "{comma}[{name}]").ok();
    }
    (table, key)
}
