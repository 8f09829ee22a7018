//! `--print-config`: the merged configuration, defaults filled in, as a file that `run --config` takes.
//!
//! A secret is masked; where a reference stands for it, the reference is shown. Nothing was started or contacted.

use super::state;
use crate::config::{Config, Count, Limits, Pipeline, Plugin, Size, Time};
use crate::exit::{Exit, Stop};
use crate::guest::Configured;
use crate::pipeline::Spec;

pub(super) fn print(config: Config, specs: &[Spec]) -> Result<(), Stop> {
    let text = toml::to_string(&complete(config, specs))
        .map_err(|error| Stop::new(Exit::Bug, format!("the configuration cannot be written as TOML: {error}")))?;
    print!("{text}");
    Ok(())
}

fn complete(mut config: Config, specs: &[Spec]) -> Config {
    config.state_dir = Some(state::path(&config));
    config.registry.complete();
    config.pipeline = config.pipeline.into_iter().zip(specs).map(|(pipeline, spec)| table(pipeline, spec)).collect();
    if let Some(spec) = specs.first() {
        config.kafka.brokers = Some(spec.kafka.brokers.clone());
        config.fail_fast = Some(spec.fail_fast);
    }
    // So that the file can be put anywhere.
    if let Ok(here) = std::env::current_dir() {
        config.rebase(&here);
    }
    config
}

fn table(pipeline: Pipeline, spec: &Spec) -> Pipeline {
    let members = pipeline.plugin.into_iter().zip(&spec.members);
    Pipeline {
        name: Some(spec.name.clone()),
        group: Some(spec.group.clone()),
        input: spec.inputs.clone(),
        workers: count(spec.workers),
        from: Some(spec.from),
        delivery: Some(spec.delivery),
        commit_interval: Some(Time(spec.commit_interval)),
        on_error: Some(spec.on_error),
        failures_max: count(spec.failures_max),
        dead_letter_topic: Some(spec.dead_letter_topic.clone()),
        create_topics: Some(spec.create_topics),
        until_end: Some(spec.until_end),
        plugin: members.map(|(plugin, member)| plugin_table(plugin, &member.configured)).collect(),
    }
}

fn plugin_table(plugin: Plugin, configured: &Configured) -> Plugin {
    let limits = configured.plugin().limits();
    let limits = Limits {
        memory: Some(Size(limits.memory_bytes_max)),
        cpu_per_record: Some(Time(limits.cpu_per_record)),
        output_records: Some(Count(limits.output_records_per_input_max)),
        output_bytes: Some(Size(limits.output_bytes_max)),
        accumulator_bytes: Some(Size(limits.accumulator_bytes_max)),
    };
    Plugin { limits, ..plugin }
}

fn count(number: usize) -> Option<Count> {
    u32::try_from(number).ok().map(Count)
}
