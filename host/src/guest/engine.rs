//! The compiler, its cache and the clock of the CPU cap. It never holds anything of one plugin.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::LoadError;

/// How often a running guest is looked at.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Shared by all plugins of the process.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasm: Arc<wasmtime::Engine>,
}

/// What one plugin may use.
#[derive(Clone, Debug)]
pub struct Limits {
    pub memory_bytes_max: usize,
    /// A batch of n records may use n times this, and a little to get going.
    pub cpu_per_record: Duration,
    pub output_records_per_input_max: u32,
    /// Of one batch.
    pub output_bytes_max: usize,
    /// Of one group in one window.
    pub accumulator_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // A JavaScript engine needs 96 MiB.
            memory_bytes_max: 128 << 20,
            cpu_per_record: Duration::from_millis(1),
            output_records_per_input_max: 1000,
            output_bytes_max: 64 << 20,
            accumulator_bytes_max: 1 << 20,
        }
    }
}

impl Engine {
    /// With a directory, compiled code is kept there from one start to the next.
    pub fn new(cache_dir: Option<&Path>) -> Result<Engine, LoadError> {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        if let Some(dir) = cache_dir {
            config.cache(Some(open_cache(dir)?));
        }
        let wasm = wasmtime::Engine::new(&config)
            .map_err(|e| LoadError::new(format!("the WASM engine does not start: {e:#}"), "report this as a bug"))?;
        start_ticker(&wasm)?;
        Ok(Engine { wasm: Arc::new(wasm) })
    }
}

fn open_cache(dir: &Path) -> Result<wasmtime::Cache, LoadError> {
    let failed = |why: String| {
        LoadError::new(
            format!("cannot use {} as the cache of compiled plugins: {why}", dir.display()),
            "choose a directory that can be written to",
        )
    };
    std::fs::create_dir_all(dir).map_err(|e| failed(e.to_string()))?;
    let dir = std::path::absolute(dir).map_err(|e| failed(e.to_string()))?;
    let mut config = wasmtime::CacheConfig::new();
    config.with_directory(dir);
    wasmtime::Cache::new(config).map_err(|e| failed(format!("{e:#}")))
}

/// The thread ends by itself when the last engine is gone.
fn start_ticker(wasm: &wasmtime::Engine) -> Result<(), LoadError> {
    let weak = wasm.weak();
    let ticker = std::thread::Builder::new().name("guest-ticker".into());
    let spawned = ticker.spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    });
    match spawned {
        Ok(_) => Ok(()),
        Err(e) => Err(LoadError::new(format!("no thread for the CPU cap: {e}"), "raise the limit of threads")),
    }
}
