//! The workshop's three S3 sinks in the demo, each on a thread of its own, into the embedded S3.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use super::flow::spawn;
use super::view::Stage;
use crate::exit::{Exit, Stop};
use crate::kafka::{Settings, topics};
use crate::platform::s3::S3;
use crate::registry::Registry;
use crate::shutdown::Shutdown;
use crate::sink::{Connector, Progress, run_connector};

/// The bucket's name in the embedded S3.
pub(super) const BUCKET: &str = "workshop";
/// The workshop's own files; only bucket, address and keys are others.
const FILES: [&str; 3] = [
    include_str!("../../../connectors/sink/connect_s3_sink.config"),
    include_str!("../../../connectors/sink/connect_s3_sink_jovens.config"),
    include_str!("../../../connectors/sink/connect_s3_sink_count.config"),
];
/// Between two looks whether a sink's topic is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Sinks {
    sinks: Vec<Sink>,
    stop: Shutdown,
}

struct Sink {
    connector: Connector,
    progress: Arc<Progress>,
    thread: JoinHandle<Result<(), Stop>>,
}

impl Sinks {
    /// None: `start` is for a broker that keeps its topics.
    pub(super) fn none() -> Sinks {
        Sinks { sinks: Vec::new(), stop: Shutdown::new() }
    }

    pub(super) fn start(s3: &S3, settings: &Settings, registry: &Registry) -> Result<Sinks, Stop> {
        let stop = Shutdown::new();
        let start = |file: &str| {
            let connector = Connector::parse(file, &overrides(s3))?;
            let progress = Arc::new(Progress::default());
            let (own, told, stop) = (connector.clone(), progress.clone(), stop.clone());
            let (settings, registry) = (settings.clone(), registry.clone());
            let thread = spawn(&connector.name, move || run(&own, &settings, &registry, &stop, &told))?;
            Ok(Sink { connector, progress, thread })
        };
        let sinks = FILES.into_iter().map(start).collect::<Result<Vec<_>, Stop>>()?;
        let names: Vec<&str> = sinks.iter().map(|sink| sink.connector.name.as_str()).collect();
        println!("sinks        {}", names.join(", "));
        Ok(Sinks { sinks, stop })
    }

    pub(super) fn connectors(&self) -> Vec<Connector> {
        self.sinks.iter().map(|sink| sink.connector.clone()).collect()
    }

    /// How many objects each has made in this run.
    pub(super) fn stages(&self) -> impl Iterator<Item = Stage> {
        self.sinks.iter().map(|sink| Stage {
            name: format!("objects {}", sink.connector.name),
            count: sink.progress.objects.load(Relaxed),
            of: None,
        })
    }

    /// What the objects hold, in words.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.sinks.iter().map(|sink| {
            let (name, records) = (&sink.connector.name, sink.progress.records.load(Relaxed));
            format!("{name}: {records} records in objects, {} wait for flush.size", sink.progress.waiting())
        })
    }

    pub(super) fn has_failed(&self) -> bool {
        self.sinks.iter().any(|sink| sink.thread.is_finished())
    }

    /// Stops them all; the first failure is the result.
    pub(super) fn end(self) -> Result<(), Stop> {
        self.stop.request();
        let end = |Sink { connector, thread, .. }: Sink| {
            let panicked = |_| Err(Stop::new(Exit::Bug, format!("{} panicked; this is a bug", connector.name)));
            thread.join().unwrap_or_else(panicked)
        };
        let ended: Vec<_> = self.sinks.into_iter().map(end).collect();
        ended.into_iter().collect()
    }
}

fn run(
    connector: &Connector,
    settings: &Settings,
    registry: &Registry,
    stop: &Shutdown,
    progress: &Progress,
) -> Result<(), Stop> {
    // The pipelines make their topics, with properties of their own: nothing to worry about meanwhile.
    for topic in connector.named_topics() {
        while topics::shape(settings, topic).is_ok_and(|shape| shape.is_none()) && !stop.sleep(LOOK_INTERVAL) {}
    }
    run_connector(connector, settings, registry, false, stop, progress)
}

/// The keys are the connector's own: the process's environment, which may name other stores, stays as it is.
fn overrides(s3: &S3) -> Vec<(String, String)> {
    let endpoint = s3.endpoint();
    let overrides = [
        ("s3.bucket.name", s3.bucket()),
        ("s3.region", s3.region()),
        ("store.url", endpoint.as_str()),
        ("aws.access.key.id", s3.access_key_id()),
        ("aws.secret.access.key", s3.secret_access_key()),
    ];
    overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}
