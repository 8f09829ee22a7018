//! The workshop's three S3 sinks in the demo, as its view and its audit know them. Others run them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::view::Stage;
use crate::exit::Stop;
use crate::platform::connect;
use crate::platform::endpoints::Bucket;
use crate::sink::{Connector, Progress};

/// The bucket's name in the embedded S3.
pub(super) const BUCKET: &str = "workshop";
/// The workshop's own files.
pub(super) const FILES: [&str; 3] = [
    include_str!("../../../connectors/sink/connect_s3_sink.config"),
    include_str!("../../../connectors/sink/connect_s3_sink_jovens.config"),
    include_str!("../../../connectors/sink/connect_s3_sink_count.config"),
];

/// None where the broker does not keep its topics.
#[derive(Default)]
pub(super) struct Sinks(Vec<(Connector, Arc<Progress>)>);

impl Sinks {
    pub(super) fn parse(bucket: Option<&Bucket>) -> Result<Sinks, Stop> {
        let overrides = bucket.map(connect::store).unwrap_or_default();
        let sink = |file: &str| Ok((Connector::parse(file, &overrides)?, Arc::default()));
        FILES.into_iter().map(sink).collect::<Result<Vec<_>, Stop>>().map(Sinks)
    }

    /// With the counters of what runs under each name.
    pub(super) fn counted_by(self, progress: impl Fn(&str) -> Arc<Progress>) -> Sinks {
        let counted = |(connector, _): (Connector, _)| {
            let progress = progress(&connector.name);
            (connector, progress)
        };
        Sinks(self.0.into_iter().map(counted).collect())
    }

    pub(super) fn connectors(&self) -> Vec<Connector> {
        self.0.iter().map(|(connector, _)| connector.clone()).collect()
    }

    /// How many objects each has made in this run.
    pub(super) fn stages(&self) -> impl Iterator<Item = Stage> {
        self.0.iter().map(|(connector, progress)| Stage {
            name: format!("objects {}", connector.name),
            count: progress.objects.load(Relaxed),
            of: None,
        })
    }

    /// What the objects hold, in words.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(connector, progress)| {
            let (name, records) = (&connector.name, progress.records.load(Relaxed));
            format!("{name}: {records} records in objects, {} wait for flush.size", progress.waiting())
        })
    }
}
