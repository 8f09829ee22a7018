//! What requests do: every change is a record in the config topic, every answer comes from what was read of it.
//!
//! Any worker of the group may be asked anything, and need not run the connector itself. Nothing is started or stopped
//! here.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::Context;
use super::class::{Class, VERSION};
use super::records::{Config, Record, Restart, Status, Target};
use super::refusal::Refusal;
use super::secrets;
use super::state::{FAILED, State};
use super::storage::Changes;
use super::validate::{self, Validator};

type Answer = Result<Value, Refusal>;

pub(super) struct Herder {
    pub(super) context: Arc<Context>,
    changes: Mutex<Changes>,
}

/// A request to create a connector.
#[derive(Debug)]
pub(super) struct Creation {
    pub(super) name: String,
    pub(super) config: Config,
    pub(super) initial: Option<Target>,
}

impl Herder {
    pub(super) fn new(context: Arc<Context>) -> Herder {
        let changes = Mutex::new(Changes::of(&context.options.group));
        Herder { context, changes }
    }

    pub(super) fn validator(&self) -> Validator<'_> {
        Validator { options: &self.context.options, engine: &self.context.engine }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.look(|state| state.connectors.keys().cloned().collect())
    }

    pub(super) fn create(&self, creation: Creation) -> Answer {
        let Creation { name, config, initial } = creation;
        let config = named(&name, config)?;
        self.validator().check(&config)?;
        self.change(|| {
            if self.look(|state| state.connectors.contains_key(&name)) {
                return Err(Refusal::new(409, format!("Connector {name} already exists")));
            }
            let target = initial.map(|target| Record::Target(name.clone(), Some(target)));
            let connector = Record::Connector(name.clone(), Some(config.clone()));
            Ok((target.into_iter().chain([connector]).collect(), ()))
        })?;
        tracing::info!(connector = name, class = validate::class(&config)?.name(), "connector created");
        Ok(info(&name, &config, 0))
    }

    /// The answer, and whether the connector is a new one.
    pub(super) fn put_config(&self, name: &str, config: Config) -> Result<(Value, bool), Refusal> {
        let config = named(name, config)?;
        self.replace(name, |before| {
            Ok(before.map_or_else(|| config.clone(), |before| secrets::unmasked(config.clone(), before)))
        })
    }

    pub(super) fn patch_config(&self, name: &str, patch: &Map<String, Value>) -> Answer {
        let patched = |before: Option<&Config>| {
            let before = before.ok_or_else(|| Refusal::no_connector(name))?;
            let mut config = before.clone();
            for (key, value) in patch {
                match value {
                    Value::Null => drop(config.shift_remove(key)),
                    value => drop(config.insert(key.clone(), value.clone())),
                }
            }
            Ok(secrets::unmasked(named(name, config)?, before))
        };
        Ok(self.replace(name, patched)?.0)
    }

    /// `make` is given what was there.
    fn replace(
        &self,
        name: &str,
        make: impl Fn(Option<&Config>) -> Result<Config, Refusal>,
    ) -> Result<(Value, bool), Refusal> {
        let (config, is_new) = self.change(|| {
            let before = self.config(name).ok();
            let config = make(before.as_ref())?;
            self.validator().check(&config)?;
            Ok((vec![Record::Connector(name.to_owned(), Some(config.clone()))], (config, before.is_none())))
        })?;
        let done = if is_new { "created" } else { "configured" };
        tracing::info!(connector = name, class = validate::class(&config)?.name(), "connector {done}");
        Ok((info(name, &config, self.look(|state| state.tasks(name).len())), is_new))
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), Refusal> {
        self.change(|| {
            self.config(name)?;
            let mut records = vec![Record::Connector(name.to_owned(), None), Record::Target(name.to_owned(), None)];
            records.push(Record::ConnectorStatus(name.to_owned(), None));
            let tasks: Vec<u32> = self.look(|state| state.task_statuses(name).map(|(number, _)| number).collect());
            records.extend(tasks.into_iter().map(|number| Record::TaskStatus(name.to_owned(), number, None)));
            records.extend(self.forget_topics(name));
            Ok((records, ()))
        })?;
        tracing::info!(connector = name, "connector deleted");
        Ok(())
    }

    pub(super) fn set_target(&self, name: &str, target: Target) -> Result<(), Refusal> {
        self.change(|| {
            self.config(name).map_err(|_| Refusal::new(404, format!("Unknown connector {name}")))?;
            let commit = (target == Target::Stopped).then(|| Record::Commit(name.to_owned(), 0));
            Ok((commit.into_iter().chain([Record::Target(name.to_owned(), Some(target))]).collect(), ()))
        })?;
        tracing::info!(connector = name, "connector is to be {}", target.state());
        Ok(())
    }

    /// The status as it is about to be.
    pub(super) fn restart(&self, name: &str, restart: Restart) -> Answer {
        let mut status = self.change(|| {
            self.config(name).map_err(|_| Refusal::new(404, format!("Unknown connector: {name}")))?;
            Ok((vec![Record::Restart(name.to_owned(), restart)], self.status(name)?))
        })?;
        tracing::info!(connector = name, "connector is to be restarted");
        mark_restarting(&mut status, restart);
        Ok(status)
    }

    /// This one, and those that share its fate.
    pub(super) fn restart_task(&self, name: &str, number: u32) -> Result<(), Refusal> {
        if self.config(name).is_err() {
            return Err(Refusal::new(404, format!("Unknown connector: {name}")));
        }
        if self.look(|state| state.target(name)) == Target::Stopped {
            let why = "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was \
                       underway.";
            return Err(Refusal::new(409, why));
        }
        if number as usize >= self.look(|state| state.tasks(name).len()) {
            return Err(Refusal::new(404, format!("Unknown task: {name}-{number}")));
        }
        self.restart(name, Restart { include_tasks: true, only_failed: false, task: Some(number) }).map(drop)
    }

    /// As it is kept, references and secrets in place.
    pub(super) fn config(&self, name: &str) -> Result<Config, Refusal> {
        let found = self.look(|state| state.connectors.get(name).map(|connector| connector.config.clone()));
        found.ok_or_else(|| Refusal::no_connector(name))
    }

    pub(super) fn info(&self, name: &str) -> Answer {
        let config = self.config(name)?;
        Ok(info(name, &config, self.look(|state| state.tasks(name).len())))
    }

    pub(super) fn tasks(&self, name: &str) -> Answer {
        self.config(name)?;
        let one = |(number, config): (usize, &Config)| json!({ "id": { "connector": name, "task": number }, "config": secrets::masked(config) });
        Ok(self.look(|state| state.tasks(name).into_iter().enumerate().map(one).collect()))
    }

    pub(super) fn status(&self, name: &str) -> Answer {
        self.look(|state| {
            let none = || Refusal::new(404, format!("No status found for connector {name}"));
            let connector = state.statuses.get(name).ok_or_else(none)?;
            let tasks: Vec<Value> = state.task_statuses(name).map(|(number, status)| task(number, status)).collect();
            Ok(json!({ "name": name, "connector": members(connector), "tasks": tasks, "type": kind(state, name) }))
        })
    }

    pub(super) fn task_status(&self, name: &str, number: u32) -> Answer {
        let none = || Refusal::new(404, format!("No status found for task {name}-{number}"));
        self.look(|state| {
            let found = state.task_statuses(name).find(|(found, _)| *found == number).ok_or_else(none)?;
            Ok(task(number, found.1))
        })
    }

    pub(super) fn topics(&self, name: &str) -> Value {
        let topics = self.look(|state| state.topics.get(name).cloned().unwrap_or_default());
        let mut answer = Map::new();
        answer.insert(name.to_owned(), json!({ "topics": topics }));
        Value::Object(answer)
    }

    pub(super) fn reset_topics(&self, name: &str) -> Result<(), Refusal> {
        let records = self.forget_topics(name);
        if records.is_empty() { Ok(()) } else { self.write(&records) }
    }

    fn forget_topics(&self, name: &str) -> Vec<Record> {
        let topics = self.look(|state| state.topics.get(name).cloned().unwrap_or_default());
        topics.into_iter().map(|topic| Record::Topic(name.to_owned(), topic, false)).collect()
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.context.storage.with(look)
    }

    /// See `Changes`. One that panicked leaves nothing half done in memory.
    fn change<T>(&self, decide: impl Fn() -> Result<(Vec<Record>, T), Refusal>) -> Result<T, Refusal> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.make(&self.context.storage, decide)
    }

    fn write(&self, records: &[Record]) -> Result<(), Refusal> {
        self.context.storage.write(records).map_err(Refusal::from)
    }
}

/// With its name in it.
fn named(name: &str, mut config: Config) -> Result<Config, Refusal> {
    match config.get("name").and_then(Value::as_str) {
        Some(other) if other != name => {
            let what =
                format!("Connector name configuration ({other}) doesn't match connector name in the URL ({name})");
            return Err(Refusal::new(400, what));
        }
        Some(_) => {}
        None => drop(config.insert("name".into(), name.into())),
    }
    Ok(config)
}

fn info(name: &str, config: &Config, tasks: usize) -> Value {
    let tasks: Vec<Value> = (0..tasks).map(|number| json!({ "connector": name, "task": number })).collect();
    let kind = Class::of(config).map_or("unknown", Class::kind);
    json!({ "name": name, "config": secrets::masked(config), "tasks": tasks, "type": kind })
}

fn kind(state: &State, name: &str) -> &'static str {
    let class = state.connectors.get(name).and_then(|connector| Class::of(&connector.config));
    class.map_or("unknown", Class::kind)
}

fn members(status: &Status) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("state".into(), json!(status.state));
    members.insert("worker_id".into(), json!(status.worker));
    if let Some(trace) = status.trace.as_ref().filter(|trace| !trace.is_empty()) {
        members.insert("trace".into(), json!(trace));
    }
    members.insert("version".into(), json!(status.version.as_deref().unwrap_or(VERSION)));
    members
}

fn task(number: u32, status: &Status) -> Value {
    let mut all = Map::from_iter([("id".to_owned(), json!(number))]);
    all.extend(members(status));
    Value::Object(all)
}

fn mark_restarting(status: &mut Value, restart: Restart) {
    let is_meant = |part: &Value| !restart.only_failed || part["state"] == FAILED;
    let mark = |part: &mut Value| {
        part["state"] = "RESTARTING".into();
        part.as_object_mut().and_then(|part| part.shift_remove("trace"));
    };
    if is_meant(&status["connector"]) {
        mark(&mut status["connector"]);
    }
    for task in status["tasks"].as_array_mut().into_iter().flatten() {
        if restart.include_tasks && is_meant(task) {
            mark(task);
        }
    }
}
