//! One connector of this worker, on its way from what it is to what is wanted of it.
//!
//! Only here are connectors started and stopped, and their statuses written. A status of another worker is never
//! overwritten by the end of something that this one had run.

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use super::class::{Class, Job};
use super::records::{Config, Record, Restart, Target};
use super::running::Running;
use super::secrets;
use super::state::FAILED;
use super::status::{Tell, own, write};
use super::validate;
use crate::exit::Stop;

/// What a connector follows: where its configuration and the last restart stand, and its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Revision {
    config: i64,
    target: Target,
    restart: Option<(i64, Restart)>,
}

/// What is wanted now.
struct Wanted {
    revision: Revision,
    config: Config,
}

pub(super) struct Connector {
    name: String,
    /// What it is, or is becoming; none before the first step.
    revision: Option<Revision>,
    config: Config,
    running: Option<Running>,
    /// Asked to stop, and not done yet.
    stopping: Option<Running>,
    has_failed: bool,
    /// Records when topics were last told.
    told: u64,
    /// Statuses that Kafka did not take.
    untold: Vec<Record>,
}

impl Connector {
    pub(super) fn new(name: &str) -> Connector {
        let (name, config) = (name.to_owned(), Config::new());
        Connector {
            name,
            revision: None,
            config,
            running: None,
            stopping: None,
            has_failed: false,
            told: 0,
            untold: Vec::new(),
        }
    }

    /// Whether there is something to do although nobody changed anything.
    pub(super) fn is_due(&self) -> bool {
        !self.untold.is_empty() || self.stopping.is_some() || self.running.as_ref().is_some_and(Running::has_ended)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.stopping.is_none() && self.running.is_none()
    }

    pub(super) fn ask_to_stop(&self) {
        self.running.iter().chain(&self.stopping).for_each(Running::ask_to_stop);
    }

    pub(super) fn step(&mut self, context: &Arc<Context>, generation: i64) {
        let untold = std::mem::take(&mut self.untold);
        if !untold.is_empty() && context.storage.with(|state| state.connectors.contains_key(&self.name)) {
            self.write(context, untold);
        }
        if let Some(ended) = self.stopping.take_if(|stopping| stopping.has_ended()) {
            // It was asked to stop: how it did so is of interest to the log alone.
            if let Err(stop) = ended.end() {
                tracing::warn!(connector = self.name, "stopped: {}", secrets::scrubbed(&stop.what, &self.config));
            }
        }
        // In this order: one that was asked to stop because the worker stops has not failed.
        if let Some(ended) = self.running.take_if(|running| running.has_ended() && !context.leave.is_requested()) {
            self.fail(ended, context, generation);
        }
        let wanted = self.wanted(context);
        if wanted.as_ref().map(|wanted| wanted.revision) == self.revision {
            return;
        }
        if let (Some(before), Some(wanted)) = (self.revision, &wanted)
            && !self.has_to_begin(before, wanted.revision)
        {
            self.revision = Some(wanted.revision);
            return;
        }
        if let Some(running) = self.running.take() {
            running.ask_to_stop();
            self.stopping = Some(running);
        }
        if self.stopping.is_none() {
            self.revision = wanted.as_ref().map(|wanted| wanted.revision);
            if let Some(wanted) = wanted {
                self.begin(wanted, context, generation);
            }
        }
    }

    fn wanted(&self, context: &Context) -> Option<Wanted> {
        context.storage.with(|state| {
            let connector = state.connectors.get(&self.name)?;
            let target = state.target(&self.name);
            let revision = Revision { config: connector.offset, target, restart: connector.restart };
            Some(Wanted { revision, config: connector.config.clone() })
        })
    }

    /// A restart may be about what failed only, or about the connector without its tasks.
    fn has_to_begin(&self, before: Revision, wanted: Revision) -> bool {
        if (before.config, before.target) != (wanted.config, wanted.target) {
            return true;
        }
        let Some((_, restart)) = wanted.restart else { return true };
        let has_failed = self.has_failed && self.running.is_none();
        if restart.only_failed { has_failed } else { restart.include_tasks }
    }

    fn begin(&mut self, wanted: Wanted, context: &Arc<Context>, generation: i64) {
        let Wanted { revision, config } = wanted;
        context.board.set_failure(&self.name, None);
        (self.has_failed, self.told, self.config) = (false, 0, config);
        let tell = Tell { name: &self.name, worker: &context.id, generation };
        let mut records = Vec::new();
        match revision.target {
            Target::Stopped => {
                records.extend(tell.no_tasks(context));
                records.push(tell.connector(Target::Stopped.state(), None));
            }
            Target::Paused => {
                records.push(tell.connector(Target::Paused.state(), None));
                records.extend(self.tasks().iter().enumerate().map(|(n, _)| tell.task(n, "PAUSED", None)));
            }
            Target::Started => match self.start(context) {
                Ok(running) => {
                    let tasks = self.tasks();
                    records.extend(self.commit(&tasks, context));
                    records.push(tell.connector("RUNNING", None));
                    records.extend((0..tasks.len()).map(|number| tell.task(number, "RUNNING", None)));
                    self.running = Some(running);
                }
                Err(stop) => {
                    self.has_failed = true;
                    let trace = trace(&stop, &self.config);
                    tell_log(&self.name, "connector cannot be started", &stop, &self.config);
                    context.board.set_failure(&self.name, Some(scrubbed(stop, &self.config)));
                    records.extend(tell.no_tasks(context));
                    records.push(tell.connector(FAILED, Some(trace)));
                }
            },
        }
        self.write(context, records);
    }

    fn start(&self, context: &Arc<Context>) -> Result<Running, Stop> {
        let refused = |refusal: super::refusal::Refusal| Stop::usage(refusal.message);
        let class = validate::class(&self.config).map_err(refused)?;
        let job: Job = class.parse(&self.config, &context.options, &context.engine)?;
        let running = Running::start(&self.name, job, context)?;
        tracing::info!(connector = self.name, class = class.name(), "connector started");
        Ok(running)
    }

    fn tasks(&self) -> Vec<Config> {
        Class::of(&self.config).map_or_else(Vec::new, |class| class.tasks(&self.config))
    }

    /// Tasks as they are kept, unless they are kept so already.
    fn commit(&self, tasks: &[Config], context: &Context) -> Vec<Record> {
        let same = context.storage.with(|state| state.tasks(&self.name).into_iter().eq(tasks));
        if same {
            return Vec::new();
        }
        let task =
            |(number, config): (usize, &Config)| Record::Task(self.name.clone(), number as u32, Some(config.clone()));
        let commit = Record::Commit(self.name.clone(), tasks.len() as u32);
        tasks.iter().enumerate().map(task).chain([commit]).collect()
    }

    /// It ended without being asked to.
    fn fail(&mut self, ended: Running, context: &Context, generation: i64) {
        let stop = ended.end().err().unwrap_or_else(|| Stop::start("the connector ended by itself"));
        let trace = trace(&stop, &self.config);
        tell_log(&self.name, "tasks failed", &stop, &self.config);
        context.board.set_failure(&self.name, Some(scrubbed(stop, &self.config)));
        self.has_failed = true;
        let tell = Tell { name: &self.name, worker: &context.id, generation };
        let records = (0..self.tasks().len()).map(|number| tell.task(number, FAILED, Some(trace.clone())));
        let records = records.collect();
        self.write(context, own(records, context));
    }

    /// What is not taken now is written again at the next step.
    fn write(&mut self, context: &Context, records: Vec<Record>) {
        if !write(context, &records) {
            self.untold = records;
        }
    }

    /// Waits for its end, and says that nobody runs it.
    pub(super) fn let_go(self, context: &Context, generation: i64, wait: Duration) {
        let all: Vec<Running> = self.running.into_iter().chain(self.stopping).collect();
        let has_ended = all.into_iter().all(|running| running.ends_within(wait));
        if !has_ended {
            tracing::warn!(connector = self.name, "did not stop in time: whoever takes it over fences it");
        }
        let tell = Tell { name: &self.name, worker: &context.id, generation };
        let tasks: Vec<usize> =
            context.storage.with(|state| state.task_statuses(&self.name).map(|(number, _)| number as usize).collect());
        let mut records = vec![tell.connector("UNASSIGNED", None)];
        records.extend(tasks.into_iter().map(|number| tell.task(number, "UNASSIGNED", None)));
        write(context, &own(records, context));
        tracing::info!(connector = self.name, "connector let go");
    }

    /// Writes down the topics that are used, where there are new ones.
    pub(super) fn tell_topics(&mut self, context: &Context) {
        let Some(running) = &self.running else { return };
        let records = running.progress.records();
        if records == self.told {
            return;
        }
        self.told = records;
        let used = running.topics.iter().filter(|topic| !topic.starts_with('^')).cloned();
        let used = used.chain(running.progress.written());
        let new: Vec<Record> = context.storage.with(|state| {
            let known = |topic: &String| state.topics.get(&self.name).is_some_and(|topics| topics.contains(topic));
            used.filter(|topic| !known(topic)).map(|topic| Record::Topic(self.name.clone(), topic, true)).collect()
        });
        if !new.is_empty() {
            write(context, &new);
        }
    }
}

/// One line.
fn tell_log(connector: &str, what: &str, stop: &Stop, config: &Config) {
    let hint = stop.hint.as_ref().map(|hint| secrets::scrubbed(hint, config));
    tracing::error!(connector, hint, "{what}: {}", secrets::scrubbed(&stop.what, config).replace('\n', "; "));
}

fn scrubbed(stop: Stop, config: &Config) -> Stop {
    let Stop { exit, what, hint } = stop;
    Stop { exit, what: secrets::scrubbed(&what, config), hint: hint.map(|hint| secrets::scrubbed(&hint, config)) }
}

fn trace(stop: &Stop, config: &Config) -> String {
    secrets::scrubbed(&stop.to_string(), config)
}
