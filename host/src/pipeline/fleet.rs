//! Pipelines beside each other, each on a thread of its own, and the lines that say how far they are.
//!
//! One that fails never stops the others.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Progress, Spec};
use crate::exit::{Exit, Stop};
use crate::shutdown::Shutdown;

/// How often each pipeline says how far it is.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

struct Ship {
    name: String,
    progress: Arc<Progress>,
    thread: JoinHandle<Result<(), Stop>>,
    /// What had been read at the last report.
    reported: u64,
}

/// Runs until all have ended. The first failure is the result.
pub fn run_all(specs: Vec<Spec>, shutdown: &Shutdown) -> Result<(), Stop> {
    let begun = Instant::now();
    let mut fleet = specs.into_iter().map(|spec| launch(spec, shutdown)).collect::<Result<Vec<_>, _>>()?;
    let mut last = begun;
    while fleet.iter().any(|ship| !ship.thread.is_finished()) {
        std::thread::sleep(Duration::from_millis(20));
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
    fleet.into_iter().map(Ship::end).fold(Ok(()), Result::and)
}

fn launch(spec: Spec, shutdown: &Shutdown) -> Result<Ship, Stop> {
    let (name, shutdown) = (spec.name.clone(), shutdown.clone());
    let progress = Arc::new(Progress::default());
    let counters = progress.clone();
    let thread = std::thread::Builder::new()
        .name(format!("pipeline-{name}"))
        .spawn(move || {
            let (name, ended) = (spec.name.clone(), super::run(spec, &shutdown, &counters));
            // At once: the others may go on for days before the command ends.
            if let Err(stop) = &ended {
                tracing::error!(pipeline = name, "stopped: {}", stop.what);
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

    fn end(self) -> Result<(), Stop> {
        let panicked = || Err(Stop::new(Exit::Bug, format!("pipeline {} panicked; this is a bug", self.name)));
        self.thread.join().unwrap_or_else(|_| panicked())
    }
}
