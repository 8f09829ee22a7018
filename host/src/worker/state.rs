//! What the config and the status topic say, folded record by record. Every worker that has read the same records
//! knows the same.

use std::collections::{BTreeMap, BTreeSet};

use super::records::{Config, Record, Restart, Status, Target};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) connectors: BTreeMap<String, Connector>,
    /// Also of connectors that are to come: a target may be written before them.
    targets: BTreeMap<String, Target>,
    tasks: BTreeMap<String, BTreeMap<u32, Config>>,
    commits: BTreeMap<String, u32>,
    pub(super) statuses: BTreeMap<String, Status>,
    pub(super) task_statuses: BTreeMap<String, BTreeMap<u32, Status>>,
    pub(super) topics: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) config: Config,
    /// Where the configuration stands in its topic: another one, another offset.
    pub(super) offset: i64,
    /// Where the last restart of each task stands, and of no one task alone.
    pub(super) restarts: BTreeMap<Option<u32>, (i64, Restart)>,
}

impl State {
    /// `offset` is the record's place in its topic.
    pub(super) fn apply(&mut self, offset: i64, record: Record) {
        match record {
            Record::Connector(name, Some(config)) => {
                let restarts = self.connectors.remove(&name).map(|connector| connector.restarts).unwrap_or_default();
                self.connectors.insert(name, Connector { config, offset, restarts });
            }
            Record::Connector(name, None) => {
                self.connectors.remove(&name);
                self.tasks.remove(&name);
                self.commits.remove(&name);
            }
            Record::Target(name, target) => set(&mut self.targets, name, target),
            Record::Task(name, number, config) => set(self.tasks.entry(name).or_default(), number, config),
            Record::Commit(name, tasks) => {
                self.commits.insert(name, tasks);
            }
            Record::Restart(name, restart) => {
                if let Some(connector) = self.connectors.get_mut(&name) {
                    connector.restarts.insert(restart.task, (offset, restart));
                }
            }
            Record::ConnectorStatus(name, status) => set(&mut self.statuses, name, status),
            Record::TaskStatus(name, number, status) => {
                set(self.task_statuses.entry(name).or_default(), number, status);
            }
            Record::Topic(name, topic, true) => {
                self.topics.entry(name).or_default().insert(topic);
            }
            Record::Topic(name, topic, false) => {
                self.topics.entry(name).or_default().remove(&topic);
            }
        }
    }

    pub(super) fn target(&self, name: &str) -> Target {
        self.targets.get(name).copied().unwrap_or_default()
    }

    /// Those that were committed.
    pub(super) fn tasks(&self, name: &str) -> Vec<&Config> {
        let count = if self.connectors.contains_key(name) { self.commits.get(name).copied().unwrap_or(0) } else { 0 };
        let tasks = self.tasks.get(name).into_iter().flatten();
        tasks.filter(|(number, _)| **number < count).map(|(_, config)| config).collect()
    }

    /// None where there never were any.
    pub(super) fn task_statuses(&self, name: &str) -> impl Iterator<Item = (u32, &Status)> {
        self.task_statuses.get(name).into_iter().flatten().map(|(number, status)| (*number, status))
    }
}

pub(super) const FAILED: &str = "FAILED";

fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connector(name: &str) -> Record {
        Record::Connector(name.into(), Some(Config::from_iter([("name".to_owned(), json!(name))])))
    }

    #[test]
    fn tasks_count_once_they_are_committed_and_a_connector_that_comes_again_has_none() {
        let mut state = State::default();
        let task = |number| Record::Task("a".into(), number, Some(Config::new()));
        for (offset, record) in [connector("a"), task(0), task(1)].into_iter().enumerate() {
            state.apply(offset as i64, record);
        }
        assert_eq!(state.tasks("a").len(), 0);
        state.apply(3, Record::Commit("a".into(), 1));
        assert_eq!(state.tasks("a").len(), 1);
        state.apply(4, Record::Connector("a".into(), None));
        state.apply(5, connector("a"));
        assert_eq!(state.tasks("a").len(), 0);
    }

    #[test]
    fn a_target_that_stands_before_its_connector_counts() {
        let mut state = State::default();
        state.apply(0, Record::Target("a".into(), Some(Target::Stopped)));
        state.apply(1, connector("a"));
        assert_eq!((state.target("a"), state.target("b")), (Target::Stopped, Target::Started));
    }
}
