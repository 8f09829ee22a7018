//! What stands on the host's side of one instance: limits, log, and a WASI that grants nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::component::{HasData, HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::bindings::smt::plugin::{host, types};

/// Lines a second and plugin; a plugin that logs each record must not fill the disk.
const LINES_A_SECOND: u32 = 20;
const LINE_BYTES_MAX: usize = 8 << 10;
const TABLE_ELEMENTS_MAX: usize = 100_000;

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
    /// The last error line of this call: a panic's text comes here just before the trap.
    pub(super) last_error: Option<String>,
    budget: Duration,
    budget_from: Duration,
}

impl State {
    pub(super) fn new(log: Log, memory_max: usize) -> State {
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(Pipe { log: log.clone() }).stderr(Pipe { log: log.clone() });
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        State {
            log,
            wasi: wasi.build(),
            table: ResourceTable::new(),
            started: Instant::now(),
            memory_max,
            memory_used: 0,
            memory_hit: false,
            timed_out: false,
            last_error: None,
            budget: Duration::ZERO,
            budget_from: Duration::ZERO,
        }
    }

    pub(super) fn begin(&mut self, budget: Duration) {
        self.budget = budget;
        self.budget_from = cpu_time();
        self.memory_hit = false;
        self.timed_out = false;
        self.last_error = None;
    }

    /// CPU time since `begin`, of this thread: a busy machine does not get a plugin blamed.
    pub(super) fn used(&self) -> Duration {
        cpu_time().saturating_sub(self.budget_from)
    }

    pub(super) fn overdrawn(&mut self) -> bool {
        self.timed_out = self.used() > self.budget;
        self.timed_out
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
            self.last_error = Some(cut(&message).to_owned());
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

/// stdout and stderr, as log lines.
struct Pipe {
    log: Log,
}

impl IsTerminal for Pipe {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Pipe {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only preview 3 asks for it, which is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Lines { log: self.log.clone(), rest: Vec::new() })
    }
}

struct Lines {
    log: Log,
    rest: Vec<u8>,
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        for part in bytes.split_inclusive(|&b| b == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() > LINE_BYTES_MAX {
                self.log.line(host::Level::Info, String::from_utf8_lossy(&self.rest).trim_end());
                self.rest.clear();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_BYTES_MAX)
    }
}

impl Pollable for Lines {
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}

/// The plugin's way into the host's log; shared by all its instances, since a trap must not reset the limit.
#[derive(Clone)]
pub(super) struct Log {
    plugin: Arc<str>,
    window: Arc<Mutex<Window>>,
}

struct Window {
    from: Instant,
    lines: u32,
}

impl Log {
    pub(super) fn new(plugin: &str) -> Log {
        let window = Window { from: Instant::now(), lines: 0 };
        Log { plugin: plugin.into(), window: Arc::new(Mutex::new(window)) }
    }

    fn line(&self, level: host::Level, message: &str) {
        if !self.admit() {
            return;
        }
        let (plugin, message) = (&*self.plugin, cut(message));
        match level {
            host::Level::Debug => tracing::debug!(plugin, "{message}"),
            host::Level::Info => tracing::info!(plugin, "{message}"),
            host::Level::Warn => tracing::warn!(plugin, "{message}"),
            host::Level::Error => tracing::error!(plugin, "{message}"),
        }
    }

    fn admit(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if window.from.elapsed() >= Duration::from_secs(1) {
            let dropped = window.lines.saturating_sub(LINES_A_SECOND);
            *window = Window { from: Instant::now(), lines: 0 };
            if dropped > 0 {
                tracing::warn!(plugin = &*self.plugin, "{dropped} log lines dropped");
            }
        }
        window.lines = window.lines.saturating_add(1);
        window.lines <= LINES_A_SECOND
    }
}

fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(LINE_BYTES_MAX)]
}
