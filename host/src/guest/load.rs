//! From a file to a plugin that is ready to run: compile, refuse what does not fit, describe, configure.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::code::{Code, Live, refuse};
use super::component::component;
use super::names::Kind;
use super::{Aggregator, Description, Engine, Grouping, Limits, LoadError, Runner, SettingValue, Wiring};
use super::{grouping, names, settings};

const FOR_THE_AUTHOR: &str = "this is for the plugin's author";

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
    kind: Kind,
    code: Code,
}

impl Plugin {
    /// Compiles `file` and asks it to describe itself.
    pub fn load(engine: &Engine, file: &Path, limits: Limits) -> Result<Plugin, LoadError> {
        let bytes = std::fs::read(file).map_err(|e| {
            let hint = "check the path: on the command line it starts from here, in a file from that file's directory";
            refuse(file, &format!("cannot be read: {e}"), hint)
        })?;
        let encoded = component(&bytes).map_err(|(what, hint)| refuse(file, &what, hint))?;
        let component = Component::new(&engine.wasm, encoded).map_err(|e| {
            refuse(file, &format!("is not valid WASM: {e:#}"), "build it again; the file may be damaged")
        })?;
        let kind = component.component_type();
        let imports: Vec<String> = kind.imports(&engine.wasm).map(|(name, _)| name.to_owned()).collect();
        let exports: Vec<String> = kind.exports(&engine.wasm).map(|(name, _)| name.to_owned()).collect();
        let lacking = kind.imports(&engine.wasm).find_map(|(name, import)| match import.ty {
            ComponentItem::ComponentInstance(taken) => {
                names::lacking(name, taken.exports(&engine.wasm).map(|(item, _)| item))
            }
            _ => None,
        });
        let kind = names::world(&imports, &exports).and_then(|kind| lacking.map_or(Ok(kind), Err));
        let kind = kind.map_err(|misfit| {
            let hint = "build the plugin against the contract that this host serves, or use another smt-host";
            refuse(file, &format!("does not fit: {misfit}"), hint)
        })?;
        let code = Code::new(engine, &component, kind, limits, file)?;
        let description = code.describe()?;
        let code = code.named(&description.name);
        let sha256 = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let (file, bytes_len) = (file.to_owned(), bytes.len());
        Ok(Plugin(Arc::new(Loaded { file, bytes_len, sha256, description, imports, exports, kind, code })))
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

    /// The name of its world.
    pub fn world(&self) -> &'static str {
        self.0.kind.name()
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
        let (mut live, wiring) = self.instance(&settings)?;
        if wiring.outputs.is_empty() || wiring.outputs.len() > 256 {
            let what = format!("declares {} outputs, between 1 and 256 are allowed", wiring.outputs.len());
            return Err(refuse(self.file(), &what, FOR_THE_AUTHOR));
        }
        let world = match self.0.kind {
            Kind::Transform => World::Transform,
            Kind::Aggregate => World::Aggregate(self.grouping(&mut live, &wiring)?),
        };
        Ok(Configured(Arc::new(Ready { plugin: self.clone(), settings, wiring, world })))
    }

    fn grouping(&self, live: &mut Live, wiring: &Wiring) -> Result<Grouping, LoadError> {
        let asked = live.world.aggregator().and_then(|guest| guest.call_grouping_for(&mut live.store));
        let answer = asked.map_err(|e| self.0.code.failed("grouping-for", &e, &live.store))?;
        grouping::check(&answer, wiring).map_err(|wrong| refuse(self.file(), &wrong, FOR_THE_AUTHOR))?;
        Ok(answer)
    }

    /// A new instance, configured.
    fn instance(&self, settings: &[SettingValue]) -> Result<(Live, Wiring), LoadError> {
        let code = &self.0.code;
        let mut live = code.instantiate()?;
        let asked = live.setup.call_configure(&mut live.store, settings);
        let wiring = asked.map_err(|e| code.failed("configure", &e, &live.store))?.map_err(|refusal| {
            refuse(self.file(), &format!("refuses its settings: {refusal}"), "smt-host inspect shows the settings")
        })?;
        Ok((live, wiring))
    }
}

/// What a plugin is, now that it has its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum World {
    Transform,
    Aggregate(Grouping),
}

/// A plugin with its settings.
#[derive(Clone)]
pub struct Configured(Arc<Ready>);

struct Ready {
    plugin: Plugin,
    settings: Vec<SettingValue>,
    wiring: Wiring,
    world: World,
}

impl Configured {
    pub fn plugin(&self) -> &Plugin {
        &self.0.plugin
    }

    pub fn wiring(&self) -> &Wiring {
        &self.0.wiring
    }

    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// Whether it counts in windows, and so keeps state.
    pub fn aggregates(&self) -> bool {
        matches!(self.world(), World::Aggregate(_))
    }

    /// For one worker; refused for an aggregator.
    pub fn start(&self) -> Result<Runner, LoadError> {
        match self.world() {
            World::Transform => Runner::new(self.clone()),
            World::Aggregate(_) => Err(self.other_world("cannot transform")),
        }
    }

    /// For one worker; refused for a transformer.
    pub fn start_aggregate(&self) -> Result<Aggregator, LoadError> {
        match self.world() {
            World::Aggregate(_) => Aggregator::new(self.clone()),
            World::Transform => Err(self.other_world("cannot aggregate")),
        }
    }

    fn other_world(&self, cannot: &str) -> LoadError {
        let plugin = self.plugin();
        let what = format!("{cannot}: it is of the world {}", plugin.world());
        refuse(plugin.file(), &what, "smt-host inspect shows the world")
    }

    pub(super) fn instance(&self) -> Result<Live, LoadError> {
        self.0.plugin.instance(&self.0.settings).map(|(live, _)| live)
    }
}
