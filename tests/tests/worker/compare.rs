//! Every call of Connect's REST API, made to smt-host and to a real worker: status, headers and bodies are the same but
//! for what is listed here as having to differ.
//!
//! What differs everywhere: worker ids, versions and commits; what stands in a configuration and in offsets (the
//! connectors are others); the type that Jersey gives a few of its own refusals.

use serde_json::{Map, Value, json};

use super::*;

/// What is compared of a body.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Body {
    /// All, but for what differs everywhere.
    Same,
    /// Members and their types: the texts are the connectors', Jackson's or the JVM's own.
    Shape,
}

/// The two sides of a comparison, and what stands for a connector on each.
pub(super) struct Sides {
    pub(super) ours: String,
    pub(super) theirs: String,
    pub(super) our_source: Value,
    pub(super) our_sink: Value,
}

fn their_source() -> Value {
    let file = world().dir.path().join("compared.txt");
    std::fs::write(&file, "one\n").unwrap();
    json!({ "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": 1,
            "file": file, "topic": "compared-theirs" })
}

fn their_sink() -> Value {
    json!({ "connector.class": "FileStreamSink", "topics": "compared", "tasks.max": 1,
            // Both are named alike, and would be one group.
            "consumer.override.group.id": "connect-theirs", "file": world().dir.path().join("compared.out") })
}

impl Sides {
    /// `SOURCE` and `SINK` in a body stand for a whole configuration; `,"a":1` behind them adds to it.
    fn body(&self, body: &str, ours: bool) -> String {
        let (source, sink) =
            if ours { (self.our_source.clone(), self.our_sink.clone()) } else { (their_source(), their_sink()) };
        let open = |config: &Value| config.to_string().trim_matches(['{', '}']).to_owned();
        body.replace("SOURCE", &open(&source)).replace("SINK", &open(&sink))
    }

    fn path(path: &str, ours: bool) -> String {
        path.replace("{source}", if ours { "JdbcSource" } else { "FileStreamSource" })
    }

    /// Makes one call to both, and compares.
    pub(super) fn check(&self, method: &str, path: &str, body: &str, compared: Body) {
        self.check_with(method, path, body, &[("Content-Type", "application/json")], compared);
    }

    pub(super) fn check_with(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)], compared: Body) {
        let headers = if body.is_empty() && ["GET", "DELETE"].contains(&method) { &[] } else { headers };
        let ask = |url: &str, ours: bool| {
            call_with(method, &format!("{url}{}", Sides::path(path, ours)), &self.body(body, ours), headers)
        };
        let ours = ask(&self.ours, true);
        let mut theirs = ask(&self.theirs, false);
        // While their group settles, nothing can be changed.
        let busy = |reply: &Reply| reply.status == 409 && reply.text.contains("rebalance") && ours.status != 409;
        eventually("their group", SOON, || {
            if busy(&theirs) {
                theirs = ask(&self.theirs, false);
            }
            !busy(&theirs)
        });
        let call = format!("{method} {path} {body}");
        assert_eq!(ours.status, theirs.status, "{call}\nours: {}\ntheirs: {}", ours.text, theirs.text);
        let path_of = |reply: &Reply| reply.location.as_ref().map(|at| at.splitn(4, '/').nth(3).unwrap().to_owned());
        assert_eq!(path_of(&ours), path_of(&theirs), "{call}: Location");
        let allowed = |reply: &Reply| {
            let mut all: Vec<String> =
                reply.allow.iter().flat_map(|all| all.split(',')).map(|m| m.trim().to_owned()).collect();
            all.sort();
            all
        };
        assert_eq!(allowed(&ours), allowed(&theirs), "{call}: Allow");
        if ours.kind.is_some() {
            assert_eq!(ours.kind, theirs.kind, "{call}: Content-Type");
        }
        let view = |reply: &Reply| if compared == Body::Same { masked(reply.json()) } else { shape(reply.json()) };
        assert_eq!(view(&ours), view(&theirs), "{call}\nours: {}\ntheirs: {}", ours.text, theirs.text);
    }

    /// Waits until a connector is the same on both.
    pub(super) fn becomes(&self, name: &str, wanted: &str) {
        for url in [&self.ours, &self.theirs] {
            eventually(&format!("{name} {wanted} at {url}"), SOON, || states(url, name) == wanted);
        }
    }
}

/// Without what differs everywhere.
fn masked(value: Value) -> Value {
    let member = |(key, value): (String, Value)| {
        let value = match (key.as_str(), value) {
            ("worker_id" | "version" | "commit", Value::String(_)) => json!("*"),
            ("config", Value::Object(config)) => {
                assert!(config.values().all(Value::is_string), "{config:?}");
                json!({ "name": config["name"] })
            }
            ("partition" | "offset", Value::Object(_)) => json!("*"),
            (_, value) => masked(value),
        };
        (key, value)
    };
    match value {
        Value::Object(object) => Value::Object(object.into_iter().map(member).collect::<Map<_, _>>()),
        Value::Array(all) => all.into_iter().map(masked).collect(),
        other => other,
    }
}

/// Members and types; of a list, its first.
fn shape(value: Value) -> Value {
    match value {
        Value::Object(object) if object.contains_key("connector.class") => json!("a configuration"),
        Value::Object(object) => {
            let members = object.into_iter().map(|(key, value)| match key.as_str() {
                // May be missing at one, or be lists that are empty at one.
                "default_value" | "group" | "groups" | "errors" | "recommended_values" => (key, Value::Null),
                "value" if !value.is_object() => (key, Value::Null),
                _ => (key, shape(value)),
            });
            members.collect()
        }
        Value::Array(all) => all.into_iter().take(1).map(shape).collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("boolean"),
        other => other,
    }
}
