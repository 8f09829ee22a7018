//! Runs batches. In the good case one call and one piece; after a failure exactly the guilty are named.

use std::ops::Range;
use std::time::Duration;

use super::bisect::bisect;
use super::load::{Configured, Live};
use super::state::State;
use super::{Batch, Failure, Limits, LoadError, Outcome, check, slice};

/// What every call may use before records count: a first call fills caches and grows memory.
const CALL: Duration = Duration::from_millis(200);
/// The same for calls that look for the guilty.
const SEARCH: Duration = Duration::from_millis(20);
const SEARCH_FACTOR: f64 = 20.0;

/// What became of a batch.
#[derive(Debug)]
pub struct Verdict {
    /// In input order.
    pub pieces: Vec<Piece>,
    pub guilty: Vec<Guilty>,
}

/// A run of records that went through together; the outcome's indexes count from `first`.
#[derive(Debug)]
pub struct Piece {
    pub first: usize,
    pub len: usize,
    pub outcome: Outcome,
}

/// A record that the plugin cannot handle.
#[derive(Debug)]
pub struct Guilty {
    pub input: usize,
    pub failure: Failure,
}

/// A plugin's instance in one worker.
pub struct Runner {
    configured: Configured,
    live: Option<Live>,
    /// Moving average of good batches; without one, the cheapest part of a search.
    ns_per_record: Option<f64>,
}

impl Runner {
    pub(super) fn new(configured: Configured) -> Result<Runner, LoadError> {
        let live = Some(configured.instance()?);
        Ok(Runner { configured, live, ns_per_record: None })
    }

    pub fn configured(&self) -> &Configured {
        &self.configured
    }

    /// Fails only if no instance can be had any more.
    pub fn run(&mut self, batch: &Batch) -> Result<Verdict, LoadError> {
        let n = batch.timestamps.len();
        if n == 0 {
            return Ok(Verdict { pieces: vec![], guilty: vec![] });
        }
        match self.call(batch, self.full(n))? {
            Ok((outcome, ns)) => {
                self.ns_per_record = Some(self.ns_per_record.map_or(ns, |average| average * 0.9 + ns * 0.1));
                Ok(Verdict { pieces: vec![Piece { first: 0, len: n, outcome }], guilty: vec![] })
            }
            Err(failure) => self.search(batch, failure),
        }
    }

    fn search(&mut self, batch: &Batch, failure: Failure) -> Result<Verdict, LoadError> {
        let found = bisect(0..batch.timestamps.len(), failure, &mut |part: Range<usize>| {
            let budget = self.quick(part.len());
            let called = self.call(&slice::batch(batch, part), budget)?;
            Ok(called.map(|(outcome, ns)| {
                // Small parts on new instances are dear, and would make the search ever more patient.
                self.ns_per_record = Some(self.ns_per_record.map_or(ns, |average| average.min(ns)));
                outcome
            }))
        })?;
        let piece = |(part, outcome): (Range<usize>, Outcome)| Piece { first: part.start, len: part.len(), outcome };
        Ok(Verdict {
            pieces: found.good.into_iter().map(piece).collect(),
            guilty: found.guilty.into_iter().map(|(input, failure)| Guilty { input, failure }).collect(),
        })
    }

    fn full(&self, n: usize) -> Duration {
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        CALL.saturating_add(self.configured.plugin().limits().cpu_per_record.saturating_mul(n))
    }

    /// Near the measured cost, so that an endless loop is found soon; a single record is never hurried.
    fn quick(&self, n: usize) -> Duration {
        match self.ns_per_record {
            Some(ns) if n > 1 => {
                let nanos = ns * SEARCH_FACTOR * n as f64;
                SEARCH.saturating_add(Duration::from_nanos(nanos as u64)).min(self.full(n))
            }
            _ => self.full(n),
        }
    }

    /// The outcome, and the nanoseconds a record took.
    fn call(&mut self, batch: &Batch, budget: Duration) -> Result<Result<(Outcome, f64), Failure>, LoadError> {
        // Taken out, so that an instance that fails is gone.
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.configured.instance()?,
        };
        live.begin(budget);
        let limits = self.configured.plugin().limits();
        let outcome = match live.guest.smt_plugin_transformer().call_transform(&mut live.store, batch) {
            Ok(outcome) => outcome,
            Err(error) => return Ok(Err(failure(&error, live.store.data(), budget, limits))),
        };
        let used = live.store.data().used();
        if let Err(failure) = check::outcome(&outcome, batch, self.configured.wiring(), limits) {
            return Ok(Err(failure));
        }
        self.live = Some(live);
        Ok(Ok((outcome, used.as_nanos() as f64 / batch.timestamps.len() as f64)))
    }
}

/// What a failed call means; the flags of the limits come first, since each of them ends in a trap.
pub(super) fn failure(error: &wasmtime::Error, state: &State, budget: Duration, limits: &Limits) -> Failure {
    if state.timed_out {
        return Failure::Time { limit: budget };
    }
    if state.memory_hit {
        return Failure::Memory { limit: limits.memory_bytes_max };
    }
    let trap =
        error.downcast_ref::<wasmtime::Trap>().map_or_else(|| error.root_cause().to_string(), ToString::to_string);
    let message = match &state.last_error {
        Some(said) => format!("{said} ({trap})"),
        None => trap,
    };
    let backtrace = error.downcast_ref::<wasmtime::WasmBacktrace>().map(ToString::to_string).unwrap_or_default();
    Failure::Trap { message, backtrace }
}
