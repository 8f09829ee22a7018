//! Listings: in the order of the keys' bytes, in pages, with common prefixes.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use s3s::S3Result;
use s3s::dto::*;

use super::store::{Store, broken};

/// Of every listing.
pub(super) const PAGE_MAX: i32 = 1000;

pub(super) fn list(store: &Store, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let folder = store.bucket(&input.bucket)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let mut keys = BTreeSet::new();
    walk(&folder, "", prefix, &mut keys)?;
    let after = input.continuation_token.as_deref().or(input.start_after.as_deref()).unwrap_or_default();
    let limit = input.max_keys.unwrap_or(PAGE_MAX).clamp(0, PAGE_MAX);
    let mut entries = entries(keys, prefix, input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty()));
    entries.retain(|entry| entry.name() > after);
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(|entry| entry.name().to_owned());
    let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
    for entry in &entries {
        match entry {
            // None where it went while it was listed.
            Entry::Key(key) => contents.extend(object(store, &input.bucket, key)),
            Entry::Prefix(prefix) => common_prefixes.push(CommonPrefix { prefix: Some(prefix.clone()) }),
        }
    }
    // No encoding type in the answer: keys are not encoded, and clients that asked for it are told so by this.
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix,
        delimiter: input.delimiter,
        start_after: input.start_after,
        continuation_token: input.continuation_token,
        next_continuation_token: next,
        key_count: Some((contents.len() + common_prefixes.len()) as i32),
        max_keys: Some(limit),
        is_truncated: Some(more),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        ..Default::default()
    })
}

enum Entry {
    Key(String),
    Prefix(String),
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Entry::Key(name) | Entry::Prefix(name) => name,
        }
    }
}

/// In order, because keys with the same prefix stand together.
fn entries(keys: BTreeSet<String>, prefix: &str, delimiter: Option<&str>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for key in keys {
        let cut = delimiter.and_then(|delimiter| {
            let at = key[prefix.len()..].find(delimiter)?;
            Some(key[..prefix.len() + at + delimiter.len()].to_owned())
        });
        match cut {
            None => entries.push(Entry::Key(key)),
            Some(cut) if matches!(entries.last(), Some(Entry::Prefix(last)) if *last == cut) => {}
            Some(cut) => entries.push(Entry::Prefix(cut)),
        }
    }
    entries
}

fn object(store: &Store, bucket: &str, key: &str) -> Option<Object> {
    let found = store.place(bucket, key).and_then(|place| store.find(&place)).ok()?;
    Some(Object {
        key: Some(key.to_owned()),
        e_tag: Some(ETag::Strong(found.about.etag)),
        size: Some(found.stamp.size as i64),
        last_modified: Some(found.stamp.modified().into()),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Default::default()
    })
}

/// Into those folders only that can hold a key with the prefix.
fn walk(folder: &Path, at: &str, prefix: &str, keys: &mut BTreeSet<String>) -> S3Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(broken(error)),
    };
    for entry in entries {
        let entry = entry.map_err(broken)?;
        // Nothing that is not UTF-8 came from here, and S3 has no word for it.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let key = format!("{at}{name}");
        if entry.file_type().map_err(broken)?.is_dir() {
            let below = format!("{key}/");
            if below.starts_with(prefix) || prefix.starts_with(&below) {
                walk(&entry.path(), &below, prefix, keys)?;
            }
        } else if key.starts_with(prefix) {
            keys.insert(key);
        }
    }
    Ok(())
}
