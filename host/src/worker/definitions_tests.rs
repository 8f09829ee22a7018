#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::*;
use crate::config::is_secret;
use crate::worker::plugin_pipeline;
use crate::worker::records::Config;
use crate::{sink, source};

/// A class, its table, and what its parser needs beside name and class.
type Case = (Class, &'static str, &'static [(&'static str, &'static str)]);

const ALL: [Case; 3] = [
    (
        Class::JdbcSource,
        include_str!("definitions/jdbc_source.txt"),
        &[("connection.url", "jdbc:postgresql://db/a"), ("mode", "bulk"), ("topic.prefix", "p-")],
    ),
    (
        Class::S3Sink,
        include_str!("definitions/s3_sink.txt"),
        &[
            ("topics", "t"),
            ("s3.bucket.name", "bucket"),
            ("flush.size", "1"),
            ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ],
    ),
    (Class::PluginPipeline, include_str!("definitions/plugin_pipeline.txt"), &[("topics", "t")]),
];

fn config(class: Class, needed: &[(&str, &str)], more: &[(&str, &str)]) -> Config {
    let always = [("name", "a"), ("connector.class", class.name())];
    let all = always.iter().chain(needed).chain(more);
    all.map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
}

/// What its parser makes of a configuration, as text.
fn parsed(class: Class, config: &Config) -> Result<String, String> {
    let json = Value::Object(config.clone()).to_string();
    let told = |stop: crate::exit::Stop| stop.to_string();
    match class {
        Class::JdbcSource => source::Connector::parse(&json, &[]).map(|made| format!("{made:?}")).map_err(told),
        Class::S3Sink => sink::Connector::parse(&json, &[]).map(|made| format!("{made:?}")).map_err(told),
        Class::PluginPipeline => {
            let options = plugin_pipeline::plain(config).map_err(told)?;
            Ok(format!(
                "{} {:?} {:?} {:?} {:?} {} {} {} {}",
                options.workers,
                options.from,
                options.delivery,
                options.commit_interval,
                options.on_error,
                options.failures_max,
                options.create_topics,
                options.group,
                options.dead_letter_topic
            ))
        }
    }
}

#[test]
fn every_key_of_a_parser_has_one_line_and_every_line_is_a_key() {
    for (class, text, _) in ALL {
        let keys: BTreeSet<&str> = match class {
            Class::JdbcSource => source::Connector::keys().iter().copied().collect(),
            Class::S3Sink => sink::Connector::keys().iter().copied().collect(),
            Class::PluginPipeline => plugin_pipeline::KEYS.into_iter().collect(),
        };
        let names: BTreeSet<&str> = of(class).iter().map(|definition| definition.name).collect();
        assert_eq!(names, keys, "{class:?}");
        assert_eq!(of(class).len(), keys.len(), "{class:?}: one line each");
        assert_eq!(of(class).len(), text.lines().count(), "{class:?}: no line is left out");
    }
}

#[test]
fn lines_are_whole() {
    for definition in ALL.iter().flat_map(|(class, ..)| of(*class)) {
        let Definition { name, kind, importance, display, documentation, dependents, .. } = definition;
        let kinds = ["STRING", "INT", "LONG", "BOOLEAN", "LIST", "CLASS", "PASSWORD"];
        assert!(kinds.contains(kind) && ["HIGH", "MEDIUM", "LOW"].contains(importance), "{name}");
        assert!(!display.is_empty() && documentation.ends_with('.'), "{name}");
        assert_eq!(*kind == "PASSWORD", is_secret(name), "{name}");
        let is_key = |key: &&str| Class::ALL.iter().any(|class| class.has_key(key));
        assert!(dependents.iter().all(is_key), "{name}");
    }
}

#[test]
fn a_default_is_what_the_parser_takes_where_a_key_is_left_out() {
    for (class, _, needed) in ALL {
        let plain = parsed(class, &config(class, needed, &[])).unwrap();
        for definition in of(class) {
            let name = definition.name;
            let Some(default) = definition.default() else { continue };
            // One of both is given.
            if ["partition.duration.ms", "topics.regex", "topics"].contains(&name) {
                continue;
            }
            let with = parsed(class, &config(class, needed, &[(name, default)]));
            assert_eq!(with.as_ref(), Ok(&plain), "{class:?} {name}={default}");
            // Formats and codecs of the same table: seen where they are at work.
            let other = match (definition.kind, default) {
                ("BOOLEAN", "true") => "false".to_owned(),
                ("BOOLEAN", _) => "true".to_owned(),
                ("INT" | "LONG", _) => (default.parse::<i64>().unwrap() + 1).to_string(),
                _ => continue,
            };
            let changed = parsed(class, &config(class, needed, &[(name, &other)]));
            let is_seen_alone = !DEPENDENT.contains(&name);
            assert!(!is_seen_alone || changed != Ok(plain.clone()), "{class:?} {name}={other} changes nothing");
        }
    }
}

/// What has an effect only beside another key, or none that a parsed connector keeps.
const DEPENDENT: [&str; 14] = [
    "tasks.max",
    "key.converter.schemas.enable",
    "value.converter.schemas.enable",
    "errors.log.enable",
    "errors.deadletterqueue.topic.replication.factor",
    "errors.deadletterqueue.context.headers.enable",
    "enable.conditional.writes",
    "connect.meta.data",
    "enhanced.avro.schema.support",
    "s3.compression.level",
    "rotate.interval.ms",
    "rotate.schedule.interval.ms",
    "smt.flush.idle.ms",
    "max.open.files.per.partition",
];

#[test]
fn a_key_that_is_needed_is_missed_by_its_parser() {
    for (class, _, needed) in ALL {
        for definition in of(class).iter().filter(|definition| definition.required()) {
            // Checked before any parser, or with the plugin.
            if ["name", "connector.class", "plugin.path", "topics"].contains(&definition.name) {
                continue;
            }
            let without: Vec<_> = needed.iter().filter(|(key, _)| *key != definition.name).copied().collect();
            assert!(without.len() < needed.len(), "{class:?} {} is not among what is needed", definition.name);
            let told = parsed(class, &config(class, &without, &[])).unwrap_err();
            assert!(told.contains(&format!("{} is missing", definition.name)), "{told}");
        }
    }
}

#[test]
fn what_is_shown_of_a_key_is_connects() {
    let mode = of(Class::JdbcSource).iter().find(|definition| definition.name == "mode").unwrap().json();
    let wanted = json!({
        "name": "mode", "type": "STRING", "required": true, "default_value": null, "importance": "HIGH",
        "documentation": "How a table is read again: bulk, timestamp, incrementing or timestamp+incrementing.",
        "group": "Mode", "order_in_group": 1, "width": "MEDIUM", "display_name": "Table Loading Mode",
        "dependents": ["incrementing.column.name", "timestamp.column.name", "validate.non.null"],
    });
    assert_eq!(mode, wanted);
}
