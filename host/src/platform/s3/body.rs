//! Bodies on their way in: to a temporary file, with every digest that the client gave checked before it counts.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt;
use hyper::{HeaderMap, StatusCode};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};
use serde::{Deserialize, Serialize};

use super::store::{Store, Temporary, broken};

/// S3's checksums of some bytes, in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) crc32: Option<String>,
    pub(super) crc32c: Option<String>,
    pub(super) crc64nvme: Option<String>,
    pub(super) sha1: Option<String>,
    pub(super) sha256: Option<String>,
}

/// The checksum fields that many of S3's messages have.
macro_rules! sums {
    ($from:expr) => {
        $crate::platform::s3::body::Sums {
            crc32: $from.checksum_crc32.clone(),
            crc32c: $from.checksum_crc32c.clone(),
            crc64nvme: $from.checksum_crc64nvme.clone(),
            sha1: $from.checksum_sha1.clone(),
            sha256: $from.checksum_sha256.clone(),
        }
    };
}
pub(super) use sums;

impl Sums {
    pub(super) fn named(&mut self) -> [(&'static str, &mut Option<String>); 5] {
        [
            ("CRC32", &mut self.crc32),
            ("CRC32C", &mut self.crc32c),
            ("CRC64NVME", &mut self.crc64nvme),
            ("SHA1", &mut self.sha1),
            ("SHA256", &mut self.sha256),
        ]
    }

    pub(super) fn of(&mut self, algorithm: &str) -> Option<&str> {
        self.named().into_iter().find(|(name, _)| *name == algorithm).and_then(|(_, sum)| sum.as_deref())
    }

    /// Each sum that is here is the other's too.
    pub(super) fn agree(&mut self, other: &mut Sums) -> Result<(), String> {
        for ((name, mine), (_, theirs)) in self.named().into_iter().zip(other.named()) {
            if let Some(mine) = mine
                && theirs.as_ref() != Some(mine)
            {
                return Err(format!("{name}: {mine} was given, {} is right", theirs.as_deref().unwrap_or("none")));
            }
        }
        Ok(())
    }
}

/// What a client said of the body before, or says after it.
pub(super) struct Promise {
    pub(super) md5: Option<String>,
    pub(super) sums: Sums,
    /// The algorithms that are named; where the sum follows the body, that is all that comes before it.
    pub(super) algorithms: String,
    pub(super) trailers: Option<TrailingHeaders>,
}

/// Taken out of a request that has a body.
macro_rules! promise {
    ($request:expr) => {
        $crate::platform::s3::body::Promise {
            md5: $request.input.content_md5.clone(),
            sums: $crate::platform::s3::body::sums!($request.input),
            algorithms: $crate::platform::s3::body::algorithms(&$request.headers),
            trailers: $request.trailing_headers.clone(),
        }
    };
}
pub(super) use promise;

/// A body that is all there, and is what was promised.
pub(super) struct Received {
    pub(super) temporary: Temporary,
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) sums: Sums,
}

pub(super) async fn receive(store: &Store, body: Option<StreamingBlob>, mut promise: Promise) -> S3Result<Received> {
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let mut temporary = store.temporary()?;
    let (mut md5, mut hasher, mut size) = (Md5::new(), promise.hasher(), 0);
    while let Some(bytes) = body.try_next().await.map_err(|error| unread(&error.to_string()))? {
        md5.update(&bytes);
        hasher.update(&bytes);
        size += bytes.len() as u64;
        temporary.file.write_all(&bytes).map_err(broken)?;
    }
    let (md5, mut sums) = (md5.finalize(), computed(hasher));
    promise.check(md5, &mut sums)?;
    Ok(Received { temporary, size, md5, sums })
}

impl Promise {
    fn wants(&mut self, algorithm: &str) -> bool {
        self.sums.of(algorithm).is_some() || self.algorithms.split(' ').any(|named| named == algorithm)
    }

    /// What the client uses is computed, and CRC32: cheap, and what S3's clients use by default.
    fn hasher(&mut self) -> ChecksumHasher {
        ChecksumHasher {
            crc32: Some(Default::default()),
            crc32c: self.wants("CRC32C").then(Default::default),
            crc64nvme: self.wants("CRC64NVME").then(Default::default),
            sha1: self.wants("SHA1").then(Default::default),
            sha256: self.wants("SHA256").then(Default::default),
        }
    }

    fn check(mut self, md5: [u8; 16], computed: &mut Sums) -> S3Result<()> {
        if let Some(given) = &self.md5 {
            let given = STANDARD.decode(given).ok().filter(|bytes| bytes.len() == 16);
            let given = given.ok_or_else(|| s3_error!(InvalidDigest, "Content-MD5 is not 16 bytes in base64"))?;
            if given != md5 {
                return Err(s3_error!(BadDigest, "the Content-MD5 you specified did not match what we received"));
            }
        }
        for (name, sum) in self.sums.named() {
            let header = format!("x-amz-checksum-{}", name.to_lowercase());
            let read = |trailers: &TrailingHeaders| {
                trailers.read(|headers| headers.get(&header).and_then(|value| value.to_str().ok()).map(str::to_owned))
            };
            if let Some(value) = self.trailers.as_ref().and_then(read).flatten() {
                *sum = Some(value);
            }
        }
        if let Err(difference) = self.sums.agree(computed) {
            return Err(s3_error!(BadDigest, "the checksum did not match what we received: {difference}"));
        }
        Ok(())
    }
}

/// From the header of S3's own clients, and from the trailers that are announced.
pub(super) fn algorithms(headers: &HeaderMap) -> String {
    let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_uppercase();
    let trailers = named("x-amz-trailer").replace("X-AMZ-CHECKSUM-", "").replace(',', " ");
    format!("{} {trailers}", named("x-amz-sdk-checksum-algorithm"))
}

fn computed(hasher: ChecksumHasher) -> Sums {
    let checksum = hasher.finalize();
    sums!(checksum)
}

/// The signature covers the body, in one piece or in chunks; both are checked while it is read.
fn unread(error: &str) -> S3Error {
    if error.contains("Sha256Mismatch") {
        return bad_request("XAmzContentSHA256Mismatch", "the x-amz-content-sha256 did not match what we received");
    }
    if error.contains("SignatureMismatch") {
        return s3_error!(SignatureDoesNotMatch, "the signature of a chunk of the body did not match");
    }
    s3_error!(IncompleteBody, "the body did not come whole: {error}")
}

/// Status 400 with one of those codes of S3's that its documentation does not list.
pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message.into());
    error.set_status_code(StatusCode::BAD_REQUEST);
    error
}

/// As in an `ETag`.
pub(super) fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
