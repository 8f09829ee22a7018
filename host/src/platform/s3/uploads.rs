//! Multipart uploads: a folder for each, that goes when the upload is completed or aborted, and not before.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::about::{About, Said, Stamp, customer_key, said};
use super::body::{self, Sums, hex, promise, sums};
use super::object::{Conditions, answer};
use super::store::{Place, Store, broken, read_json};

const PARTS_MAX: i32 = 10_000;
/// Of every part but the last.
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
const PAGE_MAX: i32 = 1000;

#[derive(Serialize, Deserialize)]
struct Upload {
    bucket: String,
    key: String,
    begun_ms: u64,
    checksum_algorithm: Option<String>,
    said: Said,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// The name of the file with the bytes. A part that is sent again has another one, so words and bytes agree.
    file: String,
    md5: [u8; 16],
    size: u64,
    sums: Sums,
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
    store.save_json(&store.uploads().join(&id).join("upload.json"), &upload)?;
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
struct Open {
    folder: PathBuf,
    place: Place,
    upload: Upload,
}

fn open(store: &Store, bucket: &str, key: &str, id: &str) -> S3Result<Open> {
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
    fn part(&self, number: i32) -> S3Result<Option<Kept>> {
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
    // Not there any more where the upload was aborted meanwhile.
    received.temporary.rename(&open.folder.join(&file)).map_err(|_| s3_error!(NoSuchUpload))?;
    let kept = Kept { file, md5: received.md5, size: received.size, sums: received.sums };
    store.save_json(&open.folder.join(format!("{number}.json")), &kept)?;
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

pub(super) fn parts(store: &Store, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let open = open(store, &input.bucket, &input.key, &input.upload_id)?;
    let mut numbers: Vec<i32> =
        names(&open.folder)?.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.retain(|number| *number > input.part_number_marker.unwrap_or(0));
    let limit = input.max_parts.unwrap_or(PAGE_MAX).clamp(0, PAGE_MAX);
    let more = numbers.len() > limit as usize;
    numbers.truncate(limit as usize);
    let mut parts = Vec::with_capacity(numbers.len());
    for number in &numbers {
        let Some(kept) = open.part(*number)? else { continue };
        let metadata = fs::metadata(open.folder.join(&kept.file)).map_err(broken)?;
        parts.push(Part {
            part_number: Some(*number),
            e_tag: Some(ETag::Strong(hex(kept.md5))),
            size: Some(kept.size as i64),
            last_modified: Some(Stamp::of(&metadata).modified().into()),
            checksum_crc32: kept.sums.crc32,
            ..Default::default()
        });
    }
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: input.part_number_marker,
        next_part_number_marker: numbers.last().copied().filter(|_| more),
        max_parts: Some(limit),
        is_truncated: Some(more),
        parts: Some(parts),
        ..Default::default()
    })
}

pub(super) fn list(store: &Store, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
    store.bucket(&input.bucket)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let after = (input.key_marker.as_deref().unwrap_or_default(), input.upload_id_marker.as_deref());
    let mut found = Vec::new();
    for id in names(&store.uploads())? {
        let Some(upload) = read_json::<Upload>(&store.uploads().join(&id).join("upload.json"))? else { continue };
        // Without an id, the marker stands behind all uploads of its key.
        let past = match after {
            (key, None) => upload.key.as_str() > key,
            (key, Some(marker)) => (upload.key.as_str(), id.as_str()) > (key, marker),
        };
        if upload.bucket == input.bucket && upload.key.starts_with(prefix) && past {
            found.push((upload.key, id, upload.begun_ms));
        }
    }
    found.sort();
    let limit = input.max_uploads.unwrap_or(PAGE_MAX).clamp(0, PAGE_MAX);
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| more).cloned();
    let uploads = found.into_iter().map(|(key, id, begun_ms)| MultipartUpload {
        key: Some(key),
        upload_id: Some(id),
        initiated: Some((UNIX_EPOCH + Duration::from_millis(begun_ms)).into()),
        ..Default::default()
    });
    Ok(ListMultipartUploadsOutput {
        uploads: Some(uploads.collect()),
        bucket: Some(input.bucket),
        prefix: input.prefix,
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        next_key_marker: last.as_ref().map(|(key, ..)| key.clone()),
        next_upload_id_marker: last.map(|(_, id, _)| id),
        max_uploads: Some(limit),
        is_truncated: Some(more),
        ..Default::default()
    })
}

fn names(folder: &std::path::Path) -> S3Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(broken)?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
