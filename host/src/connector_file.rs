//! A connector file: Kafka Connect's JSON, as texts by key, every key known. What a key means is its connector's.

mod options;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::exit::Stop;
use crate::nearest::nearest;

pub(crate) use options::Options;
pub(crate) use values::Values;

/// The names that a connector's file may use.
pub(crate) struct Known {
    pub(crate) supported: &'static [&'static str],
    /// Keys of the original whose effect smt-host does not have, with what to do instead. Those below them too.
    pub(crate) refused: &'static [(&'static str, &'static str)],
}

/// `KEY=VALUE` of the command line.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it must look like KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// The text of a file. `example`: one of the project's that would do.
pub(crate) fn text_of(file: &Path, example: &str) -> Result<String, Stop> {
    std::fs::read_to_string(file).map_err(|error| {
        Stop::usage(format!("connector file {} cannot be read: {error}", file.display()))
            .hint(format!("check the path; it is Kafka Connect's JSON, as connectors/{example}"))
    })
}

/// Reads `{"name":…,"config":{…}}`, or the config alone with its name in it. `overrides` win over the file.
pub(crate) fn read(json: &str, overrides: &[(String, String)], known: &Known) -> Result<Values, Stop> {
    let mut map = flattened(json)?;
    map.extend(overrides.iter().cloned());
    match map.keys().find(|key| !known.supported.contains(&key.as_str())) {
        None => Ok(Values(map)),
        Some(key) => Err(known.refuse(key)),
    }
}

fn flattened(json: &str) -> Result<BTreeMap<String, String>, Stop> {
    let wrong = |why: String| Stop::usage(format!("the connector file is not usable: {why}"));
    let file: Value = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    let Value::Object(mut file) = file else { return Err(wrong("it is no JSON object".into())) };
    let name = file.get("name").cloned();
    let mut config = match file.remove("config") {
        Some(Value::Object(config)) => {
            if let Some(other) = file.keys().find(|key| *key != "name") {
                return Err(wrong(format!("unknown member {other:?} beside name and config")));
            }
            config
        }
        Some(_) => return Err(wrong("its config is no JSON object".into())),
        None => file,
    };
    if let Some(name) = name {
        config.insert("name".into(), name);
    }
    config.into_iter().map(|(key, value)| Ok((text(&key, value)?, key))).map(|r| r.map(|(v, k)| (k, v))).collect()
}

fn text(key: &str, value: Value) -> Result<String, Stop> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(boolean) => Ok(boolean.to_string()),
        _ => Err(Stop::usage(format!("{key} must be a string, number or boolean"))),
    }
}

impl Known {
    fn refuse(&self, key: &str) -> Stop {
        let below = |known: &str| key.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'));
        if let Some((_, instead)) = self.refused.iter().find(|(known, _)| key == *known || below(known)) {
            return Stop::usage(format!("connector key {key:?} is not supported")).hint(*instead);
        }
        let stop = Stop::usage(format!("unknown connector key {key:?}"));
        match nearest(key, self.supported.iter().copied()) {
            Some(near) => stop.hint(format!("did you mean {near:?}?")),
            None => stop.hint(format!("known keys: {}", self.supported.join(", "))),
        }
    }
}
