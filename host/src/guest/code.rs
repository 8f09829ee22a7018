//! Compiled code and instances of it, under their limits. It never knows what a plugin's answers mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{Store, UpdateDeadline};

use super::bindings::exports::smt::plugin::{aggregator, setup, transformer};
use super::instance::failure;
use super::log::Log;
use super::names::{Kind, SERVED};
use super::state::{self, State};
use super::{Description, Engine, Limits, LoadError};
use crate::shutdown::Shutdown;

/// CPU time for everything before the first record: an interpreter reads its whole program here.
const START: Duration = Duration::from_secs(10);

pub(super) struct Code {
    engine: Engine,
    pre: InstancePre<State>,
    setup: setup::GuestIndices,
    world: Indices,
    pub(super) limits: Limits,
    log: Log,
    /// For messages.
    file: PathBuf,
}

/// Where the functions of the plugin's world stand.
enum Indices {
    Transform(transformer::GuestIndices),
    Aggregate(aggregator::GuestIndices),
}

/// One instance. After any failure it is thrown away.
pub(super) struct Live {
    pub(super) store: Store<State>,
    pub(super) setup: setup::Guest,
    pub(super) world: Functions,
}

/// The functions of the plugin's world.
pub(super) enum Functions {
    Transform(transformer::Guest),
    Aggregate(aggregator::Guest),
}

impl Functions {
    pub(super) fn transformer(&self) -> wasmtime::Result<&transformer::Guest> {
        match self {
            Functions::Transform(guest) => Ok(guest),
            Functions::Aggregate(_) => Err(wasmtime::Error::msg("an aggregator was asked to transform")),
        }
    }

    pub(super) fn aggregator(&self) -> wasmtime::Result<&aggregator::Guest> {
        match self {
            Functions::Aggregate(guest) => Ok(guest),
            Functions::Transform(_) => Err(wasmtime::Error::msg("a transformer was asked to aggregate")),
        }
    }
}

impl Live {
    /// Starts the CPU cap of the next call.
    pub(super) fn begin(&mut self, budget: Duration, stop: &Shutdown) {
        self.store.data_mut().begin(budget, stop);
        self.store.set_epoch_deadline(1);
    }
}

impl Code {
    /// Links `component`, whose names were found to fit.
    pub(super) fn new(
        engine: &Engine,
        component: &Component,
        kind: Kind,
        limits: Limits,
        file: &Path,
    ) -> Result<Code, LoadError> {
        let stem = file.file_stem().map_or_else(|| "plugin".into(), |s| s.to_string_lossy());
        let linked = || -> wasmtime::Result<_> {
            let mut linker = Linker::new(&engine.wasm);
            state::link(&mut linker)?;
            let pre = linker.instantiate_pre(component)?;
            let world = match kind {
                Kind::Transform => Indices::Transform(transformer::GuestIndices::new(&pre)?),
                Kind::Aggregate => Indices::Aggregate(aggregator::GuestIndices::new(&pre)?),
            };
            Ok((setup::GuestIndices::new(&pre)?, world, pre))
        };
        let (setup, world, pre) = linked().map_err(|e| unfit(file, &e))?;
        let (engine, log, file) = (engine.clone(), Log::new(&stem), file.to_owned());
        Ok(Code { engine, pre, setup, world, limits, log, file })
    }

    /// From now on its log lines bear this name.
    pub(super) fn named(self, name: &str) -> Code {
        Code { log: Log::new(name), ..self }
    }

    pub(super) fn describe(&self) -> Result<Description, LoadError> {
        let mut live = self.instantiate()?;
        live.setup.call_describe(&mut live.store).map_err(|e| self.failed("describe", &e, &live.store))
    }

    pub(super) fn instantiate(&self) -> Result<Live, LoadError> {
        let state = State::new(self.log.clone(), self.limits.memory_bytes_max);
        let mut store = Store::new(&self.engine.wasm, state);
        store.limiter(|state| state);
        store.epoch_deadline_callback(|mut context| {
            Ok(if context.data_mut().overdrawn() { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
        });
        store.data_mut().begin(START, &Shutdown::new());
        store.set_epoch_deadline(1);
        let instance = self.pre.instantiate(&mut store).map_err(|e| self.failed("starting", &e, &store))?;
        let (setup, world) = self.functions(&mut store, &instance).map_err(|e| unfit(&self.file, &e))?;
        Ok(Live { store, setup, world })
    }

    fn functions(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<(setup::Guest, Functions)> {
        let world = match &self.world {
            Indices::Transform(indices) => Functions::Transform(indices.load(&mut *store, instance)?),
            Indices::Aggregate(indices) => Functions::Aggregate(indices.load(&mut *store, instance)?),
        };
        Ok((self.setup.load(store, instance)?, world))
    }

    /// Before the first record: `what` the plugin was doing.
    pub(super) fn failed(&self, what: &str, error: &wasmtime::Error, store: &Store<State>) -> LoadError {
        let failure = failure(error, store.data(), START, &self.limits);
        refuse(&self.file, &format!("fails in {what}: {failure}"), "raise its memory limit, or ask the plugin's author")
    }
}

fn unfit(file: &Path, error: &wasmtime::Error) -> LoadError {
    refuse(file, &format!("does not fit: {error:#}; this host serves {SERVED}"), "rebuild the plugin")
}

pub(super) fn refuse(file: &Path, what: &str, hint: &str) -> LoadError {
    LoadError::new(format!("plugin {} {what}", file.display()), hint)
}
