//! Objects and their tags, in S3's terms.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use bytes::Bytes;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::about::{About, customer_key, said, tags_of_set};
use super::body::{self, hex, promise};
use super::store::{Found, Store, broken};

const CHUNK_BYTES: usize = 64 * 1024;

/// `If-Match` and `If-None-Match` of a request that writes.
pub(super) struct Conditions {
    pub(super) matching: Option<ETagCondition>,
    pub(super) none_matching: Option<ETagCondition>,
}

impl Conditions {
    pub(super) fn check(&self, existing: Option<&str>) -> S3Result<()> {
        let meets = |condition: &ETagCondition| match (condition, existing) {
            (_, None) => false,
            (ETagCondition::Any, Some(_)) => true,
            (ETagCondition::ETag(etag), Some(existing)) => etag.as_strong() == Some(existing),
        };
        if self.none_matching.as_ref().is_some_and(meets) {
            return Err(s3_error!(PreconditionFailed, "If-None-Match does not hold: the object exists"));
        }
        match &self.matching {
            Some(_) if existing.is_none() => Err(s3_error!(NoSuchKey, "If-Match does not hold: there is no object")),
            Some(condition) if !meets(condition) => {
                Err(s3_error!(PreconditionFailed, "If-Match does not hold: the object is another"))
            }
            _ => Ok(()),
        }
    }
}

/// An answer with the fields that S3 repeats in every answer about an object.
macro_rules! answer {
    ($type:ident { $($field:ident: $value:expr),* $(,)? } of $about:expr) => {{
        let about: &$crate::platform::s3::about::About = $about;
        $type {
            e_tag: Some(ETag::Strong(about.etag.clone())),
            checksum_crc32: about.sums.crc32.clone(),
            checksum_crc32c: about.sums.crc32c.clone(),
            checksum_crc64nvme: about.sums.crc64nvme.clone(),
            checksum_sha1: about.sums.sha1.clone(),
            checksum_sha256: about.sums.sha256.clone(),
            server_side_encryption: about.said.encryption.algorithm(),
            ssekms_key_id: about.said.encryption.kms_key_id.clone(),
            $($field: $value,)*
            ..Default::default()
        }
    }};
}
pub(super) use answer;

/// The fields that a read adds.
macro_rules! read_answer {
    ($type:ident { $($field:ident: $value:expr),* $(,)? } of $about:expr) => {{
        let about: &About = $about;
        answer!($type {
            accept_ranges: Some("bytes".to_owned()),
            content_type: about.said.content_type.clone().or_else(|| Some("binary/octet-stream".to_owned())),
            content_encoding: about.said.content_encoding.clone(),
            content_disposition: about.said.content_disposition.clone(),
            content_language: about.said.content_language.clone(),
            cache_control: about.said.cache_control.clone(),
            metadata: about.said.metadata(),
            last_modified: Some(about.stamp.modified().into()),
            sse_customer_algorithm: about.said.encryption.customer_algorithm(),
            sse_customer_key_md5: about.said.encryption.customer_key_md5.clone(),
            $($field: $value),*
        } of about)
    }};
}

pub(super) async fn put(store: &Store, mut request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    let promise = promise!(request);
    let input = &mut request.input;
    let place = store.place(&input.bucket, &input.key)?;
    let said = said!(input);
    let conditions = Conditions { matching: input.if_match.take(), none_matching: input.if_none_match.take() };
    let received = body::receive(store, input.body.take(), promise).await?;
    let about = About { etag: hex(received.md5), sums: received.sums, said, ..About::default() };
    let answer = answer!(PutObjectOutput {
        sse_customer_algorithm: about.said.encryption.customer_algorithm(),
        sse_customer_key_md5: about.said.encryption.customer_key_md5.clone(),
    } of &about);
    store.publish(&place, received.temporary, about, &conditions)?;
    Ok(answer)
}

pub(super) fn get(store: &Store, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let Found { mut file, stamp, mut about } = store.find(&store.place(&input.bucket, &input.key)?)?;
    about.said.encryption.opens(customer_key!(input)?)?;
    readable(&about, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let mut range = 0..stamp.size;
    if let Some(asked) = input.range {
        range = asked.check(stamp.size)?;
        file.seek(SeekFrom::Start(range.start)).map_err(broken)?;
    }
    let part = range != (0..stamp.size);
    if part || input.checksum_mode.is_none() {
        about.sums = Default::default();
    }
    let length = range.end - range.start;
    Ok(read_answer!(GetObjectOutput {
        body: Some(stream(file, length)),
        content_length: Some(length as i64),
        content_range: input.range.map(|_| format!("bytes {}-{}/{}", range.start, range.end - 1, stamp.size)),
        tag_count: Some(about.said.tags.len() as i32).filter(|count| *count > 0),
    } of &about))
}

pub(super) fn head(store: &Store, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let Found { stamp, mut about, .. } = store.find(&store.place(&input.bucket, &input.key)?)?;
    about.said.encryption.opens(customer_key!(input)?)?;
    readable(&about, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    if input.checksum_mode.is_none() {
        about.sums = Default::default();
    }
    Ok(read_answer!(HeadObjectOutput { content_length: Some(stamp.size as i64) } of &about))
}

pub(super) fn delete(store: &Store, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    store.remove(&store.place(&input.bucket, &input.key)?)?;
    Ok(DeleteObjectOutput::default())
}

pub(super) fn delete_all(store: &Store, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
    store.bucket(&input.bucket)?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let removed = store.place(&input.bucket, &object.key).and_then(|place| store.remove(&place));
        let key = Some(object.key);
        match removed {
            Ok(()) => deleted.push(DeletedObject { key, ..Default::default() }),
            Err(error) => errors.push(Error {
                key,
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                ..Default::default()
            }),
        }
    }
    let deleted = Some(deleted).filter(|_| input.delete.quiet != Some(true));
    Ok(DeleteObjectsOutput { deleted, errors: Some(errors), ..Default::default() })
}

pub(super) fn tags(store: &Store, input: GetObjectTaggingInput) -> S3Result<GetObjectTaggingOutput> {
    let found = store.find(&store.place(&input.bucket, &input.key)?)?;
    let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
    let tag_set = found.about.said.tags.into_iter().map(tag).collect();
    Ok(GetObjectTaggingOutput { tag_set, ..Default::default() })
}

pub(super) fn set_tags(store: &Store, bucket: &str, key: &str, tags: Vec<Tag>) -> S3Result<()> {
    let place = store.place(bucket, key)?;
    let tags = tags_of_set(tags)?;
    store.change(&place, |about| about.said.tags = tags)
}

fn readable(about: &About, matching: Option<&ETagCondition>, none_matching: Option<&ETagCondition>) -> S3Result<()> {
    let is = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.as_strong() == Some(&about.etag),
    };
    if matching.is_some_and(|condition| !is(condition)) {
        return Err(s3_error!(PreconditionFailed, "If-Match does not hold: the object is another"));
    }
    if none_matching.is_some_and(is) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

fn stream(file: File, length: u64) -> StreamingBlob {
    let mut file = file.take(length);
    let chunks = std::iter::from_fn(move || {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        match file.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk) {
            Ok(0) => None,
            read => Some(read.map(|_| Bytes::from(chunk))),
        }
    });
    StreamingBlob::wrap(futures_util::stream::iter(chunks))
}
