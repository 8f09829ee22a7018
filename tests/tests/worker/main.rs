//! `smt-host connect` as a user runs it: its REST API beside a real Kafka Connect worker's, the workshop's files, workers
//! that are killed and workers that share.
#![allow(clippy::unwrap_used)]

mod access;
mod calls;
mod compare;
mod offsets;
mod reference;
mod shared;
mod workshop;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use smt_host::platform::port;
use smt_tests::host::{Running, binary};
use smt_tests::{eventually, world};

const SOON: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug, Clone)]
struct Reply {
    status: u16,
    kind: Option<String>,
    location: Option<String>,
    allow: Option<String>,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

/// One call, with these headers.
fn call_with(method: &str, url: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(SOON)).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = agent.run(request.body(body.to_owned()).unwrap()).unwrap();
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (kind, location, allow) = (header("content-type"), header("location"), header("allow"));
    Reply { status: answer.status().as_u16(), kind, location, allow, text: answer.body_mut().read_to_string().unwrap() }
}

/// One call; what has a body says that it is JSON.
fn call(method: &str, url: &str, body: &str) -> Reply {
    let json: &[_] = if body.is_empty() { &[] } else { &[("Content-Type", "application/json")] };
    call_with(method, url, body, json)
}

/// A worker of smt-host, a process of its own.
struct Worker {
    process: Running,
    url: String,
    log: PathBuf,
}

/// Starts a worker whose group and topics are named after `group`.
fn worker(group: &str, more: &[&str]) -> Worker {
    let port = port::free();
    let log = world().dir.path().join(format!("{group}-{port}.log"));
    let mut command = binary();
    command.args(["connect", "--listen", &format!("127.0.0.1:{port}"), "--group", group]);
    command.args(["--brokers", &world().kafka.brokers(), "--registry", &world().registry_server.url()]);
    for (option, topic) in [("--config-topic", "configs"), ("--offset-topic", "offsets"), ("--status-topic", "status")]
    {
        command.args([option, &format!("{group}-{topic}")]);
    }
    command.args(["--dir".as_ref(), world().dir.path().join(group).as_os_str()]);
    // So that a group soon notices a member that was killed.
    command.args(["-X", "session.timeout.ms=1500", "-X", "heartbeat.interval.ms=300"]);
    command.args(more).stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let url = format!("http://127.0.0.1:{port}");
    let worker = Worker { process: Running::start(&mut command), url, log };
    eventually("the REST API", SOON, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    // Connections wait until it has read its topics.
    call("GET", &format!("{}/health", worker.url), "");
    worker
}

impl Worker {
    fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        call(method, &format!("{}{path}", self.url), body)
    }

    /// The states of a connector and of its tasks, as far as there are any.
    fn states(&self, name: &str) -> String {
        states(&self.url, name)
    }

    fn becomes(&self, name: &str, wanted: &str) {
        eventually(&format!("{name} {wanted}"), SOON, || self.states(name) == wanted);
    }

    fn id(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    fn kill9(self) {
        self.process.signal(Signal::KILL);
    }

    /// Asks it to stop, as a service manager does.
    fn stop(mut self) -> String {
        self.process.signal(Signal::TERM);
        assert_eq!(self.process.code_within(Duration::from_secs(15)), Some(0));
        std::fs::read_to_string(&self.log).unwrap()
    }
}

/// As `RUNNING RUNNING`: the connector's, then its tasks'.
fn states(url: &str, name: &str) -> String {
    let status = call("GET", &format!("{url}/connectors/{name}/status"), "").json();
    let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
    let all = std::iter::once(&status["connector"]).chain(&tasks).filter_map(|part| part["state"].as_str());
    all.collect::<Vec<_>>().join(" ")
}
