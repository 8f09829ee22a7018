//! Pipelines beside each other, each on a thread of its own, and the lines that say how far they are.
//!
//! One that fails never stops the others.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Progress, Spec};
use crate::exit::{Exit, Stop};
use crate::shutdown::Shutdown;

/// What has not ended so long after it was asked to is left behind: a request that librdkafka does not give back. What
/// its transaction holds is undone by whoever comes next with its id.
const LEAVE_AFTER: Duration = Duration::from_millis(4500);
/// How often each pipeline says how far it is.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

struct Ship {
    name: String,
    progress: Arc<Progress>,
    thread: JoinHandle<Result<(), Stop>>,
    /// What had been read at the last report.
    reported: u64,
}

/// Runs until all have ended. A lone pipeline's failure is the result; of several, each is logged when it happens, for
/// the others may go on for days, and the result only counts them.
pub fn run_all(specs: Vec<Spec>, shutdown: &Shutdown) -> Result<(), Stop> {
    let begun = Instant::now();
    let alone = specs.len() == 1;
    let mut fleet = specs.into_iter().map(|spec| launch(spec, alone, shutdown)).collect::<Result<Vec<_>, _>>()?;
    let mut last = begun;
    let mut asked: Option<Instant> = None;
    while fleet.iter().any(|ship| !ship.thread.is_finished()) {
        std::thread::sleep(Duration::from_millis(20));
        if shutdown.is_requested() && asked.get_or_insert_with(Instant::now).elapsed() > LEAVE_AFTER {
            break;
        }
        if last.elapsed() >= REPORT_INTERVAL {
            for ship in &mut fleet {
                ship.report(last.elapsed());
            }
            last = Instant::now();
        }
    }
    for ship in &mut fleet {
        // Over the whole run.
        ship.reported = 0;
        ship.report(begun.elapsed());
    }
    let count = fleet.len();
    let mut failed: Vec<(String, Stop)> = fleet.into_iter().filter_map(Ship::end).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let summary = format!("{} of {count} pipelines failed: {}; the log says why", names.len(), names.join(", "));
    let (_, first) = failed.swap_remove(0);
    Err(if alone { first } else { Stop::new(first.exit, summary) })
}

fn launch(spec: Spec, alone: bool, shutdown: &Shutdown) -> Result<Ship, Stop> {
    let (name, shutdown) = (spec.name.clone(), shutdown.clone());
    let progress = Arc::new(Progress::default());
    let counters = progress.clone();
    let thread = std::thread::Builder::new()
        .name(format!("pipeline-{name}"))
        .spawn(move || {
            let (name, ended) = (spec.name.clone(), super::run(spec, &shutdown, &counters));
            if let (Err(stop), false) = (&ended, alone) {
                tracing::error!(pipeline = name, hint = stop.hint, "stopped: {}", stop.what);
            }
            ended
        })
        .map_err(|error| Stop::start(format!("no thread for pipeline {name}: {error}")))?;
    Ok(Ship { name, progress, thread, reported: 0 })
}

impl Ship {
    fn report(&mut self, since: Duration) {
        let read = Progress::get(&self.progress.records_in);
        let rate = (read - self.reported) as f64 / since.as_secs_f64().max(0.001);
        self.reported = read;
        tracing::info!(pipeline = self.name, "{} · {rate:.0} records/s", self.progress.line());
    }

    /// Why it failed, if it did.
    fn end(self) -> Option<(String, Stop)> {
        if !self.thread.is_finished() {
            tracing::warn!(
                pipeline = self.name,
                "left while Kafka does not answer: what is not committed is read again"
            );
            return None;
        }
        let panicked = |_| Err(Stop::new(Exit::Bug, format!("pipeline {} panicked; this is a bug", self.name)));
        let ended = self.thread.join().unwrap_or_else(panicked);
        ended.err().map(|stop| (self.name, stop))
    }
}
