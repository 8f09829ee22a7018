//! The tasks of one connector: which are at work, which are about to stop, which failed, and which are to begin again.
//!
//! Tasks of one fate are always started and stopped together. Writes no statuses.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::records::Restart;
use super::running::Running;
use crate::exit::Stop;

#[derive(Default)]
pub(super) struct Tasks {
    running: Vec<Running>,
    /// Asked to stop, and not done yet.
    stopping: Vec<Running>,
    failed: BTreeSet<usize>,
    /// Where one of a fate is to begin, all of it do.
    again: BTreeSet<usize>,
}

impl Tasks {
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.stopping.is_empty()
    }

    pub(super) fn is_stopping(&self) -> bool {
        !self.stopping.is_empty()
    }

    /// Whether there is something to do although nobody changed anything.
    pub(super) fn is_due(&self) -> bool {
        self.is_stopping() || !self.again.is_empty() || self.running.iter().any(Running::has_ended)
    }

    pub(super) fn ask_to_stop(&self) {
        self.running.iter().chain(&self.stopping).for_each(Running::ask_to_stop);
    }

    pub(super) fn add(&mut self, running: Running) {
        self.failed.retain(|task| !running.tasks.contains(task));
        self.running.push(running);
    }

    pub(super) fn fail(&mut self, tasks: Range<usize>) {
        self.failed.extend(tasks);
    }

    /// Those that were asked to stop, and have.
    pub(super) fn stopped(&mut self) -> Vec<Running> {
        self.stopping.extract_if(.., |running| running.has_ended()).collect()
    }

    /// Those that ended by themselves.
    pub(super) fn ended(&mut self) -> Vec<Running> {
        self.running.extract_if(.., |running| running.has_ended()).collect()
    }

    /// All of them, for good.
    pub(super) fn stop(&mut self) {
        self.again.clear();
        self.failed.clear();
        self.stopping.append(&mut self.running);
        self.ask_to_stop();
    }

    /// Stops those that a restart is about; `due` tells when they can begin.
    pub(super) fn restart(&mut self, restart: Restart, fates: &[Range<usize>]) {
        for fate in fates {
            let is_meant = |task: usize| {
                restart.include_tasks
                    && (!restart.only_failed || self.failed.contains(&task))
                    && restart.task.is_none_or(|only| only as usize == task)
            };
            if fate.clone().any(is_meant) {
                self.again.extend(fate.clone());
                let fate = self.running.extract_if(.., |running| running.tasks == *fate);
                self.stopping.extend(fate.inspect(Running::ask_to_stop));
            }
        }
    }

    /// Fates that are to begin again, and whose tasks have stopped.
    pub(super) fn due(&mut self, fates: &[Range<usize>]) -> Vec<Range<usize>> {
        let stops = |fate: &Range<usize>| self.stopping.iter().any(|running| running.tasks == *fate);
        let is_due = |fate: &&Range<usize>| self.again.contains(&fate.start) && !stops(fate);
        let due: Vec<Range<usize>> = fates.iter().filter(is_due).cloned().collect();
        self.again.retain(|task| !due.iter().any(|fate| fate.contains(task)));
        due
    }

    /// Waits for the ends of all. False: something is still at work.
    pub(super) fn end_within(self, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        let mut all = self.running.into_iter().chain(self.stopping);
        all.all(|running| running.ends_within(end.saturating_duration_since(Instant::now())))
    }
}

/// What one that was not asked to end says about it.
pub(super) fn why(ended: Running) -> Stop {
    ended.end().err().unwrap_or_else(|| Stop::start("the connector ended by itself"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first tasks of the fates that begin again, after a restart.
    fn again(tasks: &mut Tasks, fates: &[Range<usize>], restart: Restart) -> Vec<usize> {
        tasks.restart(restart, fates);
        let due = tasks.due(fates).into_iter().map(|fate| fate.start).collect();
        assert!(tasks.due(fates).is_empty(), "once only");
        due
    }

    #[test]
    fn a_restart_is_of_all_tasks_of_the_failed_or_of_one() {
        let check = |include_tasks, only_failed, task, expected: &[usize]| {
            let mut tasks = Tasks::default();
            tasks.fail(1..2);
            let restart = Restart { include_tasks, only_failed, task };
            assert_eq!(again(&mut tasks, &[0..1, 1..2], restart), expected, "{restart:?}");
        };
        check(false, false, None, &[]);
        check(false, true, None, &[]);
        check(true, false, None, &[0, 1]);
        check(true, true, None, &[1]);
        check(true, false, Some(0), &[0]);
        check(true, false, Some(2), &[]);
    }

    #[test]
    fn tasks_of_one_fate_begin_together() {
        let restart = Restart { include_tasks: true, only_failed: false, task: Some(1) };
        assert_eq!(again(&mut Tasks::default(), &[0..3, 3..4], restart), [0]);
    }
}
