//! Failures on purpose, for tests of clients: asked for by code in this process, never over the network.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 503 `SlowDown`; nothing is done.
    SlowDown,
    /// 500 `InternalError`; nothing is done.
    InternalError,
    /// Done after a while.
    Slow(Duration),
    /// The connection is reset; nothing is done.
    Reset,
    /// Done, and then the connection is reset instead of an answer.
    LoseReply,
}

/// Faults that wait for their requests. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    requests: HashMap<String, usize>,
}

#[derive(Debug)]
struct Waiting {
    operation: String,
    passes: usize,
    count: usize,
    fault: Fault,
}

impl Faults {
    /// The next `count` requests of `operation` (S3's name of it, such as `PutObject`) meet this fault.
    pub fn next(&self, operation: &str, count: usize, fault: Fault) {
        self.after(operation, 0, count, fault);
    }

    /// As `next`, once `passes` requests of the operation have passed.
    pub fn after(&self, operation: &str, passes: usize, count: usize, fault: Fault) {
        self.state().waiting.push(Waiting { operation: operation.to_owned(), passes, count, fault });
    }

    /// Forgets the faults that still wait.
    pub fn clear(&self) {
        self.state().waiting.clear();
    }

    /// How many faults still wait for their requests.
    pub fn waiting(&self) -> usize {
        self.state().waiting.iter().map(|waiting| waiting.count).sum()
    }

    /// How many well signed requests of an operation have come, those that failed on purpose too.
    pub fn requests(&self, operation: &str) -> usize {
        self.state().requests.get(operation).copied().unwrap_or(0)
    }

    /// Counts a request and says what it meets.
    pub(super) fn meet(&self, operation: &str) -> Option<Fault> {
        let mut state = self.state();
        *state.requests.entry(operation.to_owned()).or_default() += 1;
        let at = state.waiting.iter().position(|waiting| waiting.operation == operation)?;
        let waiting = &mut state.waiting[at];
        if waiting.passes > 0 {
            waiting.passes -= 1;
            return None;
        }
        let fault = waiting.fault;
        waiting.count = waiting.count.saturating_sub(1);
        if waiting.count == 0 {
            state.waiting.remove(at);
        }
        Some(fault)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_met_by_so_many_requests_of_its_operation_and_no_other() {
        let faults = Faults::default();
        faults.next("PutObject", 2, Fault::SlowDown);
        faults.after("GetObject", 1, 1, Fault::Reset);
        assert_eq!(faults.waiting(), 3);
        let met = ["PutObject", "GetObject", "HeadObject", "PutObject", "PutObject", "GetObject", "GetObject"];
        let met = met.map(|operation| faults.meet(operation));
        let [slow, reset] = [Some(Fault::SlowDown), Some(Fault::Reset)];
        assert_eq!(met, [slow, None, None, slow, None, reset, None]);
        assert_eq!((faults.waiting(), faults.requests("PutObject"), faults.requests("CopyObject")), (0, 3, 0));
    }
}
