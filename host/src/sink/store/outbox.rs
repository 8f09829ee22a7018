//! Where closed files are handed over: completed together, waited for while S3 is away.
//!
//! What S3 has forgotten is sent again if all of it is still here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc as channel};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::super::manifest::Manifest;
use super::object::{Body, Charged, Closed, Sending};
use super::upload::Upload;
use super::{Failure, Store};
use crate::kafka::patience::{Outage, Thing};

/// Files that are completed at the same time.
const SLOTS: usize = 16;
/// So often in a row S3 may forget one upload.
const BEGINNINGS_MAX: usize = 5;

/// Where objects are handed over. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(in super::super) struct Outbox {
    runtime: Handle,
    pub(super) store: Arc<Store>,
    slots: Arc<Semaphore>,
    outage: Arc<Outage>,
    pause: Duration,
    /// Bytes that were handed over and are not in S3 yet.
    bytes: Arc<AtomicUsize>,
    /// Aborts that are under way.
    aborts: Arc<AtomicUsize>,
}

/// How a flush ended.
pub(in super::super) struct Ended {
    pub(in super::super) flush: u64,
    pub(in super::super) result: Result<(), Failure>,
}

impl Outbox {
    pub(in super::super) fn new(store: Store, runtime: Handle, outage: Arc<Outage>, pause: Duration) -> Outbox {
        Outbox {
            runtime,
            store: Arc::new(store),
            slots: Arc::new(Semaphore::new(SLOTS)),
            outage,
            pause: pause.max(Duration::from_millis(10)),
            bytes: Arc::default(),
            aborts: Arc::default(),
        }
    }

    pub(super) fn charge(&self, bytes: Vec<u8>) -> Charged {
        Charged::new(bytes, &self.bytes)
    }

    /// Bytes that were handed over and are not in S3 yet.
    pub(in super::super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits for aborts that are under way.
    pub(in super::super) fn settle(&self, limit: Duration) {
        let begun = Instant::now();
        while self.aborts.load(Ordering::Acquire) > 0 && begun.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Completes all files; says so once all are complete, or one has failed.
    pub(in super::super) fn flush(&self, flush: u64, files: Vec<Closed>, ended: &mpsc::Sender<Ended>) -> AbortHandle {
        let (outbox, ended) = (self.clone(), ended.clone());
        let task = self.runtime.spawn(async move {
            let mut running = JoinSet::new();
            for file in files {
                running.spawn(outbox.clone().finish(file));
            }
            let mut result = Ok(());
            while let Some(joined) = running.join_next().await {
                let one = joined.unwrap_or_else(|error| Err(Failure::Gone(error.to_string())));
                if one.is_err() {
                    result = one;
                    break;
                }
            }
            // Nobody listens any more once the worker has ended.
            ended.send(Ended { flush, result }).ok();
        });
        task.abort_handle()
    }

    async fn finish(self, file: Closed) -> Result<(), Failure> {
        let Ok(_slot) = self.slots.clone().acquire_owned().await else {
            return Err(Failure::Gone("no slot".into()));
        };
        let tagged = file.bodies.first().map(|body| body.key.clone()).unwrap_or_default();
        for body in file.bodies {
            self.put(body, file.only_new).await?;
        }
        if !file.tags.is_empty() {
            match self.persist(|| self.store.tag(&tagged, &file.tags)).await {
                Err(failure) if !file.tags_required => tracing::warn!("tags of {tagged} could not be set: {failure}"),
                other => other?,
            }
        }
        for Manifest { key, json } in &file.manifests {
            self.persist(|| self.store.put_small(key, json)).await?;
        }
        Ok(())
    }

    async fn put(&self, body: Body, only_new: bool) -> Result<(), Failure> {
        let Body { key, sending: Some(Sending { parts, task }), last, .. } = body else {
            return self.put_whole(&body.key, body.last.bytes.clone(), only_new).await;
        };
        // What is already at S3 cannot be sent again: the file is made again.
        if !last.bytes.is_empty() {
            parts.send(last).ok();
        }
        drop(parts);
        let upload = task.await.unwrap_or_else(|error| Err(Failure::Gone(format!("{key}: {error}"))))?;
        upload.complete(only_new).await
    }

    async fn put_whole(&self, key: &str, bytes: Bytes, only_new: bool) -> Result<(), Failure> {
        for _ in 1..BEGINNINGS_MAX {
            match self.try_whole(key, bytes.clone(), only_new).await {
                Err(Failure::Gone(why)) => tracing::warn!("sent again from the start: {why}"),
                other => return other,
            }
        }
        self.try_whole(key, bytes, only_new).await
    }

    async fn try_whole(&self, key: &str, bytes: Bytes, only_new: bool) -> Result<(), Failure> {
        let mut upload = self.begin(key.to_owned()).await?;
        upload.part(bytes).await?;
        upload.complete(only_new).await
    }

    async fn begin(&self, key: String) -> Result<Upload, Failure> {
        let id = self.persist(|| self.store.create(&key)).await?;
        Ok(Upload::new(self.clone(), key, id))
    }

    /// Sends parts as they come.
    pub(super) fn spawn_parts(
        &self,
        key: String,
        inbox: channel::UnboundedReceiver<Charged>,
    ) -> JoinHandle<Result<Upload, Failure>> {
        self.runtime.spawn(self.clone().parts(key, inbox))
    }

    /// Aborts an upload that nobody wants any more.
    pub(super) fn spawn_abort(&self, key: String, id: String) {
        let (store, under_way) = (self.store.clone(), self.aborts.clone());
        under_way.fetch_add(1, Ordering::AcqRel);
        self.runtime.spawn(async move {
            if let Err(failure) = store.abort(&key, &id).await {
                tracing::debug!("not aborted: {failure}");
            }
            under_way.fetch_sub(1, Ordering::AcqRel);
        });
    }

    async fn parts(self, key: String, mut inbox: channel::UnboundedReceiver<Charged>) -> Result<Upload, Failure> {
        let mut upload = self.begin(key).await?;
        while let Some(part) = inbox.recv().await {
            upload.part(part.bytes.clone()).await?;
        }
        Ok(upload)
    }

    /// Again and again while S3 is away.
    pub(super) async fn persist<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Failure> {
        let thing = Thing::Bucket(self.store.access.bucket.clone());
        loop {
            match attempt().await {
                Err(Failure::Away(why)) => {
                    self.outage.away(&thing, &why);
                    tokio::time::sleep(self.pause).await;
                }
                other => {
                    self.outage.back(&thing);
                    return other;
                }
            }
        }
    }
}
