//! Listings of uploads that are under way, and of their parts.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use s3s::S3Result;
use s3s::dto::*;

use super::about::Stamp;
use super::body::hex;
use super::list::PAGE_MAX;
use super::store::{Store, broken, read_json};
use super::uploads::{Upload, open};

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

pub(super) fn uploads(store: &Store, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
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

fn names(folder: &Path) -> S3Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(broken)?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
