//! Signals and the token that asks everything to stop.
//!
//! The first SIGTERM or SIGINT asks; the second exits at once with code 130. The token never stops anything itself:
//! each loop looks at it at its own safe points.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Cheap to clone; all clones are one token.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    requested: Arc<AtomicBool>,
    parent: Option<Arc<Shutdown>>,
}

impl Shutdown {
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// A token that stops with this one, and may be asked to stop alone.
    pub fn child(&self) -> Shutdown {
        Shutdown { requested: Arc::default(), parent: Some(Arc::new(self.clone())) }
    }

    pub fn request(&self) {
        self.requested.store(true, Ordering::Release);
    }

    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Acquire) || self.parent.as_ref().is_some_and(|parent| parent.is_requested())
    }

    /// Sleeps for `duration`, or less if stopping is asked for. True: stop.
    pub fn sleep(&self, duration: Duration) -> bool {
        let end = Instant::now() + duration;
        while !self.is_requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(Duration::from_millis(20)));
        }
        true
    }

    /// The same for asynchronous code.
    pub async fn sleep_async(&self, duration: Duration) -> bool {
        let end = Instant::now() + duration;
        while !self.is_requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            tokio::time::sleep(left.min(Duration::from_millis(20))).await;
        }
        true
    }

    /// Starts listening for SIGTERM and SIGINT on a thread of its own, for the rest of the process.
    pub fn on_signals(&self) -> std::io::Result<()> {
        let token = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(token.listen()))?;
        Ok(())
    }

    async fn listen(self) {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            return;
        };
        loop {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            if self.is_requested() {
                std::process::exit(130);
            }
            self.request();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_stops_with_its_parent_but_not_the_other_way_round() {
        let parent = Shutdown::new();
        let (one, other) = (parent.child(), parent.child());
        one.request();
        assert_eq!([one.is_requested(), other.is_requested(), parent.is_requested()], [true, false, false]);
        parent.request();
        assert!(other.is_requested());
    }
}
