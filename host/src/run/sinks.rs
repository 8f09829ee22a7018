//! The sinks of a configuration, beside its pipelines. One that fails never stops the others.

use std::collections::BTreeSet;

use super::build;
use crate::config::Config;
use crate::exit::{Exit, Stop};
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use crate::sink::{Connector, Progress, run_connector};

/// All connector files, read and checked.
pub(super) fn connectors(config: &Config) -> Result<Vec<Connector>, Stop> {
    let mut names = BTreeSet::new();
    let load = |sink: &crate::config::Sink| {
        let connector = Connector::load(&sink.config, &sink.set.resolve()?)?;
        if !names.insert(connector.name.clone()) {
            return Err(Stop::usage(format!("two sinks have the name {:?}", connector.name))
                .hint("their consumer group is named after it: give one of them another, set = { name = \"…\" }"));
        }
        Ok(connector)
    };
    config.sink.iter().map(load).collect()
}

/// Runs the sinks until they fail or stopping is asked for, and the pipelines meanwhile.
pub(super) fn run_beside(
    connectors: &[Connector],
    config: &Config,
    shutdown: &Shutdown,
    pipelines: impl FnOnce() -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (kafka, registry) = (build::kafka(config)?, Registry::new(config.registry.resolve()?));
    let fail_fast = config.fail_fast.unwrap_or(false);
    let run = |connector: &Connector| {
        connector.say_what_is_ignored();
        let ended = run_connector(connector, &kafka, &registry, fail_fast, shutdown, &Progress::default());
        if let Err(stop) = &ended {
            tracing::error!(connector = connector.name, hint = stop.hint, "stopped: {}", stop.what);
        }
        ended
    };
    std::thread::scope(|scope| {
        let sinks: Vec<_> = connectors.iter().map(|connector| scope.spawn(|| run(connector))).collect();
        let ended = pipelines();
        let panicked = |_| Err(Stop::new(Exit::Bug, "a sink panicked; this is a bug"));
        let sinks: Vec<_> = sinks.into_iter().map(|sink| sink.join().unwrap_or_else(panicked)).collect();
        ended.and(sinks.into_iter().collect())
    })
}
