//! Tasks of one fate at work, on a thread of their own.

use std::ops::Range;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Context;
use super::class::{Job, Progress};
use crate::exit::{Exit, Stop};
use crate::shutdown::Shutdown;

pub(super) struct Running {
    pub(super) tasks: Range<usize>,
    shutdown: Shutdown,
    thread: JoinHandle<Result<(), Stop>>,
}

impl Running {
    pub(super) fn start(
        name: &str,
        job: Job,
        tasks: Range<usize>,
        progress: &Progress,
        context: &Arc<Context>,
    ) -> Result<Running, Stop> {
        let shutdown = context.leave.child();
        let (context, stop, told, numbers) = (context.clone(), shutdown.clone(), progress.clone(), tasks.clone());
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || job.run(numbers, &context.options, &stop, &told))
            .map_err(|error| Stop::start(format!("no thread for connector {name}: {error}")))?;
        Ok(Running { tasks, shutdown, thread })
    }

    pub(super) fn ask_to_stop(&self) {
        self.shutdown.request();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end, for so long. False: it is still at work.
    pub(super) fn ends_within(&self, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        while !self.has_ended() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.has_ended()
    }

    /// How it ended.
    pub(super) fn end(self) -> Result<(), Stop> {
        let panicked = |_| Err(Stop::new(Exit::Bug, "the connector panicked; this is a bug"));
        self.thread.join().unwrap_or_else(panicked)
    }
}
