//! What stands on the host's side of one instance: limits, log, and a WASI that grants nothing.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::component::{HasData, HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::bindings::smt::plugin::{host, types};
use super::log::{self, Log, Pipe};
use crate::shutdown::Shutdown;

/// How long a call may go on once stopping is asked for: the batch in hand is to be finished, but not at any price.
const GRACE: Duration = Duration::from_secs(2);
const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Streams, pollables and the like that a plugin may hold at once.
const RESOURCES_MAX: usize = 10_000;

pub(super) struct State {
    log: Log,
    wasi: WasiCtx,
    table: ResourceTable,
    started: Instant,
    memory_max: usize,
    memory_used: usize,
    /// The limiter's own flag: it tells the memory limit from any other trap.
    pub(super) memory_hit: bool,
    pub(super) timed_out: bool,
    stop: Shutdown,
    asked_to_stop: Option<Instant>,
    /// The call was ended because stopping was asked for; the plugin is not to blame.
    pub(super) given_up: bool,
    /// The last error line of this call: a panic's text comes here just before the trap.
    last_error: Option<String>,
    stderr: Pipe,
    budget: Duration,
    budget_from: Duration,
}

impl State {
    pub(super) fn new(log: Log, memory_max: usize) -> State {
        let stderr = Pipe::new(&log);
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(Pipe::new(&log)).stderr(stderr.clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        State {
            log,
            wasi: wasi.build(),
            table,
            started: Instant::now(),
            memory_max,
            memory_used: 0,
            memory_hit: false,
            timed_out: false,
            stop: Shutdown::new(),
            asked_to_stop: None,
            given_up: false,
            last_error: None,
            stderr,
            budget: Duration::ZERO,
            budget_from: Duration::ZERO,
        }
    }

    pub(super) fn begin(&mut self, budget: Duration, stop: &Shutdown) {
        self.budget = budget;
        self.budget_from = cpu_time();
        self.memory_hit = false;
        self.timed_out = false;
        self.stop = stop.clone();
        self.last_error = None;
        self.stderr.forget();
    }

    /// What the plugin said in this call of what went wrong. Without an error line it is what stands on stderr, where
    /// interpreters explain themselves.
    pub(super) fn said(&self) -> Option<String> {
        self.last_error.clone().or_else(|| self.stderr.said())
    }

    /// CPU time since `begin`, of this thread: a busy machine does not get a plugin blamed.
    pub(super) fn used(&self) -> Duration {
        cpu_time().saturating_sub(self.budget_from)
    }

    /// Whether the call is to end now.
    pub(super) fn overdrawn(&mut self) -> bool {
        self.timed_out = self.used() > self.budget;
        if !self.timed_out && self.stop.is_requested() {
            self.given_up = self.asked_to_stop.get_or_insert_with(Instant::now).elapsed() > GRACE;
        }
        self.timed_out || self.given_up
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    super::bindings::Plugin::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<_, Awake>(linker, |state| state)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl wasmtime::ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.memory_used.saturating_add(desired.saturating_sub(current));
        if used > self.memory_max {
            self.memory_hit = true;
            return Ok(false);
        }
        self.memory_used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        100
    }

    fn tables(&self) -> usize {
        100
    }

    fn memories(&self) -> usize {
        16
    }
}

impl types::Host for State {}

impl host::Host for State {
    fn log(&mut self, level: host::Level, message: String) {
        self.log.line(level, &message);
        if level == host::Level::Error {
            self.last_error = Some(log::cut(&message).to_owned());
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A clock that tells the time but lets nobody sleep: the worker's thread is not the plugin's to hold.
struct Awake;

impl HasData for Awake {
    type Data<'a> = &'a mut State;
}

impl monotonic_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.awake()
    }

    fn subscribe_duration(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.awake()
    }
}

impl State {
    fn awake(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let ready = self.table.push(Ready)?;
        subscribe(&mut self.table, ready)
    }
}

struct Ready;

impl Pollable for Ready {
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}
