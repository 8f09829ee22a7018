//! The workshop's connectors in a Connect worker, registered as anyone would register them: over its REST API.
//!
//! What the files say goes over unchanged; the worker knows where database and bucket are.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Body;
use ureq::http::Response;

use super::flow::{Connectors, Runner, SOURCE};
use super::sinks::{self, Sinks};
use super::{CLASSES, COUNTED, INPUT, PLUGINS, Platform, WINDOWS};
use crate::config::MASK;
use crate::exit::Stop;
use crate::kafka::{Settings, topics};
use crate::platform::connect;
use crate::shutdown::Shutdown;
use crate::worker::Worker;

/// The windows of a topic that went quiet close by the wall clock.
const IDLE: &str = "5s";
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// So long sinks are not registered for want of their topics.
const TOPICS_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A worker and the connectors that the demo has registered with it.
pub(super) struct Connect {
    worker: Worker,
    names: Vec<String>,
}

pub(super) fn start(
    platform: &Platform,
    settings: &Settings,
    plugins: &Path,
    shutdown: &Shutdown,
) -> Result<Connectors, Stop> {
    let endpoints = platform.endpoints(platform.kafka.brokers());
    let sinks = Sinks::parse(endpoints.s3.as_ref())?;
    let worker = connect::start(&endpoints, None, platform.dir.path(), Some(plugins.to_owned()))?;
    println!("connect      {}", worker.url());
    let mut connect = Connect { worker, names: Vec::new() };
    match connect.register_all(settings, shutdown) {
        Ok(source) => Ok(connect.connectors(&source, sinks)),
        Err(stop) => {
            connect.end().ok();
            Err(stop)
        }
    }
}

impl Connect {
    pub(super) fn url(&self) -> String {
        self.worker.url()
    }

    pub(super) fn failure(&self) -> Option<Stop> {
        self.worker.failure(&self.names)
    }

    /// Stops the worker and all of its connectors; a failure of one of the demo's own is the result.
    pub(super) fn end(self) -> Result<(), Stop> {
        let failure = self.failure();
        self.worker.stop().and(failure.map_or(Ok(()), Err))
    }

    /// Returns the source's name.
    fn register_all(&mut self, settings: &Settings, shutdown: &Shutdown) -> Result<String, Stop> {
        let agent = agent();
        let source = self.register(&agent, SOURCE.parse().map_err(unreadable)?)?;
        for name in PLUGINS {
            self.register(&agent, plugin(name, INPUT))?;
        }
        self.register(&agent, counted())?;
        println!("plugins      {}, {COUNTED}", PLUGINS.join(", "));
        wait_for_topics(settings, shutdown);
        for file in sinks::FILES {
            self.register(&agent, file.parse().map_err(unreadable)?)?;
        }
        println!("sinks        {}", self.names[self.names.len() - sinks::FILES.len()..].join(", "));
        Ok(source)
    }

    /// One that a directory has kept is given its configuration again where that has changed, and goes on if it was
    /// paused or stopped.
    fn register(&mut self, agent: &ureq::Agent, file: Value) -> Result<String, Stop> {
        let name = file["name"].as_str().unwrap_or_default().to_owned();
        let url = format!("{}/connectors/{name}", self.worker.url());
        let config = &file["config"];
        let (status, kept) = ask(&name, agent.get(format!("{url}/config")).call())?;
        if status == 404 {
            taken(&name, agent.post(format!("{}/connectors", self.worker.url())).send_json(&file))?;
        } else {
            if !is_same(&kept, config) {
                taken(&name, agent.put(format!("{url}/config")).send_json(config))?;
            }
            taken(&name, agent.put(format!("{url}/resume")).send_empty())?;
        }
        self.names.push(name.clone());
        Ok(name)
    }

    fn connectors(self, source: &str, sinks: Sinks) -> Connectors {
        let pipeline = |name: &str| self.worker.progress(name).pipeline;
        Connectors {
            source: self.worker.progress(source).source,
            plugins: PLUGINS.map(|name| (name.to_owned(), pipeline(name))).to_vec(),
            counted: Some(pipeline(COUNTED)),
            sinks: sinks.counted_by(|name| self.worker.progress(name).sink),
            runner: Runner::Connect(self),
        }
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_WITHIN));
    config.build().new_agent()
}

fn ask(name: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<(u16, Value), Stop> {
    let mut answer = answer.map_err(|error| Stop::dependency(format!("connector {name}: the worker: {error}")))?;
    Ok((answer.status().as_u16(), answer.body_mut().read_json().unwrap_or_default()))
}

/// The worker does as it was asked, or says why not.
fn taken(name: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<(), Stop> {
    let (status, body) = ask(name, answer)?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let why = body["message"].as_str().map_or_else(|| format!("status {status}"), str::to_owned);
    Err(Stop::start(format!("connector {name}: {why}")))
}

/// The worker keeps texts and the name among them, and does not show secrets; the demo's stay as they are.
fn is_same(kept: &Value, config: &Value) -> bool {
    let (Some(kept), Some(config)) = (kept.as_object(), config.as_object()) else { return false };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let has = |(key, value): (&String, &Value)| {
        kept.get(key).is_some_and(|kept| text(kept) == text(value) || text(kept) == MASK)
    };
    config.iter().all(has) && kept.keys().all(|key| key == "name" || config.contains_key(key))
}

fn unreadable(error: serde_json::Error) -> Stop {
    Stop::usage(format!("a connector file of the workshop is no JSON: {error}"))
}

fn plugin(name: &str, input: &str) -> Value {
    let class = "smt-host.PluginPipeline";
    let config = json!({ "connector.class": class, "plugin.path": format!("{name}.wasm"), "topics": input });
    json!({ "name": name, "config": config })
}

fn counted() -> Value {
    let mut counted = plugin(COUNTED, CLASSES);
    counted["config"]["window.grace"] = format!("{}ms", WINDOWS.grace_ms).into();
    counted["config"]["window.idle"] = IDLE.into();
    counted
}

/// Pipelines make their topics, with properties of their own. A sink that comes earlier waits, and warns.
fn wait_for_topics(settings: &Settings, shutdown: &Shutdown) {
    let end = Instant::now() + TOPICS_WITHIN;
    let missing = || [PLUGINS[0], COUNTED].iter().any(|topic| !matches!(topics::shape(settings, topic), Ok(Some(_))));
    while Instant::now() < end && missing() && !shutdown.sleep(LOOK_INTERVAL) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kept: Value, same: bool) {
        let config = json!({ "tasks.max": 1, "connection.password": "secret", "topics": "customers" });
        assert_eq!(is_same(&kept, &config), same, "{kept}");
    }

    #[test]
    fn a_kept_configuration_is_the_same_but_for_texts_its_name_and_hidden_secrets() {
        check(json!({ "name": "a", "tasks.max": "1", "connection.password": MASK, "topics": "customers" }), true);
        check(json!({ "name": "a", "tasks.max": "2", "connection.password": MASK, "topics": "customers" }), false);
        check(json!({ "name": "a", "tasks.max": "1", "topics": "customers" }), false);
        let more = json!({ "tasks.max": "1", "connection.password": MASK, "topics": "customers", "more": "" });
        check(more, false);
        check(Value::Null, false);
    }
}
