//! Keys and values of the config and the status topic, byte for byte as Kafka Connect writes them.
//!
//! Nothing here knows Kafka; a record that is none of ours is passed over.

use serde_json::{Map, Value, json};

/// Texts by key, in the order in which they were given. Values are always texts.
pub(super) type Config = Map<String, Value>;

/// What a user wants of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Target {
    #[default]
    Started,
    Paused,
    Stopped,
}

/// What became of a connector or a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) state: String,
    pub(super) trace: Option<String>,
    pub(super) worker: String,
    pub(super) generation: i64,
    pub(super) version: Option<String>,
}

/// One record, understood. `None` where it is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    Connector(String, Option<Config>),
    Target(String, Option<Target>),
    Task(String, u32, Option<Config>),
    Commit(String, u32),
    Restart(String, Restart),
    ConnectorStatus(String, Option<Status>),
    TaskStatus(String, u32, Option<Status>),
    /// Connector and topic; whether it is used.
    Topic(String, String, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Restart {
    pub(super) include_tasks: bool,
    pub(super) only_failed: bool,
    /// One task alone. Connect's workers ask each other for that instead, and pass over it here.
    pub(super) task: Option<u32>,
}

/// A record as it is written.
pub(super) struct Written {
    pub(super) key: String,
    pub(super) value: Option<String>,
}

impl Target {
    pub(super) fn parse(word: &str) -> Option<Target> {
        match word {
            "STARTED" | "RUNNING" => Some(Target::Started),
            "PAUSED" => Some(Target::Paused),
            "STOPPED" => Some(Target::Stopped),
            _ => None,
        }
    }

    /// The state of a connector that is what is wanted of it.
    pub(super) fn state(self) -> &'static str {
        match self {
            Target::Started => "RUNNING",
            Target::Paused => "PAUSED",
            Target::Stopped => "STOPPED",
        }
    }

    /// Older workers know no stopping: for them it is a pause.
    fn value(self) -> Value {
        match self {
            Target::Started => json!({ "state": "STARTED", "state.v2": "STARTED" }),
            Target::Paused => json!({ "state": "PAUSED", "state.v2": "PAUSED" }),
            Target::Stopped => json!({ "state": "PAUSED", "state.v2": "STOPPED" }),
        }
    }
}

impl Record {
    pub(super) fn written(&self) -> Written {
        let properties = |config: &Option<Config>| config.as_ref().map(|config| json!({ "properties": config }));
        let (key, value) = match self {
            Record::Connector(name, config) => (format!("connector-{name}"), properties(config)),
            Record::Target(name, target) => (format!("target-state-{name}"), target.map(Target::value)),
            Record::Task(name, number, config) => (format!("task-{name}-{number}"), properties(config)),
            Record::Commit(name, tasks) => (format!("commit-{name}"), Some(json!({ "tasks": tasks }))),
            Record::Restart(name, restart) => {
                let mut value = json!({ "include-tasks": restart.include_tasks, "only-failed": restart.only_failed });
                if let Some(task) = restart.task {
                    value["task"] = task.into();
                }
                (format!("restart-connector-{name}"), Some(value))
            }
            Record::ConnectorStatus(name, status) => {
                (format!("status-connector-{name}"), status.as_ref().map(Status::value))
            }
            Record::TaskStatus(name, number, status) => {
                (format!("status-task-{name}-{number}"), status.as_ref().map(Status::value))
            }
            Record::Topic(name, topic, used) => {
                let at = jiff::Timestamp::now().as_millisecond();
                let value =
                    json!({ "topic": { "name": topic, "connector": name, "task": 0, "discoverTimestamp": at } });
                (format!("status-topic-{topic}:connector-{name}"), used.then_some(value))
            }
        };
        Written { key, value: value.map(|value| value.to_string()) }
    }

    /// `None`: nothing that a worker looks at.
    pub(super) fn read(key: &str, value: Option<&[u8]>) -> Option<Record> {
        let value = match value {
            None => None,
            Some(bytes) => Some(serde_json::from_slice::<Value>(bytes).ok()?).filter(|value| !value.is_null()),
        };
        if let Some(rest) = key.strip_prefix("status-topic-") {
            let (topic, name) = rest.split_once(":connector-")?;
            return Some(Record::Topic(name.into(), topic.into(), value.is_some()));
        }
        if let Some(name) = key.strip_prefix("status-connector-") {
            return Some(Record::ConnectorStatus(name.into(), value.as_ref().and_then(Status::read)));
        }
        if let Some(task) = key.strip_prefix("status-task-") {
            let (name, number) = numbered(task)?;
            return Some(Record::TaskStatus(name, number, value.as_ref().and_then(Status::read)));
        }
        if let Some(name) = key.strip_prefix("connector-") {
            return Some(Record::Connector(name.into(), value.and_then(properties)));
        }
        if let Some(name) = key.strip_prefix("target-state-") {
            let word = value.as_ref().and_then(|value| value.get("state.v2").or_else(|| value.get("state")));
            return Some(Record::Target(name.into(), word.and_then(Value::as_str).and_then(Target::parse)));
        }
        if let Some(task) = key.strip_prefix("task-") {
            let (name, number) = numbered(task)?;
            return Some(Record::Task(name, number, value.and_then(properties)));
        }
        if let Some(name) = key.strip_prefix("commit-") {
            let tasks = value.as_ref().and_then(|value| value.get("tasks")).and_then(Value::as_u64);
            return Some(Record::Commit(name.into(), tasks.and_then(|tasks| u32::try_from(tasks).ok()).unwrap_or(0)));
        }
        let name = key.strip_prefix("restart-connector-")?;
        let flag = |flag: &str| value.as_ref().and_then(|value| value.get(flag)).and_then(Value::as_bool);
        let (include_tasks, only_failed) = (flag("include-tasks")?, flag("only-failed")?);
        let task = value.as_ref().and_then(|value| value.get("task")).and_then(Value::as_u64);
        let task = task.and_then(|task| u32::try_from(task).ok());
        Some(Record::Restart(name.into(), Restart { include_tasks, only_failed, task }))
    }
}

impl Status {
    fn value(&self) -> Value {
        json!({
            "state": self.state,
            "trace": self.trace,
            "worker_id": self.worker,
            "generation": self.generation,
            "version": self.version,
        })
    }

    fn read(value: &Value) -> Option<Status> {
        let text = |member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
        Some(Status {
            state: text("state")?,
            trace: text("trace"),
            worker: text("worker_id")?,
            generation: value.get("generation").and_then(Value::as_i64).unwrap_or(0),
            version: text("version"),
        })
    }
}

/// A name may have a dash itself.
fn numbered(task: &str) -> Option<(String, u32)> {
    let (name, number) = task.rsplit_once('-')?;
    Some((name.to_owned(), number.parse().ok()?))
}

fn properties(value: Value) -> Option<Config> {
    let Value::Object(mut value) = value else { return None };
    let Some(Value::Object(properties)) = value.remove("properties") else { return None };
    Some(properties.into_iter().filter(|(_, value)| value.is_string()).collect())
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
