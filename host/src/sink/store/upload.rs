//! One multipart upload: parts, completion, and what is made of an answer that got lost.

use aws_sdk_s3::types::CompletedPart;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{Failure, Outbox};

/// A multipart upload that S3 knows. Aborted unless it is completed.
pub(super) struct Upload {
    outbox: Outbox,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
    length: i64,
    completed: bool,
}

impl Upload {
    pub(super) fn new(outbox: Outbox, key: String, id: String) -> Upload {
        Upload { outbox, key, id, parts: Vec::new(), length: 0, completed: false }
    }

    pub(super) async fn part(&mut self, bytes: Bytes) -> Result<(), Failure> {
        let number = self.parts.len() as i32 + 1;
        let length = bytes.len() as i64;
        let send = || self.outbox.store.part(&self.key, &self.id, number, bytes.clone());
        let part = self.outbox.persist(send).await?;
        self.parts.push(part);
        self.length += length;
        Ok(())
    }

    pub(super) async fn complete(mut self, only_new: bool) -> Result<(), Failure> {
        let mut answer = self.try_complete(only_new).await;
        if let Err(Failure::Gone(_) | Failure::Exists(_)) = answer
            && self.is_there().await
        {
            answer = Ok(());
        }
        if let Err(Failure::Exists(why)) = answer {
            answer = match self.outbox.persist(|| self.outbox.store.end_offset(&self.key)).await {
                Ok(Some(end)) => Err(Failure::Covered(end)),
                _ => {
                    tracing::warn!("replaced, since it does not say by a tag where it ends: {why}");
                    self.try_complete(false).await
                }
            };
        }
        // An upload that is not known needs no abort.
        self.completed = matches!(answer, Ok(()) | Err(Failure::Gone(_)));
        answer
    }

    async fn try_complete(&self, only_new: bool) -> Result<(), Failure> {
        let complete = || self.outbox.store.complete(&self.key, &self.id, self.parts.clone(), only_new);
        self.outbox.persist(complete).await
    }

    /// An answer that got lost on its way: the object stands there as it should.
    async fn is_there(&self) -> bool {
        let head = self.outbox.persist(|| self.outbox.store.head(&self.key)).await;
        let Ok((length, checksum)) = head else { return false };
        let same = |found: String| self.checksum().is_none_or(|ours| found.starts_with(&ours));
        length == self.length && checksum.is_none_or(same)
    }

    /// As S3 makes it: of the checksums of all parts.
    fn checksum(&self) -> Option<String> {
        let mut all = flate2::Crc::new();
        for part in &self.parts {
            all.update(&STANDARD.decode(part.checksum_crc32()?).ok()?);
        }
        Some(STANDARD.encode(all.sum().to_be_bytes()))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.completed {
            return;
        }
        self.outbox.spawn_abort(std::mem::take(&mut self.key), std::mem::take(&mut self.id));
    }
}
