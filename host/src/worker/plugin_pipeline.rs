//! `smt-host.PluginPipeline`: a pipeline of one plugin as a connector. Its keys are those of `[[pipeline]]` in a
//! configuration file, with dots; what they mean and their defaults are said there.

use super::Options;
use super::class::text;
use super::plugin_path;
use super::records::Config;
use crate::config::{self, Pipeline, Properties};
use crate::exit::Stop;
use crate::guest::Engine;
use crate::nearest::nearest;
use crate::pipeline::Spec;
use crate::run;

pub(super) const KEYS: [&str; 13] = [
    "name",
    "connector.class",
    "tasks.max",
    "plugin.path",
    "topics",
    "group",
    "from",
    "delivery",
    "commit.interval",
    "on.error",
    "failures.max",
    "dead.letter.topic",
    "create.topics",
];
/// A key below them is a setting, the topic of an output, an option of windows, a limit.
const PREFIXES: [&str; 4] = ["plugin.set.", "output.", "window.", "limits."];

pub(super) fn has_key(key: &str) -> bool {
    KEYS.contains(&key) || PREFIXES.iter().any(|prefix| key.len() > prefix.len() && key.starts_with(prefix))
}

/// What a key below a prefix says; nothing for another.
pub(super) fn documentation(key: &str) -> &'static str {
    let is_below = |prefix: &str| key.starts_with(prefix) && has_key(key);
    match PREFIXES.into_iter().find(|prefix| is_below(prefix)) {
        Some("plugin.set.") => "A setting of the plugin.",
        Some("output.") => "The topic of an output of the plugin.",
        Some("window.") => "An option of the plugin's windows, as in [pipeline.plugin.window] with dots.",
        Some("limits.") => "A limit of the plugin, as in [pipeline.plugin.limits] with dots.",
        _ => "",
    }
}

/// Loads the plugin, and contacts nothing.
pub(super) fn spec(config: &Config, options: &Options, engine: &Engine) -> Result<Spec, Stop> {
    check_keys(config)?;
    let given = |key: &str| text(config, key).map(str::trim).filter(|value| !value.is_empty());
    let needed = |key: &str| given(key).ok_or_else(|| Stop::usage(format!("{key} is missing")));
    let name = name(needed("name")?)?;
    let file = plugin_path::confined(options.plugin_dir.as_deref(), needed("plugin.path")?)?;
    let topics: Vec<&str> = needed("topics")?.split(',').map(str::trim).filter(|topic| !topic.is_empty()).collect();
    let mut pipeline: Pipeline = options_of(config)?;
    pipeline.name = Some(name);
    pipeline.input = topics.into_iter().map(str::to_owned).collect();
    let settings = below(config, "plugin.set.").map(|(key, value)| {
        // References were replaced already; what looks like one now is meant so.
        value.parse().map(|value| (key.to_owned(), value)).unwrap_or_else(|never| match never {})
    });
    pipeline.plugin.push(config::Plugin {
        file,
        settings: Properties(settings.collect()),
        outputs: below(config, "output.").map(|(name, topic)| (name.to_owned(), topic.to_owned())).collect(),
        window: table(config, "window.")?,
        limits: table(config, "limits.")?,
    });
    let mut whole = config::Config {
        state_dir: Some(options.dir.clone()),
        // One id wherever it runs: whoever takes it over fences whoever had it.
        instance_id: Some("connect".to_owned()),
        pipeline: vec![pipeline],
        ..config::Config::default()
    };
    let mut specs = run::specs(&mut whole, &run::Options::default(), engine)?;
    let mut spec = specs.pop().ok_or_else(|| Stop::usage("there is no pipeline to run"))?;
    spec.kafka = options.kafka.clone();
    spec.registry = options.registry.clone();
    Ok(spec)
}

/// The copy of its state lies in a directory of this name.
fn name(given: &str) -> Result<String, Stop> {
    if given.starts_with('.') || given.contains(['/', '\0']) {
        return Err(Stop::usage(format!("name is {given:?}; a pipeline's has no / and does not begin with a dot")));
    }
    Ok(given.to_owned())
}

fn check_keys(config: &Config) -> Result<(), Stop> {
    let Some(unknown) = config.keys().find(|key| !has_key(key)) else { return Ok(()) };
    let stop = Stop::usage(format!("unknown connector key {unknown:?}"));
    Err(match nearest(unknown, KEYS) {
        Some(near) => stop.hint(format!("did you mean {near:?}?")),
        None => stop.hint(format!("known keys: {}, and those below {}", KEYS.join(", "), PREFIXES.join(", "))),
    })
}

/// The keys that `[[pipeline]]` has under the same name.
fn options_of(config: &Config) -> Result<Pipeline, Stop> {
    let same = ["group", "from", "delivery", "commit.interval", "on.error", "dead.letter.topic"];
    let mut table = toml::Table::new();
    for key in same {
        if let Some(value) = text(config, key) {
            table.insert(key.replace('.', "-"), value.to_owned().into());
        }
    }
    for (key, name) in [("tasks.max", "workers"), ("failures.max", "failures-max")] {
        if let Some(value) = text(config, key) {
            table.insert(name.into(), number(value));
        }
    }
    if let Some(create) = text(config, "create.topics") {
        let wrong = |_| Stop::usage(format!("create.topics is {create:?}; allowed: true, false"));
        table.insert("create-topics".into(), create.trim().parse::<bool>().map_err(wrong)?.into());
    }
    read(table, |key| if key == "workers" { "tasks.max".to_owned() } else { key.replace('-', ".") })
}

/// What stands below a prefix, as a table of a configuration file.
fn table<T: serde::de::DeserializeOwned>(config: &Config, prefix: &str) -> Result<T, Stop> {
    let values = below(config, prefix).map(|(key, value)| (key.replace('.', "-"), number(value)));
    read(values.collect(), |key| format!("{prefix}{}", key.replace('-', ".")))
}

/// Connect has texts only. Times and sizes have a unit, so that what is all digits is a number.
fn number(value: &str) -> toml::Value {
    value.trim().parse::<i64>().map_or_else(|_| value.to_owned().into(), toml::Value::Integer)
}

fn below<'a>(config: &'a Config, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    config.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_str()?)))
}

fn read<T: serde::de::DeserializeOwned>(table: toml::Table, name: impl Fn(&str) -> String) -> Result<T, Stop> {
    let given = toml::Value::Table(table);
    serde_path_to_error::deserialize(given.clone()).map_err(|error| {
        let key = error.path().to_string();
        let value = given.get(&key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let value = value.unwrap_or_default();
        Stop::usage(format!("{} is {value:?}: {}", name(&key), error.inner().message().replace('`', "")))
    })
}

/// The pipeline of a configuration, without plugins.
#[cfg(test)]
pub(super) fn plain(config: &Config) -> Result<Spec, Stop> {
    let mut pipeline = options_of(config)?;
    pipeline.name = Some("p".to_owned());
    run::plain_spec(&pipeline)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_that_are_numbers_are_read_as_numbers() {
        let texts = [("window.keys.max", "9"), ("window.grace", "5s"), ("limits.output.records", "7")];
        let config = texts.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let window: config::Window = table(&config, "window.").unwrap();
        assert_eq!((window.keys_max.unwrap().0, window.grace.is_some()), (9, true));
        let limits: config::Limits = table(&config, "limits.").unwrap();
        assert_eq!(limits.output_records.unwrap().0, 7);
        let wrong = Config::from_iter([("limits.output.records".to_owned(), json!("0"))]);
        let told = table::<config::Limits>(&wrong, "limits.").unwrap_err().what;
        assert!(told.starts_with("limits.output.records is \"0\": "), "{told}");
    }
}
