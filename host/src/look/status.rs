//! `smt-host status`: pipelines and connectors in ksqlDB's columns, with how far they are, as seen from Kafka itself and
//! from Connect's REST API.

/// From Kafka: groups, offsets, dead letters.
mod observe;
/// From Connect's REST API.
mod rest;

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::show::{Show, Shown};
use super::table::{Table, terminal};
use super::{reach, signals};
use crate::exit::Stop;
use crate::run::Platform;
use crate::window::Outputs;
use observe::Observer;
use rest::Rest;

/// Between the two looks that make a rate.
const APART: Duration = Duration::from_secs(1);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Connect's address [default: the directory's, or http://localhost:8083 if it answers]
    #[arg(long, env = "SMT_CONNECT", value_name = "URL")]
    connect: Option<String>,
    #[command(flatten)]
    platform: Platform,
    #[command(flatten)]
    show: Show,
}

/// A consumer group at work.
#[derive(Debug, Clone, PartialEq)]
struct Progress {
    group: String,
    members: usize,
    inputs: Vec<String>,
    lag: i64,
    /// `None`: seen for the first time.
    rate: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Pipeline {
    name: String,
    progress: Progress,
    /// Empty: not known.
    outputs: Outputs,
    windowed: bool,
    dead_letters: i64,
    open_windows: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
struct Connector {
    name: String,
    kind: String,
    class: String,
    status: String,
    /// A sink has a group.
    progress: Option<Progress>,
}

#[derive(Debug, Default)]
struct Report {
    pipelines: Vec<Pipeline>,
    connectors: Vec<Connector>,
}

pub fn run(args: Args) -> Result<(), Stop> {
    let found = args.platform.find()?;
    let stop = signals()?;
    reach(&found.kafka)?;
    let rest = Rest::open(args.connect.as_deref(), found.connect.as_deref());
    let mut observer = Observer::open(&found)?;
    observer.look()?;
    if stop.sleep(APART) {
        return Ok(());
    }
    args.show.show(&stop, || {
        let (pipelines, sinks) = observer.look()?;
        let report = Report { pipelines, connectors: with_sinks(rest.connectors()?, sinks) };
        Ok(Shown { text: report.text(), json: report.json() })
    })
}

/// What Connect tells of, each with its group, and sinks that run without it.
fn with_sinks(mut connectors: Vec<Connector>, sinks: Vec<(String, Progress)>) -> Vec<Connector> {
    for (name, progress) in sinks {
        match connectors.iter_mut().find(|connector| connector.name == name) {
            Some(connector) => connector.progress = Some(progress),
            None => {
                let (kind, class, status) = ("SINK".to_owned(), "-".to_owned(), progress.state().to_owned());
                connectors.push(Connector { name, kind, class, status, progress: Some(progress) });
            }
        }
    }
    connectors.sort_by(|one, other| one.name.cmp(&other.name));
    connectors
}

impl Progress {
    /// What a group tells of its members.
    fn state(&self) -> &'static str {
        if self.members == 0 { "STOPPED" } else { "RUNNING" }
    }

    fn rate(&self) -> String {
        self.rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.0}"))
    }
}

impl Pipeline {
    /// One part of its outputs, each value once.
    fn told(&self, part: impl Fn(&(String, String, String)) -> &String) -> String {
        let mut all: Vec<&str> = Vec::new();
        for word in self.outputs.iter().map(|output| part(output).as_str()) {
            if !all.contains(&word) {
                all.push(word);
            }
        }
        if all.is_empty() { "?".to_owned() } else { all.join(", ") }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

impl Report {
    fn text(&self) -> String {
        let header = ["Stream Name", "Kafka Topic", "Key Format", "Value Format", "Windowed", "Reads", "Status", "Lag"];
        let more = ["Records/s", "Dead Letters", "Open Windows"];
        let mut streams = Table::new(header.into_iter().chain(more));
        for pipeline in &self.pipelines {
            let progress = &pipeline.progress;
            streams.row([
                pipeline.name.to_uppercase(),
                pipeline.told(|(topic, _, _)| topic),
                pipeline.told(|(_, key, _)| key),
                pipeline.told(|(_, _, value)| value),
                pipeline.windowed.to_string(),
                list(&progress.inputs),
                progress.state().to_owned(),
                progress.lag.to_string(),
                progress.rate(),
                pipeline.dead_letters.to_string(),
                pipeline.open_windows.map_or_else(|| "-".to_owned(), |open| open.to_string()),
            ]);
        }
        let mut connectors = Table::new(["Connector Name", "Type", "Class", "Status", "Lag", "Records/s"]);
        for connector in &self.connectors {
            let none = || ("-".to_owned(), "-".to_owned());
            let (lag, rate) = connector.progress.as_ref().map_or_else(none, |it| (it.lag.to_string(), it.rate()));
            let Connector { name, kind, class, status, .. } = connector.clone();
            connectors.row([name, kind, class, status, lag, rate]);
        }
        format!("{}\n{}", streams.text(terminal()), connectors.text(terminal()))
    }

    fn json(&self) -> Json {
        let progress = |progress: &Progress| {
            json!({
                "group": progress.group, "members": progress.members, "inputs": progress.inputs,
                "lag": progress.lag, "records-per-second": progress.rate,
            })
        };
        let output = |(topic, key, value): &(String, String, String)| {
            let known = |word: &String| Some(word.clone()).filter(|word| word != "?");
            json!({ "topic": topic, "key-format": known(key), "value-format": known(value) })
        };
        // Null is what nobody said.
        let outputs = |pipeline: &Pipeline| {
            let all: Vec<Json> = pipeline.outputs.iter().map(output).collect();
            Some(all).filter(|all| !all.is_empty())
        };
        let pipeline = |pipeline: &Pipeline| {
            json!({
                "name": pipeline.name, "outputs": outputs(pipeline), "windowed": pipeline.windowed, "status": pipeline.progress.state(),
                "progress": progress(&pipeline.progress), "dead-letters": pipeline.dead_letters,
                "open-windows": pipeline.open_windows,
            })
        };
        let connector = |connector: &Connector| {
            json!({
                "name": connector.name, "type": connector.kind, "class": connector.class, "status": connector.status,
                "progress": connector.progress.as_ref().map(progress),
            })
        };
        json!({
            "streams": self.pipelines.iter().map(pipeline).collect::<Vec<_>>(),
            "connectors": self.connectors.iter().map(connector).collect::<Vec<_>>(),
        })
    }
}
