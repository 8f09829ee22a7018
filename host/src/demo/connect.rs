//! The workshop's connectors in a Connect worker, registered as anyone would register them: over its REST API.
//!
//! What the files say goes over unchanged; the worker knows where database and bucket are.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::flow::{Connectors, Runner, SOURCE};
use super::sinks::{self, Sinks};
use super::{CLASSES, COUNTED, INPUT, PLUGINS, Platform, WINDOWS};
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

    /// By PUT, which makes a connector or gives one that a directory has kept its configuration again; one that was
    /// paused or stopped goes on.
    fn register(&mut self, agent: &ureq::Agent, file: Value) -> Result<String, Stop> {
        let name = file["name"].as_str().unwrap_or_default().to_owned();
        let url = format!("{}/connectors/{name}", self.worker.url());
        let created = answer(&name, agent.put(format!("{url}/config")).send_json(&file["config"]))?;
        if created != 201 {
            answer(&name, agent.put(format!("{url}/resume")).send_empty())?;
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

/// The status, unless it says that the connector was refused.
fn answer(name: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<u16, Stop> {
    let mut answer = answer.map_err(|error| Stop::dependency(format!("connector {name}: the worker: {error}")))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(status.as_u16());
    }
    let body = answer.body_mut().read_json::<Value>().unwrap_or_default();
    Err(Stop::start(format!("connector {name}: {}", body["message"].as_str().unwrap_or(status.as_str()))))
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
