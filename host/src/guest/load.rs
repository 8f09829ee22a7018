//! From a file to a plugin that is ready to run: compile, refuse what does not fit, describe, configure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};
use wasmtime::{Store, UpdateDeadline};

use super::bindings::{Transform, TransformPre};
use super::run::{self, Runner};
use super::state::{self, Log, State};
use super::{Description, Engine, Limits, LoadError, SettingValue, Wiring, names, settings};

/// CPU time for everything before the first record: an interpreter reads its whole program here.
const START: Duration = Duration::from_secs(10);

/// A compiled plugin file.
#[derive(Clone)]
pub struct Plugin(Arc<Loaded>);

struct Loaded {
    file: PathBuf,
    bytes_len: usize,
    sha256: String,
    description: Description,
    imports: Vec<String>,
    exports: Vec<String>,
    code: Code,
}

struct Code {
    engine: Engine,
    pre: TransformPre<State>,
    limits: Limits,
    log: Log,
    /// For messages.
    file: PathBuf,
}

impl Plugin {
    /// Compiles `file` and asks it to describe itself.
    pub fn load(engine: &Engine, file: &Path, limits: Limits) -> Result<Plugin, LoadError> {
        let bytes = std::fs::read(file).map_err(|e| {
            let hint = "check the path: on the command line it starts from here, in a file from that file's directory";
            refuse(file, &format!("cannot be read: {e}"), hint)
        })?;
        let component = Component::new(&engine.wasm, component_bytes(file, &bytes)?).map_err(|e| {
            refuse(file, &format!("is not valid WASM: {e:#}"), "build it again; the file may be damaged")
        })?;
        let kind = component.component_type();
        let imports: Vec<String> = kind.imports(&engine.wasm).map(|(name, _)| name.to_owned()).collect();
        let exports: Vec<String> = kind.exports(&engine.wasm).map(|(name, _)| name.to_owned()).collect();
        if let Some(misfit) = names::misfit(&imports, &exports) {
            let hint = "build the plugin against the contract that this host serves, or use another smt-host";
            return Err(refuse(file, &format!("does not fit: {misfit}"), hint));
        }
        let stem = file.file_stem().map_or_else(|| "plugin".into(), |s| s.to_string_lossy());
        let pre = prepare(engine, &component).map_err(|e| {
            refuse(file, &format!("does not fit: {e:#}; this host serves {}", names::SERVED), "rebuild the plugin")
        })?;
        let code = Code { engine: engine.clone(), pre, limits, log: Log::new(&stem), file: file.to_owned() };
        let description = code.describe()?;
        let code = Code { log: Log::new(&description.name), ..code };
        let sha256 = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let file = file.to_owned();
        Ok(Plugin(Arc::new(Loaded { file, bytes_len: bytes.len(), sha256, description, imports, exports, code })))
    }

    pub fn file(&self) -> &Path {
        &self.0.file
    }

    pub fn bytes_len(&self) -> usize {
        self.0.bytes_len
    }

    /// In hexadecimal, of the file as it is on disk.
    pub fn sha256(&self) -> &str {
        &self.0.sha256
    }

    pub fn description(&self) -> &Description {
        &self.0.description
    }

    pub fn imports(&self) -> &[String] {
        &self.0.imports
    }

    pub fn exports(&self) -> &[String] {
        &self.0.exports
    }

    /// The contract version it was built for, such as `1.0.0`.
    pub fn contract(&self) -> &str {
        names::contract(&self.0.exports).unwrap_or("unknown")
    }

    pub fn limits(&self) -> &Limits {
        &self.0.code.limits
    }

    /// Checks the settings, and asks the plugin what follows from them.
    pub fn configure(&self, given: &[(String, String)]) -> Result<Configured, LoadError> {
        let hint = "smt-host inspect shows the plugin's settings";
        let settings = settings::fill(&self.0.description.settings, given)
            .map_err(|wrong| LoadError::new(format!("plugin {}: {wrong}", self.file().display()), hint))?;
        let (_, wiring) = self.instance(&settings)?;
        if wiring.outputs.is_empty() || wiring.outputs.len() > 256 {
            let what = format!("declares {} outputs, between 1 and 256 are allowed", wiring.outputs.len());
            return Err(refuse(self.file(), &what, "this is for the plugin's author"));
        }
        Ok(Configured(Arc::new(Ready { plugin: self.clone(), settings, wiring })))
    }

    /// A new instance, configured.
    pub(super) fn instance(&self, settings: &[SettingValue]) -> Result<(Live, Wiring), LoadError> {
        let code = &self.0.code;
        let mut live = code.instantiate()?;
        let setup = live.guest.smt_plugin_setup();
        let answer = setup.call_configure(&mut live.store, settings).map_err(|e| code.failed("configure", e, &live))?;
        let wiring = answer.map_err(|refusal| {
            refuse(self.file(), &format!("refuses its settings: {refusal}"), "smt-host inspect shows the settings")
        })?;
        Ok((live, wiring))
    }
}

/// A plugin with its settings.
#[derive(Clone)]
pub struct Configured(Arc<Ready>);

struct Ready {
    plugin: Plugin,
    settings: Vec<SettingValue>,
    wiring: Wiring,
}

impl Configured {
    pub fn plugin(&self) -> &Plugin {
        &self.0.plugin
    }

    pub fn wiring(&self) -> &Wiring {
        &self.0.wiring
    }

    pub fn start(&self) -> Result<Runner, LoadError> {
        Runner::new(self.clone())
    }

    pub(super) fn instance(&self) -> Result<Live, LoadError> {
        self.0.plugin.instance(&self.0.settings).map(|(live, _)| live)
    }
}

/// One instance. After any failure it is thrown away.
pub(super) struct Live {
    pub(super) store: Store<State>,
    pub(super) guest: Transform,
}

impl Live {
    /// Starts the CPU cap of the next call.
    pub(super) fn begin(&mut self, budget: Duration) {
        self.store.data_mut().begin(budget);
        self.store.set_epoch_deadline(1);
    }
}

impl Code {
    fn describe(&self) -> Result<Description, LoadError> {
        let mut live = self.instantiate()?;
        let setup = live.guest.smt_plugin_setup();
        setup.call_describe(&mut live.store).map_err(|e| self.failed("describe", e, &live))
    }

    fn instantiate(&self) -> Result<Live, LoadError> {
        let state = State::new(self.log.clone(), self.limits.memory_bytes_max);
        let mut store = Store::new(&self.engine.wasm, state);
        store.limiter(|state| state);
        store.epoch_deadline_callback(|mut context| {
            Ok(if context.data_mut().overdrawn() { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
        });
        store.data_mut().begin(START);
        store.set_epoch_deadline(1);
        match self.pre.instantiate(&mut store) {
            Ok(guest) => Ok(Live { store, guest }),
            Err(e) => Err(self.blamed("starting", &e, store.data())),
        }
    }

    fn failed(&self, what: &str, error: wasmtime::Error, live: &Live) -> LoadError {
        self.blamed(what, &error, live.store.data())
    }

    fn blamed(&self, what: &str, error: &wasmtime::Error, state: &State) -> LoadError {
        let failure = run::failure(error, state, START, &self.limits);
        refuse(&self.file, &format!("fails in {what}: {failure}"), "raise its memory limit, or ask the plugin's author")
    }
}

fn prepare(engine: &Engine, component: &Component) -> wasmtime::Result<TransformPre<State>> {
    let mut linker = Linker::new(&engine.wasm);
    state::link(&mut linker)?;
    TransformPre::new(linker.instantiate_pre(component)?)
}

/// A core module becomes a component by what its `component-type` section says.
fn component_bytes(file: &Path, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    if wasmparser::Parser::is_component(bytes) {
        return Ok(bytes.to_vec());
    }
    if !wasmparser::Parser::is_core_wasm(bytes) {
        let what = format!("is not a WASM file: its {} bytes do not begin like one", bytes.len());
        return Err(refuse(file, &what, "give the .wasm file that the plugin's build made"));
    }
    // The encoder takes a valid module for granted, and panics on one that was cut off.
    wasmparser::validate(bytes).map_err(|e| {
        refuse(file, &format!("is not valid WASM: {e}"), "build it again; the file may have been cut off")
    })?;
    let encoded = wit_component::ComponentEncoder::default().validate(true).module(bytes).and_then(|mut e| e.encode());
    encoded.map_err(|e| {
        let hint =
            "build with the plugin SDK for wasm32-unknown-unknown or wasm32-wasip2, and check that the file is whole";
        refuse(file, &format!("is a core module that cannot become a component: {e:#}"), hint)
    })
}

fn refuse(file: &Path, what: &str, hint: &str) -> LoadError {
    LoadError::new(format!("plugin {} {what}", file.display()), hint)
}
