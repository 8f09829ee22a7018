//! The door to aws-sdk-s3: the requests that a sink makes, and what their errors mean.
//!
//! Never decides how long to go on trying, and never prints a secret.

/// The same three headers on every request that has to do with an object's content; their builders share no type.
macro_rules! with_customer_key {
    ($store:ident, $request:expr) => {
        match &$store.access.encryption {
            Encryption::Customer(given) => $request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(&given.key)
                .sse_customer_key_md5(&given.digest),
            _ => $request,
        }
    };
}

mod access;
mod failure;
mod object;
mod outbox;
mod reading;
mod upload;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, ServerSideEncryption, Tag, Tagging,
};
use bytes::Bytes;

pub(super) use access::Access;
use access::Encryption;
pub(super) use failure::Failure;
pub(super) use object::{Body, Closed, Object};
pub(super) use outbox::{Ended, Outbox};

use crate::exit::Stop;

/// A bucket, reached.
#[derive(Debug, Clone)]
pub(super) struct Store {
    client: Client,
    access: Access,
}

impl Store {
    /// Looks up credentials when they are first needed; asks nothing of S3.
    pub(super) async fn open(access: &Access) -> Result<Store, Stop> {
        Ok(Store { client: access.client().await?, access: access.clone() })
    }

    /// The bucket is there and we are let in.
    pub(super) async fn look(&self) -> Result<(), Failure> {
        let answer = self.client.head_bucket().bucket(&self.access.bucket).send().await;
        answer.map(drop).map_err(|error| Failure::of(error, &format!("bucket {}", self.access.bucket)))
    }

    async fn create(&self, key: &str) -> Result<String, Failure> {
        let Access { bucket, acl, encryption, .. } = &self.access;
        let request = self.client.create_multipart_upload().bucket(bucket).key(key).set_acl(acl.clone());
        // Some stores refuse the checksums of parts that were not announced.
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32).content_type("binary/octet-stream");
        let request = match encryption {
            Encryption::None | Encryption::Customer(_) => with_customer_key!(self, request),
            Encryption::Aes256 => request.server_side_encryption(ServerSideEncryption::Aes256),
            Encryption::Kms(id) => request.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(id),
        };
        let answer = request.send().await.map_err(|error| Failure::of(error, key))?;
        answer.upload_id.ok_or_else(|| Failure::Away(format!("{key}: S3 gave no upload id")))
    }

    /// What is small enough for one request.
    async fn put_small(&self, key: &str, json: &[u8]) -> Result<(), Failure> {
        let Access { bucket, acl, encryption, .. } = &self.access;
        let request = self.client.put_object().bucket(bucket).key(key).set_acl(acl.clone());
        let request = request.content_type("application/json").body(ByteStream::from(json.to_vec()));
        let request = match encryption {
            Encryption::None | Encryption::Customer(_) => with_customer_key!(self, request),
            Encryption::Aes256 => request.server_side_encryption(ServerSideEncryption::Aes256),
            Encryption::Kms(id) => request.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(id),
        };
        request.send().await.map(drop).map_err(|error| Failure::of(error, key))
    }

    async fn part(&self, key: &str, upload: &str, number: i32, bytes: Bytes) -> Result<CompletedPart, Failure> {
        let request = self.client.upload_part().bucket(&self.access.bucket).key(key).upload_id(upload);
        let request = request.part_number(number).checksum_algorithm(ChecksumAlgorithm::Crc32);
        let request = with_customer_key!(self, request);
        let answer = request.body(ByteStream::from(bytes)).send().await.map_err(|error| Failure::of(error, key))?;
        let part = CompletedPart::builder().part_number(number);
        Ok(part.set_e_tag(answer.e_tag).set_checksum_crc32(answer.checksum_crc32).build())
    }

    /// `only_new`: not where an object of this key is there.
    async fn complete(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
        only_new: bool,
    ) -> Result<(), Failure> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.access.bucket).key(key);
        let request = request.upload_id(upload).multipart_upload(parts);
        let request = if only_new { request.if_none_match("*") } else { request };
        let request = with_customer_key!(self, request);
        request.send().await.map(drop).map_err(|error| Failure::of(error, key))
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), Failure> {
        let request = self.client.abort_multipart_upload().bucket(&self.access.bucket).key(key).upload_id(upload);
        request.send().await.map(drop).map_err(|error| Failure::of(error, key))
    }

    /// Length and, where the store keeps it, CRC32 of an object.
    async fn head(&self, key: &str) -> Result<(i64, Option<String>), Failure> {
        let request = self.client.head_object().bucket(&self.access.bucket).key(key);
        let request = request.checksum_mode(ChecksumMode::Enabled);
        let request = with_customer_key!(self, request);
        let answer = request.send().await.map_err(|error| Failure::of(error, key))?;
        Ok((answer.content_length.unwrap_or_default(), answer.checksum_crc32))
    }

    /// What an object's tags say of its last record.
    async fn end_offset(&self, key: &str) -> Result<Option<i64>, Failure> {
        let request = self.client.get_object_tagging().bucket(&self.access.bucket).key(key);
        let answer = request.send().await.map_err(|error| Failure::of(error, key))?;
        let found = answer.tag_set.into_iter().find(|tag| tag.key == "endOffset");
        Ok(found.and_then(|tag| tag.value.parse().ok()))
    }

    pub(super) async fn tag(&self, key: &str, tags: &[(String, String)]) -> Result<(), Failure> {
        let wrong = |error: aws_sdk_s3::error::BuildError| Failure::Refused(format!("tags of {key}: {error}"));
        let tag = |(name, value): &(String, String)| Tag::builder().key(name).value(value).build().map_err(wrong);
        let set = tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let tagging = Tagging::builder().set_tag_set(Some(set)).build().map_err(wrong)?;
        let request = self.client.put_object_tagging().bucket(&self.access.bucket).key(key).tagging(tagging);
        request.send().await.map(drop).map_err(|error| Failure::of(error, key))
    }
}
