//! Pipelines beside each other, and their reports. One that fails does not stop the others.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::exit::{Exit, Stop};
use crate::pipeline::{self, Progress, Spec};
use crate::shutdown::Shutdown;

/// How often each pipeline says how far it is.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

struct Running {
    name: String,
    progress: Arc<Progress>,
    thread: JoinHandle<Result<(), Stop>>,
}

/// Until all have ended. An only pipeline's failure is the result; of several, each is logged when it happens, for the
/// others may go on for days, and the result says how many there were.
pub fn run_all(specs: Vec<Spec>, shutdown: &Shutdown) -> Result<(), Stop> {
    let several = specs.len() > 1;
    let running = specs.into_iter().map(|spec| start(spec, several, shutdown)).collect::<Result<Vec<_>, _>>()?;
    let mut last = Instant::now();
    while running.iter().any(|pipeline| !pipeline.thread.is_finished()) {
        std::thread::sleep(Duration::from_millis(20));
        if last.elapsed() >= REPORT_INTERVAL {
            report(&running);
            last = Instant::now();
        }
    }
    report(&running);
    let count = running.len();
    let failed: Vec<(String, Stop)> = running.into_iter().filter_map(join).collect();
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let summary = format!("{} of {count} pipelines failed: {}; the log says why", names.len(), names.join(", "));
    match failed.into_iter().next() {
        None => Ok(()),
        Some((_, stop)) if several => Err(Stop::new(stop.exit, summary)),
        Some((_, stop)) => Err(stop),
    }
}

fn start(spec: Spec, several: bool, shutdown: &Shutdown) -> Result<Running, Stop> {
    let (name, shutdown) = (spec.name.clone(), shutdown.clone());
    let progress = Arc::new(Progress::default());
    let counters = progress.clone();
    let thread = std::thread::Builder::new().name(format!("pipeline-{name}")).spawn(move || {
        let (name, ended) = (spec.name.clone(), pipeline::run(spec, &shutdown, &counters));
        if let (Err(stop), true) = (&ended, several) {
            tracing::error!(pipeline = name, hint = stop.hint, "stopped: {}", stop.what);
        }
        ended
    });
    let thread = thread.map_err(|error| Stop::start(format!("no thread for pipeline {name}: {error}")))?;
    Ok(Running { name, progress, thread })
}

/// The failure, if it was one.
fn join(pipeline: Running) -> Option<(String, Stop)> {
    let Running { name, thread, .. } = pipeline;
    let bug = |_| Err(Stop::new(Exit::Bug, format!("pipeline {name} panicked; this is a bug")));
    let ended = thread.join().unwrap_or_else(bug);
    ended.err().map(|stop| (name, stop))
}

fn report(running: &[Running]) {
    for pipeline in running {
        tracing::info!(pipeline = pipeline.name, "{}", pipeline.progress.line());
    }
}
