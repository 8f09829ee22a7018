//! Looks at what flows until all customers have arrived and been counted, something fails, or a signal asks.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::counts::{Counts, Follower};
use super::flow::Flow;
use super::sample::Sample;
use super::view::{Stage, View};
use super::{COUNTED, INPUT, PARTITIONS, PLUGINS, WINDOWS};
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::pipeline::Progress;
use crate::registry::Registry;
use crate::shutdown::Shutdown;

/// So long nothing may move before the demo says that something hangs; longer than a window takes to close.
const STALL_MAX: Duration = Duration::from_secs(60);
/// So many windows are shown.
const WINDOWS_SHOWN: usize = 3;

pub(super) struct Watch<'a> {
    flow: &'a Flow,
    customers: Option<u64>,
    sample: Sample,
    counted: Follower,
    view: View,
    /// It was said that only windows are waited for.
    told: bool,
}

/// How it stands.
struct Seen {
    stages: Vec<Stage>,
    notes: Vec<String>,
    /// In all windows, of earlier runs too.
    counted: u64,
    /// Seconds until the last window closes; `None`: none is open.
    closes_in: Option<i64>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(flow: &'a Flow, customers: Option<u64>, settings: &Settings, registry: &Registry) -> Watch<'a> {
        let sample = Sample::of(settings, registry, PLUGINS[0], PARTITIONS);
        let counted = Follower::of(settings, registry, COUNTED);
        Watch { flow, customers, sample, counted, view: View::new(), told: false }
    }

    pub(super) fn until_arrived(mut self, shutdown: &Shutdown) -> Result<(), Stop> {
        let (mut last, mut moved) = (Vec::new(), Instant::now());
        loop {
            let stopped = shutdown.sleep(Duration::from_millis(100));
            let Seen { mut stages, mut notes, counted, closes_in } = self.look();
            stages.extend(self.flow.connectors.sinks.stages());
            notes.extend(self.flow.connectors.sinks.notes());
            if stages != last {
                (last, moved) = (stages, Instant::now());
            }
            let arrived = self.customers.is_some_and(|total| arrived(self.flow, total, counted));
            if let (true, Some(seconds)) = (arrived, closes_in) {
                self.wait_for_windows(seconds, &mut notes);
            }
            let done = stopped || (arrived && closes_in.is_none());
            self.view.show(&last, &notes, done);
            if done {
                println!();
                return Ok(());
            }
            if self.flow.has_failed() {
                return Ok(());
            }
            if self.customers.is_some() && moved.elapsed() > STALL_MAX {
                return Err(stalled(&last));
            }
        }
    }

    fn look(&mut self) -> Seen {
        let (mut stages, mut notes) = (stages(self.flow), self.sample.newest());
        let Some(progress) = &self.flow.connectors.counted else {
            return Seen { stages, notes, counted: 0, closes_in: None };
        };
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let counts = self.counted.newest();
        let counted = counts.sum();
        stages.push(Stage {
            name: format!("counted in {COUNTED}"),
            count: counted.saturating_sub(self.flow.before),
            of: Some(Progress::get(&progress.records_in)),
        });
        notes.extend(WINDOWS.lines(counts, WINDOWS_SHOWN, now_ms));
        Seen { stages, notes, counted, closes_in: closing(counts, progress, now_ms) }
    }

    fn wait_for_windows(&mut self, seconds: i64, notes: &mut Vec<String>) {
        let text = format!("all customers are here; the last window closes in {seconds} s");
        if !self.told && !self.view.is_drawn() {
            println!("{text}");
        }
        self.told = true;
        notes.push(text);
    }
}

/// In how many seconds the last window closes: by the wall clock, and at least until its owner says so.
fn closing(counts: &Counts, progress: &Progress, now_ms: i64) -> Option<i64> {
    let left = WINDOWS.all_closed_in(counts, now_ms);
    left.or_else(|| (progress.windows_open() > 0).then_some(1))
}

fn stages(flow: &Flow) -> Vec<Stage> {
    let stage = |name: String, count, of| Stage { name, count, of };
    let plugin = |(name, progress): &(String, Arc<Progress>)| {
        let read = Progress::get(&progress.records_in);
        stage(format!("topic {name}"), Progress::get(&progress.records_out), Some(read))
    };
    let mut stages = vec![
        stage("table customers".to_owned(), flow.customers.rows.load(Relaxed), None),
        stage(format!("topic {INPUT}"), flow.connectors.source.records.load(Relaxed), None),
    ];
    stages.extend(flow.connectors.plugins.iter().map(plugin));
    stages
}

/// What this run made has been read by every plugin, and every row there ever was is counted.
fn arrived(flow: &Flow, total: u64, counted: u64) -> bool {
    let flowed = total + flow.again;
    flow.customers.rows.load(Relaxed) >= total
        && flow.connectors.source.records.load(Relaxed) >= flowed
        && flow.connectors.plugins.iter().all(|(_, progress)| Progress::get(&progress.records_in) >= flowed)
        && (flow.connectors.counted.is_none() || counted >= flow.before + total)
}

fn stalled(stages: &[Stage]) -> Stop {
    let counts: Vec<String> = stages.iter().map(|stage| format!("{} {}", stage.name, stage.count)).collect();
    Stop::new(Exit::CheckFailed, format!("nothing moved for {} s: {}", STALL_MAX.as_secs(), counts.join(", ")))
}
