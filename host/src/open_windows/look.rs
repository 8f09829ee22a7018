//! Looks into Kafka again and again: changelogs are read once, and on from there.

use std::time::Duration;

use rdkafka::message::{BorrowedMessage, Message};

use super::report::{self, Input, Report};
use crate::exit::Stop;
use crate::kafka::Settings;
use crate::kafka::reading::Reading;
use crate::kafka::standing::{Offsets, Standing};
use crate::pipeline::aggregate::{stamped_beside_input, stamped_windows};
use crate::state::{self, Kept};
use crate::window::{Emit, Error, Limits, Metadata, OpenWindow, Owner, SourcePartition, Store, Windows};

/// Nothing is written, so nothing is limited.
const LIMITS: Limits = Limits { keys_max: u64::MAX, accumulator_bytes_max: usize::MAX, overlay_bytes_max: usize::MAX };

/// So long without a record, a changelog is taken as read to its end.
pub(crate) const MOMENT: Duration = Duration::from_millis(100);

pub(crate) struct Look {
    standing: Standing,
    group: String,
    watched: Vec<Watched>,
}

/// A plugin, and a copy of its state.
struct Watched {
    kept: Kept,
    changelog: Reading,
    /// By partition; taken out while an owner looks at it.
    stores: Vec<Option<Store>>,
}

impl Look {
    pub(crate) fn open(kafka: &Settings, group: &str, plugins: &[String]) -> Result<Look, Stop> {
        let standing = Standing::of(kafka, group)?;
        let topics = standing.topics()?;
        let mut kept = state::find(group, plugins, &topics, &standing.committed(&topics)?)?;
        kept.retain(|kept| plugins.is_empty() || plugins.contains(&kept.plugin));
        if kept.is_empty() {
            return Err(Stop::start(format!("no plugin of group {group} keeps windows"))
                .hint("check --pipeline or --group; windows are seen from a pipeline's first commit on"));
        }
        let watched = kept.into_iter().map(|kept| Watched::read(kafka, kept));
        Ok(Look { watched: watched.collect::<Result<_, _>>()?, standing, group: group.to_owned() })
    }

    /// How many are open, over all plugins.
    pub(crate) fn open_windows(&mut self) -> Result<usize, Stop> {
        Ok(self.report()?.plugins.iter().map(|plugin| plugin.open.len()).sum())
    }

    pub(super) fn report(&mut self) -> Result<Report, Stop> {
        let topics = self.standing.topics()?;
        let offsets = self.standing.committed(&topics)?;
        let inputs = offsets.keys().map(|(topic, _)| topic);
        let inputs = inputs.filter(|topic| state::plugin_of(&self.group, topic).is_none());
        let mut sources: Vec<SourcePartition> = inputs
            .flat_map(|topic| (0..topics[topic]).map(|partition| SourcePartition::new(topic.as_str(), partition)))
            .collect();
        sources.sort();
        sources.dedup();
        let mut plugins = Vec::new();
        for watched in &mut self.watched {
            let (windows, partitioned) = windows(&watched.kept, &offsets);
            let inputs = progress(&watched.kept.plugin, &sources, &offsets)?;
            let open = watched.look(windows, partitioned, &sources)?;
            plugins.push(report::Plugin {
                name: watched.kept.plugin.clone(),
                windows,
                open: report::merged(open, &inputs),
                inputs,
            });
        }
        Ok(Report { group: self.group.clone(), plugins })
    }
}

/// What the owners have written down beside their offsets, and whether those are the input's.
fn windows(kept: &Kept, offsets: &Offsets) -> (Option<Windows>, bool) {
    let mut beside = offsets.values();
    match beside.find_map(|committed| stamped_beside_input(&committed.metadata, &kept.plugin)) {
        Some(windows) => (windows, true),
        None => (repartitioned(kept, offsets), false),
    }
}

fn repartitioned(kept: &Kept, offsets: &Offsets) -> Option<Windows> {
    let topic = kept.repartition.as_deref()?;
    let beside = offsets.iter().filter(|((name, _), _)| name == topic).map(|(_, committed)| &committed.metadata);
    beside.filter(|metadata| !metadata.is_empty()).find_map(|metadata| stamped_windows(metadata))
}

/// How far the plugin is in each input partition.
fn progress(plugin: &str, sources: &[SourcePartition], offsets: &Offsets) -> Result<Vec<Input>, Stop> {
    let one = |source: &SourcePartition| {
        let at = offsets.get(&(source.topic.to_string(), source.partition));
        let metadata = Metadata::decode(at.map_or("", |at| &at.metadata)).map_err(|why| {
            Stop::start(format!("{source}: {why}")).hint("another program, or a newer smt-host, commits in this group")
        })?;
        Ok(Input { source: source.clone(), progress: metadata.plugins.get(plugin).copied().unwrap_or_default() })
    };
    sources.iter().map(one).collect()
}

impl Watched {
    fn read(kafka: &Settings, kept: Kept) -> Result<Watched, Stop> {
        let changelog = Reading::open(kafka, &kept.changelog)?;
        let mut stores: Vec<Option<Store>> = (0..changelog.partitions()).map(|_| Some(Store::memory())).collect();
        changelog.to_end(|record| restore(&mut stores, record))?;
        Ok(Watched { kept, changelog, stores })
    }

    /// Every partition's open windows.
    fn look(
        &mut self,
        windows: Option<Windows>,
        partitioned: bool,
        sources: &[SourcePartition],
    ) -> Result<Vec<OpenWindow>, Stop> {
        let stores = &mut self.stores;
        self.changelog.further(MOMENT, |record| restore(stores, record))?;
        let mut open = Vec::new();
        for (partition, place) in (0..).zip(&mut self.stores) {
            let Some(store) = place.take() else { continue };
            let heard = sources.iter().filter(|source| !partitioned || source.partition == partition).cloned();
            let owner = Owner::open(&self.kept.plugin, windows, Emit::Changes, LIMITS, heard, store);
            let owner = owner.map_err(unreadable)?;
            open.extend(owner.why_open());
            *place = Some(owner.into_store());
        }
        Ok(open)
    }
}

fn restore(stores: &mut [Option<Store>], record: &BorrowedMessage<'_>) {
    let store = usize::try_from(record.partition()).ok().and_then(|partition| stores.get_mut(partition)?.as_mut());
    if let (Some(store), Some(key)) = (store, record.key()) {
        // In memory it cannot fail.
        store.restore(key.to_vec(), record.payload().map(<[u8]>::to_vec)).ok();
    }
}

fn unreadable(error: Error) -> Stop {
    Stop::start(error.to_string()).hint("was the changelog written by a newer smt-host, or by another program?")
}
