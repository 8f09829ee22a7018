//! Whether a configuration is one: the checks of Connect itself with its texts, then the connector's own parser.

use serde_json::{Value, json};

use super::Options;
use super::class::{Class, Job, VERSION, text};
use super::definitions::{self, Definition};
use super::records::Config;
use super::refusal::Refusal;
use super::{plugin_pipeline, secrets};
use crate::config::{MASK, is_secret};
use crate::exit::Stop;
use crate::guest::Engine;

/// A parser tells one mistake at a time; beyond so many the rest is left.
const MISTAKES_MAX: usize = 20;

/// One mistake, and the key that it is about, if it is about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) key: Option<String>,
    pub(super) text: String,
}

/// What a configuration may be asked about.
pub(super) struct Validator<'a> {
    pub(super) options: &'a Options,
    pub(super) engine: &'a Engine,
}

/// The class that a configuration names.
pub(super) fn class(config: &Config) -> Result<Class, Refusal> {
    let Some(word) = text(config, "connector.class") else {
        return Err(Refusal::new(400, format!("Connector config {} contains no connector type", java_map(config))));
    };
    Class::find(word.trim()).ok_or_else(|| {
        let all: Vec<String> = Class::ALL.into_iter().map(described).collect();
        let what = "Failed to find any class that implements Connector and which name matches";
        Refusal::new(400, format!("{what} {word}, available connectors are: {}", all.join(", ")))
    })
}

fn described(class: Class) -> String {
    let (name, kind) = (class.name(), class.kind());
    format!(
        "PluginDesc{{klass=class {name}, name='{name}', version='{VERSION}', encodedVersion={VERSION}, type={kind}, \
         typeName='{kind}', location='smt-host'}}"
    )
}

/// As Java shows a map, without secrets.
fn java_map(config: &Config) -> String {
    let shown = secrets::masked(config);
    let pairs: Vec<String> = shown.iter().map(|(key, v)| format!("{key}={}", v.as_str().unwrap_or("null"))).collect();
    format!("{{{}}}", pairs.join(", "))
}

impl Validator<'_> {
    /// The connector, or a refusal that lists all mistakes.
    pub(super) fn check(&self, config: &Config) -> Result<Job, Refusal> {
        let class = class(config)?;
        let mistakes = self.mistakes(class, config);
        if mistakes.is_empty() {
            let parsed = class.parse(config, self.options, self.engine);
            return parsed.map_err(|stop| invalid(&[told(&stop, config)]));
        }
        Err(invalid(&mistakes))
    }

    /// Connect's own checks, then what the connector's parser says, one mistake after the other.
    pub(super) fn mistakes(&self, class: Class, config: &Config) -> Vec<Mistake> {
        let mut mistakes = common(config);
        let mut rest: Config = config.clone();
        for mistake in &mistakes {
            mistake.key.as_ref().and_then(|key| rest.shift_remove(key));
        }
        if text(&rest, "name").is_none() {
            rest.insert("name".into(), "validated".into());
        }
        while mistakes.len() < MISTAKES_MAX {
            let Err(stop) = class.parse(&rest, self.options, self.engine) else { break };
            let mistake = told(&stop, &rest);
            // A key that is left out is its default; where the mistake stays, or is about none, nothing more is known.
            let removed = mistake.key.as_ref().and_then(|key| rest.shift_remove(key)).is_some();
            if !mistakes.contains(&mistake) {
                mistakes.push(mistake);
            }
            if !removed {
                break;
            }
        }
        mistakes
    }

    /// The answer of `/config/validate`.
    pub(super) fn report(&self, class: Class, config: &Config) -> Value {
        let mistakes = self.mistakes(class, config);
        let known = definitions::of(class);
        let mut others: Vec<&str> = Vec::new();
        for key in config.keys().map(String::as_str).chain(mistakes.iter().filter_map(|m| m.key.as_deref())) {
            if !others.contains(&key) && !known.iter().any(|definition| definition.name == key) {
                others.push(key);
            }
        }
        // What is about no key is told at the class.
        let about = |mistake: &Mistake| mistake.key.clone().unwrap_or_else(|| "connector.class".to_owned());
        let shown = secrets::masked(config);
        let value = |key: &str, default: Option<&str>| {
            let errors: Vec<&str> = mistakes.iter().filter(|m| about(m) == key).map(|m| m.text.as_str()).collect();
            let value = shown.get(key).cloned().or_else(|| default.map(Value::from));
            json!({ "name": key, "value": value, "recommended_values": [], "errors": errors, "visible": true })
        };
        let of_class = known.iter().map(|definition| (definition.json(), value(definition.name, definition.default())));
        let others = others.into_iter().map(|key| (other(key), value(key, None)));
        let configs =
            of_class.chain(others).map(|(definition, value)| json!({ "definition": definition, "value": value }));
        let configs: Vec<Value> = configs.collect();
        json!({ "name": class.name(), "error_count": mistakes.len(), "groups": definitions::groups(class), "configs": configs })
    }
}

/// What can be configured, for `/connector-plugins/{class}/config`.
pub(super) fn definitions(class: Class) -> Value {
    definitions::of(class).iter().map(Definition::json).collect()
}

/// A key that no table has: below a prefix, or a mistake.
fn other(key: &str) -> Value {
    json!({
        "name": key,
        "type": if is_secret(key) { "PASSWORD" } else { "STRING" },
        "required": false,
        "default_value": Value::Null,
        "importance": "LOW",
        "documentation": plugin_pipeline::documentation(key),
        "group": Value::Null,
        "order_in_group": -1,
        "width": "NONE",
        "display_name": key,
        "dependents": [],
    })
}

/// What Connect itself refuses, whatever the connector.
fn common(config: &Config) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut add = |key: &str, text: String| mistakes.push(Mistake { key: Some(key.to_owned()), text });
    match text(config, "name") {
        None => add("name", "Missing required configuration \"name\" which has no default value.".into()),
        Some(name) if name.trim().is_empty() => {
            add("name", format!("Invalid value {name} for configuration name: String may not be empty"));
        }
        Some(name) if name.chars().any(char::is_control) => {
            add(
                "name",
                format!("Invalid value {name:?} for configuration name: String may not contain control sequences"),
            );
        }
        Some(_) => {}
    }
    for key in config.iter().filter(|(key, value)| is_secret(key) && *value == MASK).map(|(key, _)| key) {
        add(key, format!("{key} is {MASK}, which stands for a secret that is not known here (give the secret itself)"));
    }
    if let Some(tasks) = text(config, "tasks.max") {
        match tasks.trim().parse::<i32>() {
            Err(_) => {
                add(
                    "tasks.max",
                    format!("Invalid value {tasks} for configuration tasks.max: Not a number of type INT"),
                );
                add("tasks.max", "Invalid value null for configuration tasks.max: Value must be non-null".into());
            }
            Ok(number) if number < 1 => {
                add(
                    "tasks.max",
                    format!("Invalid value {number} for configuration tasks.max: Value must be at least 1"),
                );
            }
            Ok(_) => {}
        }
    }
    mistakes
}

/// A parser's refusal: the key is the first word of its text that is one.
fn told(stop: &Stop, config: &Config) -> Mistake {
    let words = stop.what.split([' ', '"', ':', ',', ';', '\'']);
    let is_key = |word: &&str| config.contains_key(*word) || Class::ALL.iter().any(|class| class.has_key(word));
    let key = words.filter(|word| word.contains('.') || *word == "mode" || *word == "topics").find(is_key);
    let key = key.map(str::to_owned).or_else(|| {
        let plain = stop.what.split(['"', ' ']).find(|word| config.contains_key(*word) && *word != "name");
        plain.map(str::to_owned)
    });
    let text = match &stop.hint {
        Some(hint) => format!("{} ({hint})", stop.what),
        None => stop.what.clone(),
    };
    Mistake { key, text: secrets::scrubbed(&text, config) }
}

fn invalid(mistakes: &[Mistake]) -> Refusal {
    let lines: String = mistakes.iter().map(|mistake| format!("\n{}", mistake.text)).collect();
    Refusal::new(
        400,
        format!(
            "Connector configuration is invalid and contains the following {} error(s):{lines}\nYou can also find the \
             above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
            mistakes.len()
        ),
    )
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
