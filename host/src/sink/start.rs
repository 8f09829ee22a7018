//! What has to be there before anything is read: the bucket, and a topic. What is away is waited for.

use std::time::Duration;

use super::config::Connector;
use super::store::{Failure, Store};
use crate::exit::{Exit, Stop};
use crate::kafka::patience::{Outage, Thing};
use crate::kafka::{Settings, topics};
use crate::shutdown::Shutdown;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
const FOR_EVER: Duration = Duration::from_secs(1 << 30);

#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) connector: &'a Connector,
    pub(super) outage: &'a Outage,
    /// Nothing is waited for.
    pub(super) fail_fast: bool,
    pub(super) shutdown: &'a Shutdown,
}

impl Start<'_> {
    /// The bucket has to be there. False: stopping was asked for while S3 was away.
    pub(super) async fn find_bucket(&self, store: &Store) -> Result<bool, Stop> {
        let Start { connector, outage, fail_fast, shutdown } = *self;
        let thing = Thing::Bucket(connector.access.bucket.clone());
        while !shutdown.is_requested() {
            let answer = tokio::select! {
                answer = store.look() => answer,
                _ = shutdown.sleep_async(FOR_EVER) => break,
            };
            match answer {
                Ok(()) => {
                    outage.back(&thing);
                    return Ok(true);
                }
                Err(Failure::Away(why)) if !fail_fast => {
                    outage.away(&thing, &why);
                    shutdown.sleep_async(PAUSE).await;
                }
                Err(Failure::Away(why)) => {
                    let what = format!("{} cannot be reached: {why}", connector.access);
                    return Err(Stop::dependency(what).hint("check store.url and s3.region, and that S3 is reachable"));
                }
                Err(failure) => {
                    return Err(Stop::start(format!("{} is of no use: {failure}", connector.access)).hint(
                        "the bucket has to exist, in s3.region, and the credentials have to let us in: \
                         --set s3.bucket.name=… --set s3.region=…, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                    ));
                }
            }
        }
        Ok(false)
    }

    /// At least one topic has to be there; others may come later. False: stopping was asked for.
    pub(super) fn find_topics(&self, kafka: &Settings) -> Result<bool, Stop> {
        // A pattern may match nothing yet.
        let named: Vec<&String> = self.connector.topics.iter().filter(|topic| !topic.starts_with('^')).collect();
        while !self.shutdown.is_requested() {
            match self.missing(kafka, &named) {
                Ok(missing) if missing.is_empty() => return Ok(true),
                Ok(missing) if self.fail_fast => {
                    let topic = missing[0];
                    let what = format!("sink {}: topic {topic} does not exist", self.connector.name);
                    return Err(
                        Stop::start(what).hint("create it, start what writes it, or name another: --set topics=…")
                    );
                }
                Ok(missing) if missing.len() < named.len() => return Ok(true),
                Ok(_) => {}
                Err(stop) if self.fail_fast || stop.exit != Exit::Dependency => return Err(stop),
                Err(stop) => drop(self.outage.away(&Thing::Brokers, &stop.what)),
            }
            self.shutdown.sleep(PAUSE);
        }
        Ok(false)
    }

    fn missing<'t>(&self, kafka: &Settings, named: &[&'t String]) -> Result<Vec<&'t String>, Stop> {
        let mut missing = Vec::new();
        for topic in named {
            let thing = Thing::Topic((*topic).clone());
            if topics::shape(kafka, topic)?.is_some() {
                self.outage.back(&thing);
            } else {
                self.outage.away(&thing, &"it does not exist");
                missing.push(*topic);
            }
        }
        self.outage.back(&Thing::Brokers);
        Ok(missing)
    }
}
