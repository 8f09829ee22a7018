//! One instance in one worker: every call has a deadline, a failure costs the instance and is bisected until the
//! guilty rows are known. It never knows what the rows are.

use std::ops::Range;
use std::time::Duration;

use super::bisect::{Found, bisect};
use super::code::Live;
use super::load::Configured;
use super::state::State;
use super::{Failure, Limits, LoadError};
use crate::shutdown::Shutdown;

/// What every call may use before records count: a first call fills caches and grows memory.
const CALL: Duration = Duration::from_millis(200);
/// The same for calls that look for the guilty. One that is too short for an honest part costs another search in it,
/// and nobody is blamed.
const SEARCH: Duration = Duration::from_millis(20);
const SEARCH_FACTOR: f64 = 20.0;
/// What a row costs as long as nothing was measured.
const NS_PER_ROW: f64 = 1000.0;
/// What a call costs on a new instance before rows count: a search must not take it for the cost of its few rows.
const FIRST_CALL_NS: f64 = 1e6;

/// A trap, or what became of the checks of the answer.
pub(super) type Answer<T> = wasmtime::Result<Result<T, Failure>>;

pub(super) struct Instance {
    pub(super) configured: Configured,
    live: Option<Live>,
    stop: Shutdown,
}

/// What a row costs in one of the plugin's functions.
#[derive(Default)]
pub(super) struct Pace {
    /// Moving average of good batches; without one, what the last good part of a search cost.
    ns_per_row: Option<f64>,
    /// Called also when stopping has been asked for: without it, what was done before could not be committed.
    finishes: bool,
}

impl Pace {
    pub(super) fn finishing() -> Pace {
        Pace { finishes: true, ..Pace::default() }
    }
}

impl Instance {
    pub(super) fn new(configured: Configured) -> Result<Instance, LoadError> {
        let live = Some(configured.instance()?);
        Ok(Instance { configured, live, stop: Shutdown::new() })
    }

    /// From now on a search ends when stopping is asked for, and soon after that a call does.
    pub(super) fn until(&mut self, stop: &Shutdown) {
        self.stop = stop.clone();
    }

    /// In the good case one call for all `rows`. After a failure, parts are called until so many rows in a row are
    /// found guilty or all is known. Fails only if no instance can be had any more, or stopping is asked for.
    pub(super) fn run<T>(
        &mut self,
        pace: &mut Pace,
        rows: usize,
        guilty_in_row_max: usize,
        call: &dyn Fn(&mut Live, Range<usize>) -> Answer<T>,
    ) -> Result<Found<T>, LoadError> {
        if rows == 0 {
            return Ok(Found::default());
        }
        if !pace.finishes && self.stop.is_requested() {
            return Err(stopping());
        }
        match self.call(0..rows, self.full(rows), call)? {
            Ok((answer, ns)) => {
                pace.ns_per_row = Some(pace.ns_per_row.map_or(ns, |average| average * 0.9 + ns * 0.1));
                Ok(Found { good: vec![(0..rows, answer)], guilty: vec![] })
            }
            Err(failure) => self.search(pace, 0..rows, failure, guilty_in_row_max, call),
        }
    }

    fn search<T>(
        &mut self,
        pace: &mut Pace,
        whole: Range<usize>,
        failure: Failure,
        guilty_in_row_max: usize,
        call: &dyn Fn(&mut Live, Range<usize>) -> Answer<T>,
    ) -> Result<Found<T>, LoadError> {
        let known = pace.ns_per_row;
        bisect(whole, failure, guilty_in_row_max, &mut |part| {
            let rows = part.len();
            let budget = self.quick(pace, rows);
            if self.stop.is_requested() {
                return Err(stopping());
            }
            let called = self.call(part, budget, call)?;
            Ok(called.map(|(answer, ns)| {
                let beyond = (ns - FIRST_CALL_NS / rows as f64).max(0.0);
                pace.ns_per_row = Some(known.unwrap_or(beyond));
                answer
            }))
        })
    }

    fn full(&self, rows: usize) -> Duration {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        CALL.saturating_add(self.limits().cpu_per_record.saturating_mul(rows))
    }

    /// Near the measured cost, so that an endless loop is found soon; a single row is never hurried.
    fn quick(&self, pace: &Pace, rows: usize) -> Duration {
        if rows == 1 {
            return self.full(rows);
        }
        let nanos = pace.ns_per_row.unwrap_or(0.0).max(NS_PER_ROW) * SEARCH_FACTOR * rows as f64;
        SEARCH.saturating_add(Duration::from_nanos(nanos as u64)).min(self.full(rows))
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
        live.begin(budget, &self.stop);
        let rows = part.len();
        match call(&mut live, part) {
            Ok(Ok(answer)) => {
                let used = live.store.data().used();
                self.live = Some(live);
                Ok(Ok((answer, used.as_nanos() as f64 / rows as f64)))
            }
            Ok(Err(failure)) => Ok(Err(failure)),
            Err(_) if live.store.data().given_up => Err(stopping()),
            Err(error) => Ok(Err(failure(&error, live.store.data(), budget, self.limits()))),
        }
    }

    fn limits(&self) -> &Limits {
        self.configured.plugin().limits()
    }
}

fn stopping() -> LoadError {
    LoadError::new("stopping was asked for before the plugin was done", "start again, it goes on from there")
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
