//! One instance in one worker: every call has a deadline, a failure costs the instance and is bisected until the
//! guilty rows are known. It never knows what the rows are.

use std::ops::Range;
use std::time::Duration;

use super::bisect::{Found, bisect};
use super::code::Live;
use super::load::Configured;
use super::state::State;
use super::{Failure, Limits, LoadError};

/// What every call may use before records count: a first call fills caches and grows memory.
const CALL: Duration = Duration::from_millis(200);
/// The same for calls that look for the guilty.
const SEARCH: Duration = Duration::from_millis(20);
const SEARCH_FACTOR: f64 = 20.0;

/// A trap, or what became of the checks of the answer.
pub(super) type Answer<T> = wasmtime::Result<Result<T, Failure>>;

pub(super) struct Instance {
    pub(super) configured: Configured,
    live: Option<Live>,
}

/// What a row costs in one of the plugin's functions.
#[derive(Default)]
pub(super) struct Pace {
    /// Moving average of good batches; without one, the cheapest part of a search.
    ns_per_row: Option<f64>,
}

impl Instance {
    pub(super) fn new(configured: Configured) -> Result<Instance, LoadError> {
        let live = Some(configured.instance()?);
        Ok(Instance { configured, live })
    }

    /// In the good case one call for all `rows`. After a failure, parts are called until `guilty_max` rows are found
    /// guilty or all is known. Fails only if no instance can be had any more.
    pub(super) fn run<T>(
        &mut self,
        pace: &mut Pace,
        rows: usize,
        guilty_max: usize,
        call: &dyn Fn(&mut Live, Range<usize>) -> Answer<T>,
    ) -> Result<Found<T>, LoadError> {
        if rows == 0 {
            return Ok(Found::default());
        }
        match self.call(0..rows, self.full(rows), call)? {
            Ok((answer, ns)) => {
                pace.ns_per_row = Some(pace.ns_per_row.map_or(ns, |average| average * 0.9 + ns * 0.1));
                Ok(Found { good: vec![(0..rows, answer)], guilty: vec![] })
            }
            Err(failure) => bisect(0..rows, failure, guilty_max, &mut |part| {
                let budget = self.quick(pace, part.len());
                let called = self.call(part, budget, call)?;
                Ok(called.map(|(answer, ns)| {
                    // Small parts on new instances are dear, and would make the search ever more patient.
                    pace.ns_per_row = Some(pace.ns_per_row.map_or(ns, |average| average.min(ns)));
                    answer
                }))
            }),
        }
    }

    fn full(&self, rows: usize) -> Duration {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        CALL.saturating_add(self.limits().cpu_per_record.saturating_mul(rows))
    }

    /// Near the measured cost, so that an endless loop is found soon; a single row is never hurried.
    fn quick(&self, pace: &Pace, rows: usize) -> Duration {
        match pace.ns_per_row {
            Some(ns) if rows > 1 => {
                let nanos = ns * SEARCH_FACTOR * rows as f64;
                SEARCH.saturating_add(Duration::from_nanos(nanos as u64)).min(self.full(rows))
            }
            _ => self.full(rows),
        }
    }

    /// The answer, and the nanoseconds a row took.
    fn call<T>(
        &mut self,
        part: Range<usize>,
        budget: Duration,
        call: &dyn Fn(&mut Live, Range<usize>) -> Answer<T>,
    ) -> Result<Result<(T, f64), Failure>, LoadError> {
        // Taken out, so that an instance that fails is gone.
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.configured.instance()?,
        };
        live.begin(budget);
        let rows = part.len();
        match call(&mut live, part) {
            Ok(Ok(answer)) => {
                let used = live.store.data().used();
                self.live = Some(live);
                Ok(Ok((answer, used.as_nanos() as f64 / rows as f64)))
            }
            Ok(Err(failure)) => Ok(Err(failure)),
            Err(error) => Ok(Err(failure(&error, live.store.data(), budget, self.limits()))),
        }
    }

    fn limits(&self) -> &Limits {
        self.configured.plugin().limits()
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
    let message = match state.said() {
        Some(said) => format!("{said} ({trap})"),
        None => trap,
    };
    let backtrace = error.downcast_ref::<wasmtime::WasmBacktrace>().map(ToString::to_string).unwrap_or_default();
    Failure::Trap { message, backtrace }
}
