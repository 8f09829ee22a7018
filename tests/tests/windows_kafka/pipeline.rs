//! An aggregating pipeline inside the test's process, on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use smt_host::exit::Stop;
use smt_host::guest::{Engine, Limits, Plugin};
use smt_host::kafka::From;
use smt_host::pipeline::{self, Delivery, Member, OnError, Progress, Spec, WindowOptions};
use smt_host::shutdown::Shutdown;
use smt_tests::{eventually, plugin, world};

const LONG: Duration = Duration::from_secs(60);

/// From topic `name` to `name`-out, with dead letters in `name`-dead.
pub(crate) fn spec(name: &str, file: &str, settings: &[(&str, &str)], windows: WindowOptions) -> Spec {
    limited(name, file, settings, windows, Limits::default())
}

pub(crate) fn limited(
    name: &str,
    file: &str,
    settings: &[(&str, &str)],
    windows: WindowOptions,
    limits: Limits,
) -> Spec {
    let engine = Engine::new(Some(&world().dir.path().join("compiled"))).unwrap();
    let settings: Vec<(String, String)> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let configured = Plugin::load(&engine, &plugin(file), limits).unwrap().configure(&settings).unwrap();
    let output = configured.wiring().outputs[0].name.clone();
    Spec {
        name: name.to_owned(),
        group: name.to_owned(),
        inputs: vec![name.to_owned()],
        members: vec![Member { configured, topics: vec![(output, format!("{name}-out"))], windows }],
        workers: 1,
        from: From::Earliest,
        delivery: Delivery::ExactlyOnce,
        fail_fast: true,
        commit_interval: Duration::from_millis(100),
        instance_id: "tests".to_owned(),
        store_dir: Some(store(name)),
        until_end: false,
        dead_letter_topic: format!("{name}-dead"),
        on_error: OnError::DeadLetter,
        failures_max: 100,
        create_topics: true,
        kafka: world().settings(),
        registry: world().registry(),
    }
}

/// Where the pipeline keeps the local copy of its state.
pub(crate) fn store(name: &str) -> PathBuf {
    world().dir.path().join("stores").join(name)
}

/// Runs until everything that is in the input now is done.
pub(crate) fn to_the_end(spec: Spec) -> Result<Arc<Progress>, Stop> {
    let progress = Arc::new(Progress::default());
    pipeline::run(Spec { until_end: true, ..spec }, &Shutdown::new(), &progress).map(|()| progress)
}

/// Stopped when the test ends.
pub(crate) struct Running {
    shutdown: Shutdown,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<Result<(), Stop>>>,
}

impl Running {
    pub(crate) fn start(spec: Spec) -> Running {
        let (shutdown, progress) = (Shutdown::new(), Arc::new(Progress::default()));
        let (token, counters) = (shutdown.clone(), progress.clone());
        let thread = std::thread::spawn(move || pipeline::run(spec, &token, &counters));
        Running { shutdown, progress, thread: Some(thread) }
    }

    pub(crate) fn until(&mut self, what: &str, mut condition: impl FnMut(&Progress) -> bool) {
        eventually(what, LONG, || {
            if self.thread.as_ref().unwrap().is_finished() {
                panic!("the pipeline ended: {:?}", self.thread.take().unwrap().join().unwrap());
            }
            condition(&self.progress)
        });
    }

    pub(crate) fn stop(mut self) -> Result<(), Stop> {
        self.shutdown.request();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}
