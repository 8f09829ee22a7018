//! What is kept beside an object: what its headers said, its tags, its encryption as it was asked for, its digests.

use std::collections::{BTreeMap, HashMap};
use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::{ServerSideEncryption, Tag};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::body::{Sums, bad_request};

/// S3's limits on tags.
const TAGS_MAX: usize = 10;
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) stamp: Stamp,
    pub(super) etag: String,
    pub(super) sums: Sums,
    pub(super) said: Said,
}

/// Tells the file that was described from another in its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) size: u64,
    modified_ns: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Stamp { size: metadata.len(), modified_ns: since.unwrap_or_default().as_nanos() as u64 }
    }

    pub(super) fn modified(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.modified_ns)
    }
}

/// What the request that made an object (or its upload) said of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) encryption: Encryption,
}

/// Taken out of a request that makes an object, or an upload.
macro_rules! said {
    ($input:expr) => {
        $crate::platform::s3::about::Said {
            content_type: $input.content_type.clone(),
            content_encoding: $input.content_encoding.clone(),
            content_disposition: $input.content_disposition.clone(),
            content_language: $input.content_language.clone(),
            cache_control: $input.cache_control.clone(),
            metadata: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
            tags: $crate::platform::s3::about::tags_of_header($input.tagging.as_deref())?,
            encryption: $crate::platform::s3::about::Encryption {
                algorithm: $input.server_side_encryption.as_ref().map(|algorithm| algorithm.as_str().to_owned()),
                kms_key_id: $input.ssekms_key_id.clone(),
                customer_key_md5: $crate::platform::s3::about::customer_key!($input)?,
            }
            .checked()?,
        }
    };
}
pub(super) use said;

impl Said {
    pub(super) fn metadata(&self) -> Option<HashMap<String, String>> {
        Some(self.metadata.clone().into_iter().collect())
    }
}

/// As asked for. Nothing is encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Encryption {
    pub(super) algorithm: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) customer_key_md5: Option<String>,
}

impl Encryption {
    pub(super) fn checked(self) -> S3Result<Encryption> {
        let algorithm = self.algorithm.as_deref();
        if algorithm.is_some_and(|name| !matches!(name, "AES256" | "aws:kms" | "aws:kms:dsse")) {
            return Err(s3_error!(InvalidArgument, "the encryption method {algorithm:?} is not supported"));
        }
        if self.kms_key_id.is_some() && algorithm.is_none_or(|name| name == "AES256") {
            return Err(s3_error!(InvalidArgument, "a KMS key needs server-side encryption aws:kms"));
        }
        if algorithm.is_some() && self.customer_key_md5.is_some() {
            return Err(s3_error!(InvalidArgument, "server-side encryption is either S3's or with a customer's key"));
        }
        Ok(self)
    }

    pub(super) fn algorithm(&self) -> Option<ServerSideEncryption> {
        self.algorithm.clone().map(ServerSideEncryption::from)
    }

    pub(super) fn customer_algorithm(&self) -> Option<String> {
        self.customer_key_md5.as_ref().map(|_| "AES256".to_owned())
    }

    /// Reading, or adding a part, takes the same customer key again.
    pub(super) fn opens(&self, customer_key_md5: Option<String>) -> S3Result<()> {
        if self.customer_key_md5 == customer_key_md5 {
            return Ok(());
        }
        Err(s3_error!(
            InvalidRequest,
            "the object was stored with another form of server-side encryption, or another key"
        ))
    }
}

/// The MD5 of a customer's key. The key itself is never kept.
macro_rules! customer_key {
    ($input:expr) => {
        $crate::platform::s3::about::customer_key_md5(
            $input.sse_customer_algorithm.as_deref(),
            $input.sse_customer_key.as_deref(),
            $input.sse_customer_key_md5.as_deref(),
        )
    };
}
pub(super) use customer_key;

pub(super) fn customer_key_md5(
    algorithm: Option<&str>,
    key: Option<&str>,
    md5: Option<&str>,
) -> S3Result<Option<String>> {
    if (algorithm, key, md5) == (None, None, None) {
        return Ok(None);
    }
    let right = key.and_then(|key| STANDARD.decode(key).ok()).filter(|key| key.len() == 32).map(|key| {
        let digest: [u8; 16] = Md5::checksum(&key);
        STANDARD.encode(digest)
    });
    if algorithm != Some("AES256") || right.is_none() || right.as_deref() != md5 {
        return Err(s3_error!(InvalidArgument, "a customer's key is AES256, 32 bytes in base64, with its MD5"));
    }
    Ok(right)
}

/// `x-amz-tagging`: a URL's query.
pub(super) fn tags_of_header(header: Option<&str>) -> S3Result<Vec<(String, String)>> {
    checked_tags(form_urlencoded::parse(header.unwrap_or_default().as_bytes()).into_owned().collect())
}

pub(super) fn tags_of_set(set: Vec<Tag>) -> S3Result<Vec<(String, String)>> {
    checked_tags(set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect())
}

fn checked_tags(tags: Vec<(String, String)>) -> S3Result<Vec<(String, String)>> {
    if tags.len() > TAGS_MAX {
        return Err(bad_request("BadRequest", format!("an object has {TAGS_MAX} tags at most, not {}", tags.len())));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX {
            return Err(s3_error!(InvalidTag, "the tag key {key:?} must have 1 to {TAG_KEY_CHARS_MAX} characters"));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
            let what = "has a value of more than";
            return Err(s3_error!(InvalidTag, "the tag {key:?} {what} {TAG_VALUE_CHARS_MAX} characters"));
        }
        if tags[..at].iter().any(|(other, _)| other == key) {
            return Err(s3_error!(InvalidTag, "there are two tags with the key {key:?}"));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_keep_to_the_limits_of_s3() {
        let many = |count: usize| (0..count).map(|tag| format!("k{tag}=v")).collect::<Vec<_>>().join("&");
        let [long_key, long_value] = ["k".repeat(128), "é".repeat(256)];
        let code = |header: &str| tags_of_header(Some(header)).err().map(|error| error.code().as_str().to_owned());
        for header in ["", "a=1&b=", &many(10), &format!("{long_key}={long_value}")] {
            assert_eq!(code(header), None, "{header}");
        }
        assert_eq!(code(&many(11)).as_deref(), Some("BadRequest"));
        for header in ["a=1&a=2", "=1", &format!("{long_key}x=1"), &format!("a={long_value}x")] {
            assert_eq!(code(header).as_deref(), Some("InvalidTag"), "{header}");
        }
        let tags = tags_of_header(Some("a+b=%C3%A9%26")).unwrap();
        assert_eq!(tags, [("a b".to_owned(), "é&".to_owned())]);
    }
}
