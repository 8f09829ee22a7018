//! One connector of this worker, on its way from what it is to what is wanted of it.
//!
//! Only here are connectors started and stopped, and their statuses written. A status of another worker is never
//! overwritten by the end of something that this one had run.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::Context;
use super::class::{Class, Job, Progress};
use super::records::{Config, Record, Restart, Target};
use super::running::Running;
use super::secrets;
use super::state::FAILED;
use super::status::{Tell, own, write};
use super::tasks::{Tasks, why};
use super::validate;
use crate::exit::Stop;

/// What a connector follows: where its configuration stands, and its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Revision {
    config: i64,
    target: Target,
}

/// What is wanted now.
struct Wanted {
    revision: Revision,
    config: Config,
    restarts: Vec<(i64, Restart)>,
}

pub(super) struct Connector {
    name: String,
    /// What it is, or is becoming; none before the first step.
    revision: Option<Revision>,
    /// The last restart that was seen to.
    restarted: i64,
    config: Config,
    tasks: Tasks,
    fates: Vec<Range<usize>>,
    /// It could not be started at all.
    has_failed: bool,
    progress: Progress,
    /// Topics of its configuration.
    topics: Vec<String>,
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
            restarted: -1,
            config,
            tasks: Tasks::default(),
            fates: Vec::new(),
            has_failed: false,
            progress: Progress::default(),
            topics: Vec::new(),
            told: 0,
            untold: Vec::new(),
        }
    }

    /// Whether there is something to do although nobody changed anything.
    pub(super) fn is_due(&self) -> bool {
        !self.untold.is_empty() || self.tasks.is_due()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_idle()
    }

    pub(super) fn ask_to_stop(&self) {
        self.tasks.ask_to_stop();
    }

    pub(super) fn step(&mut self, context: &Arc<Context>, generation: i64) {
        let untold = std::mem::take(&mut self.untold);
        if !untold.is_empty() && context.storage.with(|state| state.connectors.contains_key(&self.name)) {
            self.write(context, untold);
        }
        for ended in self.tasks.stopped() {
            // It was asked to stop: how it did so is of interest to the log alone.
            if let Err(stop) = ended.end() {
                tracing::warn!(connector = self.name, "stopped: {}", secrets::scrubbed(&stop.what, &self.config));
            }
        }
        // One that was asked to stop because the worker stops has not failed.
        if !context.leave.is_requested() {
            for ended in self.tasks.ended() {
                self.fail(ended.tasks.clone(), &why(ended), context, generation);
            }
        }
        self.follow(self.wanted(context), context, generation);
        for fate in self.tasks.due(&self.fates) {
            self.begin_again(fate, context, generation);
        }
    }

    fn wanted(&self, context: &Context) -> Option<Wanted> {
        context.storage.with(|state| {
            let connector = state.connectors.get(&self.name)?;
            let target = state.target(&self.name);
            let revision = Revision { config: connector.offset, target };
            let mut restarts: Vec<_> = connector.restarts.values().copied().collect();
            restarts.retain(|(offset, _)| *offset > self.restarted);
            restarts.sort_by_key(|(offset, _)| *offset);
            Some(Wanted { revision, config: connector.config.clone(), restarts })
        })
    }

    fn follow(&mut self, wanted: Option<Wanted>, context: &Arc<Context>, generation: i64) {
        let restarts = wanted.as_ref().map_or(&[][..], |wanted| &wanted.restarts);
        let is_same = wanted.as_ref().map(|wanted| wanted.revision) == self.revision;
        // A connector that could not be started has no tasks that could be restarted alone.
        if is_same && !(self.has_failed && restarts.iter().any(|(_, restart)| restart.task.is_none())) {
            for (offset, restart) in restarts {
                self.restarted = *offset;
                if self.revision.is_some_and(|revision| revision.target == Target::Started) {
                    self.tasks.restart(*restart, &self.fates);
                }
            }
            return;
        }
        self.tasks.stop();
        if self.tasks.is_stopping() {
            return;
        }
        self.revision = wanted.as_ref().map(|wanted| wanted.revision);
        if let Some(wanted) = wanted {
            self.restarted = wanted.restarts.last().map_or(self.restarted, |(offset, _)| *offset);
            self.begin(wanted, context, generation);
        }
    }

    fn begin(&mut self, wanted: Wanted, context: &Arc<Context>, generation: i64) {
        let Wanted { revision, config, .. } = wanted;
        context.board.set_failure(&self.name, None);
        (self.has_failed, self.told, self.config) = (false, 0, config);
        let worker = context.id.clone();
        let name = self.name.clone();
        let tell = Tell { name: &name, worker: &worker, generation };
        let mut records = Vec::new();
        match revision.target {
            Target::Stopped => {
                records.extend(tell.no_tasks(context));
                records.push(tell.connector(Target::Stopped.state(), None));
            }
            Target::Paused => {
                records.push(tell.connector(Target::Paused.state(), None));
                records.extend(self.configs().iter().enumerate().map(|(n, _)| tell.task(n, "PAUSED", None)));
            }
            Target::Started => match self.start(context) {
                Ok(()) => {
                    let tasks = self.configs();
                    records.extend(self.commit(&tasks, context));
                    records.push(tell.connector("RUNNING", None));
                    records.extend((0..tasks.len()).map(|number| tell.task(number, "RUNNING", None)));
                }
                Err(stop) => {
                    self.tasks.stop();
                    self.has_failed = true;
                    let trace = self.tell_failure("connector cannot be started", &stop, context);
                    records.extend(tell.no_tasks(context));
                    records.push(tell.connector(FAILED, Some(trace)));
                }
            },
        }
        self.write(context, records);
    }

    /// All tasks.
    fn start(&mut self, context: &Arc<Context>) -> Result<(), Stop> {
        let class = self.class()?;
        self.progress = context.board.progress(&self.name);
        self.topics = self.job(context)?.topics();
        self.fates = class.fates(self.configs().len());
        for fate in self.fates.clone() {
            self.start_fate(fate, context)?;
        }
        tracing::info!(connector = self.name, class = class.name(), "connector started");
        Ok(())
    }

    fn start_fate(&mut self, fate: Range<usize>, context: &Arc<Context>) -> Result<(), Stop> {
        let job = self.job(context)?;
        self.tasks.add(Running::start(&self.name, job, fate, &self.progress, context)?);
        Ok(())
    }

    fn begin_again(&mut self, fate: Range<usize>, context: &Arc<Context>, generation: i64) {
        if let Err(stop) = self.start_fate(fate.clone(), context) {
            return self.fail(fate, &stop, context, generation);
        }
        context.board.set_failure(&self.name, None);
        tracing::info!(connector = self.name, tasks = ?fate, "tasks started again");
        let tell = Tell { name: &self.name, worker: &context.id, generation };
        let records = fate.map(|number| tell.task(number, "RUNNING", None)).collect();
        self.write(context, records);
    }

    fn class(&self) -> Result<Class, Stop> {
        validate::class(&self.config).map_err(|refusal| Stop::usage(refusal.message))
    }

    fn job(&self, context: &Context) -> Result<Job, Stop> {
        self.class()?.parse(&self.config, &context.options, &context.engine)
    }

    /// The configurations of its tasks.
    fn configs(&self) -> Vec<Config> {
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

    /// These tasks ended without being asked to; the others go on.
    fn fail(&mut self, tasks: Range<usize>, stop: &Stop, context: &Context, generation: i64) {
        let trace = self.tell_failure("tasks failed", stop, context);
        self.tasks.fail(tasks.clone());
        let tell = Tell { name: &self.name, worker: &context.id, generation };
        let records = tasks.map(|number| tell.task(number, FAILED, Some(trace.clone()))).collect();
        self.write(context, own(records, context));
    }

    /// In one line, and to whoever holds the worker; gives what a status says of it.
    fn tell_failure(&self, what: &str, stop: &Stop, context: &Context) -> String {
        let stop = secrets::scrubbed_stop(stop, &self.config);
        tracing::error!(connector = self.name, hint = stop.hint, "{what}: {}", stop.what.replace('\n', "; "));
        let trace = stop.to_string();
        context.board.set_failure(&self.name, Some(stop));
        trace
    }

    /// What is not taken now is written again at the next step.
    fn write(&mut self, context: &Context, records: Vec<Record>) {
        if !write(context, &records) {
            self.untold = records;
        }
    }

    /// Waits for its end, and says that nobody runs it.
    pub(super) fn let_go(self, context: &Context, generation: i64, wait: Duration) {
        if !self.tasks.end_within(wait) {
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
        let records = self.progress.records();
        if records == self.told {
            return;
        }
        self.told = records;
        let used = self.topics.iter().filter(|topic| !topic.starts_with('^')).cloned();
        let used = used.chain(self.progress.written());
        let new: Vec<Record> = context.storage.with(|state| {
            let known = |topic: &String| state.topics.get(&self.name).is_some_and(|topics| topics.contains(topic));
            used.filter(|topic| !known(topic)).map(|topic| Record::Topic(self.name.clone(), topic, true)).collect()
        });
        if !new.is_empty() {
            write(context, &new);
        }
    }
}
