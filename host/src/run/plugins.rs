//! Loads all plugins, and gives each the settings and outputs of the command line that it has.
//!
//! A name of the file belongs to the plugin under which it stands; one of the command line to every plugin that has
//! it. A name that no plugin has is refused before anything is contacted.

use std::collections::BTreeMap;

use super::options::Options;
use crate::config::{self, Config};
use crate::exit::Stop;
use crate::guest::{Configured, Engine, Limits, Plugin};
use crate::nearest::did_you_mean;

/// In the order of the configuration, which afterwards says of each plugin all that it is given.
pub(super) fn load(config: &mut Config, options: &Options, engine: &Engine) -> Result<Vec<Configured>, Stop> {
    let loaded = each(config).map(|plugin| Ok(Plugin::load(engine, &plugin.file, limits(&plugin.limits))?));
    let loaded = loaded.collect::<Result<Vec<_>, Stop>>()?;
    for (key, value) in &options.settings {
        let has = |plugin: &Plugin| plugin.description().settings.iter().any(|setting| setting.name == *key);
        let nobody = !loaded.iter().any(has);
        for (plugin, _) in each(config).zip(&loaded).filter(|(_, loaded)| nobody || has(loaded)) {
            plugin.settings.0.insert(key.clone(), value.clone());
        }
    }
    let configured = each(config).zip(&loaded).map(|(plugin, loaded)| {
        let settings = plugin.settings.resolve()?;
        Ok(loaded.configure(&settings)?)
    });
    let configured = configured.collect::<Result<Vec<_>, Stop>>()?;
    share_outputs(config, options, &configured)?;
    share_window(config, options, &configured)?;
    for (plugin, configured) in each(config).zip(&configured) {
        plugin.outputs = topics(&plugin.outputs, configured)?;
    }
    Ok(configured)
}

fn each(config: &mut Config) -> impl Iterator<Item = &mut config::Plugin> {
    config.pipeline.iter_mut().flat_map(|pipeline| &mut pipeline.plugin)
}

fn limits(given: &config::Limits) -> Limits {
    let default = Limits::default();
    Limits {
        memory_bytes_max: given.memory.map_or(default.memory_bytes_max, |size| size.0),
        cpu_per_record: given.cpu_per_record.map_or(default.cpu_per_record, |time| time.0),
        output_records_per_input_max: given.output_records.map_or(default.output_records_per_input_max, u32::from),
        output_bytes_max: given.output_bytes.map_or(default.output_bytes_max, |size| size.0),
        accumulator_bytes_max: given.accumulator_bytes.map_or(default.accumulator_bytes_max, |size| size.0),
    }
}

fn share_outputs(config: &mut Config, options: &Options, configured: &[Configured]) -> Result<(), Stop> {
    for output in &options.outputs {
        let name = match (&output.name, configured) {
            (Some(name), _) => name.clone(),
            (None, [only]) => only.wiring().outputs[0].name.clone(),
            (None, _) => {
                let what = format!("--output {} does not say which output of several plugins goes there", output.topic);
                return Err(Stop::usage(what).hint(format!("name it: --output NAME={}", output.topic)));
            }
        };
        let nobody = !configured.iter().any(|configured| has(configured, &name));
        for (plugin, _) in each(config).zip(configured).filter(|(_, configured)| nobody || has(configured, &name)) {
            plugin.outputs.insert(name.clone(), output.topic.clone());
        }
    }
    Ok(())
}

/// Options for windows go to the plugins that have some.
fn share_window(config: &mut Config, options: &Options, configured: &[Configured]) -> Result<(), Stop> {
    let nobody = !configured.iter().any(Configured::aggregates);
    for (plugin, configured) in each(config).zip(configured) {
        if nobody || configured.aggregates() {
            plugin.window.override_by(&options.window);
        }
        if !plugin.window.is_empty() && !configured.aggregates() {
            let name = &configured.plugin().description().name;
            return Err(Stop::usage(format!(
                "plugin {name} does not aggregate, so there are no windows to set for it"
            ))
            .hint("leave grace, retention, idle timeout, late, emit and keys-max away for it"));
        }
    }
    Ok(())
}

fn has(configured: &Configured, output: &str) -> bool {
    configured.wiring().outputs.iter().any(|declared| declared.name == output)
}

/// The topic of every output: the one chosen, else the plugin's own.
fn topics(chosen: &BTreeMap<String, String>, configured: &Configured) -> Result<BTreeMap<String, String>, Stop> {
    let outputs = &configured.wiring().outputs;
    if let Some((wrong, topic)) = chosen.iter().find(|(name, _)| !has(configured, name)) {
        let known: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        let plugin = &configured.plugin().description().name;
        let near = did_you_mean(wrong, known.iter().copied());
        return Err(Stop::usage(format!("plugin {plugin} has no output {wrong:?} to send to topic {topic}{near}"))
            .hint(format!("its outputs: {}", known.join(", "))));
    }
    let topic = |name: &String, own: &String| chosen.get(name).unwrap_or(own).clone();
    Ok(outputs.iter().map(|output| (output.name.clone(), topic(&output.name, &output.topic))).collect())
}
