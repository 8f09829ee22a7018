//! Which keys can be kept as plain files, and the error for those that cannot.

use s3s::{S3Error, S3Result, s3_error};

/// S3's own limit is on the key, a file system's on each of its segments.
const KEY_BYTES_MAX: usize = 1024;
const SEGMENT_BYTES_MAX: usize = 255;

/// A key that may become a path below its bucket's folder.
pub(super) fn check(key: &str) -> S3Result<()> {
    if key.len() > KEY_BYTES_MAX {
        return Err(s3_error!(KeyTooLongError, "the key has {} bytes, at most {KEY_BYTES_MAX} are allowed", key.len()));
    }
    for segment in key.split('/') {
        if segment.len() > SEGMENT_BYTES_MAX {
            let bytes = segment.len();
            return Err(s3_error!(
                KeyTooLongError,
                "a segment of the key has {bytes} bytes; this store keeps objects as files, whose names have at \
                 most {SEGMENT_BYTES_MAX}"
            ));
        }
        if matches!(segment, "" | "." | "..") || segment.contains('\0') {
            return Err(s3_error!(
                InvalidArgument,
                "the key {key:?} has the segment {segment:?}; this store keeps objects as files, and no file can be \
                 named so"
            ));
        }
    }
    Ok(())
}

/// S3 can hold both `a` and `a/b`, a file system cannot.
pub(super) fn hidden(key: &str) -> S3Error {
    s3_error!(
        InvalidArgument,
        "the key {key:?} needs a folder where there is an object, or an object where there is a folder; this store \
         keeps objects as files and cannot hold both"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(key: &str) -> Option<String> {
        check(key).err().map(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn keys_become_paths_that_stay_below_their_bucket() {
        for key in ["a", "a/b", "topics/t/partition=0/t+0+0000000000.json", "...", "a..", "ação/€", "a b", "-"] {
            assert_eq!(code(key), None, "{key}");
        }
        for key in ["", "/", "/a", "a/", "a//b", ".", "..", "../x", "a/../b", "a/./b", "a\0b"] {
            assert_eq!(code(key).as_deref(), Some("InvalidArgument"), "{key:?}");
        }
    }

    #[test]
    fn keys_have_1024_bytes_at_most_and_their_segments_255() {
        let long = format!("{}/{}", ["x".repeat(255), "x".repeat(255), "x".repeat(255)].join("/"), "x".repeat(254));
        assert_eq!(code(&format!("{long}/1")), None);
        assert_eq!(format!("{long}/1").len(), 1024);
        assert_eq!(code(&format!("{long}/12")).as_deref(), Some("KeyTooLongError"));
        // 127 letters of two bytes, and one of one.
        assert_eq!(code(&format!("{}x", "é".repeat(127))), None);
        assert_eq!(code(&"é".repeat(128)).as_deref(), Some("KeyTooLongError"));
    }
}
