//! Statuses of one connector, in the name of one worker.

use super::Context;
use super::class::VERSION;
use super::records::{Record, Status};

/// Who says what about which connector.
pub(super) struct Tell<'a> {
    pub(super) name: &'a str,
    pub(super) worker: &'a str,
    pub(super) generation: i64,
}

impl Tell<'_> {
    fn status(&self, state: &str, trace: Option<String>) -> Option<Status> {
        let (worker, version) = (self.worker.to_owned(), Some(VERSION.to_owned()));
        Some(Status { state: state.to_owned(), trace, worker, generation: self.generation, version })
    }

    pub(super) fn connector(&self, state: &str, trace: Option<String>) -> Record {
        Record::ConnectorStatus(self.name.to_owned(), self.status(state, trace))
    }

    pub(super) fn task(&self, number: usize, state: &str, trace: Option<String>) -> Record {
        Record::TaskStatus(self.name.to_owned(), number as u32, self.status(state, trace))
    }

    pub(super) fn no_tasks(&self, context: &Context) -> Vec<Record> {
        let tasks: Vec<u32> =
            context.storage.with(|state| state.task_statuses(self.name).map(|(number, _)| number).collect());
        tasks.into_iter().map(|number| Record::TaskStatus(self.name.to_owned(), number, None)).collect()
    }
}

/// Those whose status is still this worker's.
pub(super) fn own(records: Vec<Record>, context: &Context) -> Vec<Record> {
    context.storage.with(|state| {
        let is_own = |status: Option<&Status>| status.is_some_and(|status| status.worker == context.id);
        let keep = |record: &Record| match record {
            Record::ConnectorStatus(name, _) => is_own(state.statuses.get(name)),
            Record::TaskStatus(name, number, _) => {
                is_own(state.task_statuses(name).find(|(found, _)| found == number).map(|(_, status)| status))
            }
            _ => true,
        };
        records.into_iter().filter(keep).collect()
    })
}

/// Whether Kafka took them.
pub(super) fn write(context: &Context, records: &[Record]) -> bool {
    let written = context.storage.write(records);
    if let Err(stop) = &written {
        tracing::warn!("statuses could not be written: {}", stop.what);
    }
    written.is_ok()
}
