//! Objects of files that are being written: parts go out as they fill up, the rest when the file closes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc as channel;
use tokio::task::JoinHandle;

use super::super::manifest::Manifest;
use super::upload::Upload;
use super::{Failure, Outbox};

/// Bytes that count as handed over until they are dropped.
pub(super) struct Charged {
    pub(super) bytes: Bytes,
    sum: Arc<AtomicUsize>,
}

impl Charged {
    pub(super) fn new(bytes: Vec<u8>, sum: &Arc<AtomicUsize>) -> Charged {
        sum.fetch_add(bytes.len(), Ordering::Relaxed);
        Charged { bytes: Bytes::from(bytes), sum: sum.clone() }
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// One object whose file is being written.
pub(in super::super) struct Object {
    key: String,
    pending: Vec<u8>,
    sending: Option<Sending>,
    length: u64,
}

pub(super) struct Sending {
    pub(super) parts: channel::UnboundedSender<Charged>,
    pub(super) task: JoinHandle<Result<Upload, Failure>>,
}

impl Object {
    pub(in super::super) fn new(key: String) -> Object {
        Object { key, pending: Vec::new(), sending: None, length: 0 }
    }

    /// Bytes that wait for their part to be full.
    pub(in super::super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Takes what a file has ready, and sends what makes whole parts.
    pub(in super::super) fn push(&mut self, mut ready: Vec<u8>, part_size: usize, outbox: &Outbox) {
        self.length += ready.len() as u64;
        if self.pending.is_empty() {
            self.pending = ready;
        } else {
            self.pending.append(&mut ready);
        }
        while self.pending.len() >= part_size {
            let rest = self.pending.split_off(part_size);
            let part = std::mem::replace(&mut self.pending, rest);
            self.send(part, outbox);
        }
    }

    fn send(&mut self, part: Vec<u8>, outbox: &Outbox) {
        let sending = self.sending.get_or_insert_with(|| {
            let (parts, inbox) = channel::unbounded_channel();
            Sending { parts, task: outbox.spawn_parts(self.key.clone(), inbox) }
        });
        // A failed upload says so when its file closes.
        sending.parts.send(outbox.charge(part)).ok();
    }

    /// The file is closed; `rest` is what it had not given yet.
    pub(in super::super) fn close(mut self, mut rest: Vec<u8>, outbox: &Outbox) -> Body {
        self.length += rest.len() as u64;
        self.pending.append(&mut rest);
        let last = outbox.charge(std::mem::take(&mut self.pending));
        Body { key: std::mem::take(&mut self.key), length: self.length, sending: self.sending.take(), last }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(sending) = &self.sending {
            sending.task.abort();
        }
    }
}

/// An object of a closed file.
pub(in super::super) struct Body {
    pub(in super::super) key: String,
    pub(in super::super) length: u64,
    pub(super) sending: Option<Sending>,
    pub(super) last: Charged,
}

/// A closed file: its objects in the order in which they are completed, then the tags of the first.
pub(in super::super) struct Closed {
    pub(in super::super) bodies: Vec<Body>,
    pub(in super::super) manifests: Vec<Manifest>,
    pub(in super::super) tags: Vec<(String, String)>,
    pub(in super::super) tags_required: bool,
    pub(in super::super) only_new: bool,
}
