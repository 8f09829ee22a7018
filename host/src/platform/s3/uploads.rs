//! Multipart uploads: a folder for each, that goes when the upload is completed or aborted, and not before.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::about::{About, Said, customer_key, said};
use super::body::{self, Sums, hex, promise, sums};
use super::object::{Conditions, answer};
use super::store::{Place, Store, broken, read_json};

const PARTS_MAX: i32 = 10_000;
/// Of every part but the last.
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) begun_ms: u64,
    checksum_algorithm: Option<String>,
    said: Said,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// The name of the file with the bytes. A part that is sent again has another one, so words and bytes agree.
    pub(super) file: String,
    pub(super) md5: [u8; 16],
    pub(super) size: u64,
    pub(super) sums: Sums,
}

pub(super) fn create(store: &Store, input: CreateMultipartUploadInput) -> S3Result<CreateMultipartUploadOutput> {
    let place = store.place(&input.bucket, &input.key)?;
    let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let upload = Upload {
        bucket: place.bucket,
        key: place.key,
        begun_ms: begun.as_millis() as u64,
        checksum_algorithm: input.checksum_algorithm.as_ref().map(|algorithm| algorithm.as_str().to_owned()),
        said: said!(input),
    };
    let id = format!("{:032x}", rand::random::<u128>());
    let folder = store.uploads().join(&id);
    fs::create_dir(&folder).map_err(broken)?;
    store.save_json(&folder.join("upload.json"), &upload)?;
    let encryption = &upload.said.encryption;
    Ok(CreateMultipartUploadOutput {
        upload_id: Some(id),
        server_side_encryption: encryption.algorithm(),
        ssekms_key_id: encryption.kms_key_id.clone(),
        sse_customer_algorithm: encryption.customer_algorithm(),
        sse_customer_key_md5: encryption.customer_key_md5.clone(),
        checksum_algorithm: input.checksum_algorithm,
        bucket: Some(input.bucket),
        key: Some(input.key),
        ..Default::default()
    })
}

/// An upload that is under way, and where.
pub(super) struct Open {
    pub(super) folder: PathBuf,
    place: Place,
    upload: Upload,
}

pub(super) fn open(store: &Store, bucket: &str, key: &str, id: &str) -> S3Result<Open> {
    let place = store.place(bucket, key)?;
    let folder = store.uploads().join(id);
    // An id of another form could name another folder.
    let upload: Option<Upload> = match id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => read_json(&folder.join("upload.json"))?,
        false => None,
    };
    match upload.filter(|upload| upload.bucket == bucket && upload.key == key) {
        Some(upload) => Ok(Open { folder, place, upload }),
        None => Err(s3_error!(NoSuchUpload, "the upload {id:?} was never begun for this key, or is over")),
    }
}

impl Open {
    pub(super) fn part(&self, number: i32) -> S3Result<Option<Kept>> {
        read_json(&self.folder.join(format!("{number}.json")))
    }
}

pub(super) async fn part(store: &Store, mut request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let promise = promise!(request);
    let input = &mut request.input;
    let open = open(store, &input.bucket, &input.key, &input.upload_id)?;
    let number = input.part_number;
    if !(1..=PARTS_MAX).contains(&number) {
        return Err(s3_error!(InvalidArgument, "the part number {number} is not one of 1 to {PARTS_MAX}"));
    }
    open.upload.said.encryption.opens(customer_key!(input)?)?;
    let received = body::receive(store, input.body.take(), promise).await?;
    let before = open.part(number)?;
    let file = format!("{number}-{:016x}", rand::random::<u64>());
    let kept = Kept { file, md5: received.md5, size: received.size, sums: received.sums };
    let saved = received.temporary.rename(&open.folder.join(&kept.file)).map_err(broken);
    let saved = saved.and_then(|()| store.save_json(&open.folder.join(format!("{number}.json")), &kept));
    saved.map_err(|error| match open.folder.is_dir() {
        true => error,
        false => s3_error!(NoSuchUpload, "the upload was over before its part was there"),
    })?;
    if let Some(before) = before {
        fs::remove_file(open.folder.join(before.file)).ok();
    }
    let about = About { etag: hex(kept.md5), sums: kept.sums, said: open.upload.said, ..About::default() };
    Ok(answer!(UploadPartOutput {
        sse_customer_algorithm: about.said.encryption.customer_algorithm(),
        sse_customer_key_md5: about.said.encryption.customer_key_md5.clone(),
    } of &about))
}

/// Everything is checked before anything changes, so what is refused can be tried again.
pub(super) fn complete(store: &Store, input: CompleteMultipartUploadInput) -> S3Result<CompleteMultipartUploadOutput> {
    let open = open(store, &input.bucket, &input.key, &input.upload_id)?;
    let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let parts = chosen(&open, &listed)?;
    let mut whole = store.temporary()?;
    for part in &parts {
        let mut bytes = File::open(open.folder.join(&part.file)).map_err(broken)?;
        io::copy(&mut bytes, &mut whole.file).map_err(broken)?;
    }
    let digests: Vec<u8> = parts.iter().flat_map(|part| part.md5).collect();
    let about = About {
        etag: format!("{}-{}", hex(Md5::checksum(&digests)), parts.len()),
        sums: composite(open.upload.checksum_algorithm.as_deref(), parts),
        said: open.upload.said,
        ..About::default()
    };
    let answer = answer!(CompleteMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        location: Some(format!("/{}/{}", open.place.bucket, open.place.key)),
    } of &about);
    let conditions = Conditions { matching: input.if_match, none_matching: input.if_none_match };
    store.publish(&open.place, whole, about, &conditions)?;
    fs::remove_dir_all(&open.folder).map_err(broken)?;
    Ok(answer)
}

fn chosen(open: &Open, listed: &[CompletedPart]) -> S3Result<Vec<Kept>> {
    if listed.is_empty() {
        return Err(s3_error!(MalformedXML, "an upload is completed with one part at least"));
    }
    if !listed.is_sorted_by(|one, next| one.part_number < next.part_number) {
        return Err(s3_error!(InvalidPartOrder, "parts are listed by ascending numbers"));
    }
    let mut parts = Vec::with_capacity(listed.len());
    for (at, part) in listed.iter().enumerate() {
        let number = part.part_number.unwrap_or_default();
        let mut kept = open.part(number)?.ok_or_else(|| s3_error!(InvalidPart, "part {number} was not uploaded"))?;
        let etag = part.e_tag.as_ref().map(ETag::value);
        if etag != Some(&hex(kept.md5)) {
            return Err(s3_error!(InvalidPart, "part {number} has another ETag than {etag:?}"));
        }
        let mut given = sums!(part);
        if let Err(difference) = given.agree(&mut kept.sums) {
            return Err(s3_error!(InvalidPart, "part {number} has another checksum: {difference}"));
        }
        if let Some(algorithm) = &open.upload.checksum_algorithm
            && given.of(algorithm).is_none()
        {
            let what = "the complete request must include the checksum of each part";
            return Err(s3_error!(
                InvalidRequest,
                "the upload was created with {algorithm}: {what}, part {number} has none"
            ));
        }
        if kept.size < PART_BYTES_MIN && at + 1 < listed.len() {
            let size = kept.size;
            return Err(s3_error!(
                EntityTooSmall,
                "part {number} has {size} bytes; all but the last have {PART_BYTES_MIN} at least"
            ));
        }
        parts.push(kept);
    }
    Ok(parts)
}

/// The checksum of the parts' checksums, and how many there are. CRC64NVME has no such form.
fn composite(algorithm: Option<&str>, parts: Vec<Kept>) -> Sums {
    let Some(algorithm) = algorithm else { return Sums::default() };
    let mut hasher = ChecksumHasher {
        crc32: (algorithm == "CRC32").then(Default::default),
        crc32c: (algorithm == "CRC32C").then(Default::default),
        sha1: (algorithm == "SHA1").then(Default::default),
        sha256: (algorithm == "SHA256").then(Default::default),
        ..ChecksumHasher::default()
    };
    let count = parts.len();
    for mut part in parts {
        hasher.update(&part.sums.of(algorithm).and_then(|sum| STANDARD.decode(sum).ok()).unwrap_or_default());
    }
    let checksum = hasher.finalize();
    let mut sums = sums!(checksum);
    for (_, sum) in sums.named() {
        *sum = sum.take().map(|sum| format!("{sum}-{count}"));
    }
    sums
}

pub(super) fn abort(store: &Store, input: AbortMultipartUploadInput) -> S3Result<AbortMultipartUploadOutput> {
    let open = open(store, &input.bucket, &input.key, &input.upload_id)?;
    fs::remove_dir_all(&open.folder).map_err(broken)?;
    Ok(AbortMultipartUploadOutput::default())
}
