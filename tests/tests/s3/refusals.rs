//! What is refused, with S3's codes, and that nothing is stored then.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use smt_tests::s3::{client_of, keys_of};

use crate::{BUCKET, Fixture, body, code};

#[tokio::test]
async fn a_bucket_that_does_not_exist_is_never_made_by_a_write() {
    let fixture = Fixture::start();
    let client = &fixture.client;
    let none = "no-such-bucket";
    for (what, code) in [
        ("put", code(client.put_object().bucket(none).key("k").body(body(b"1")).send().await)),
        ("get", code(client.get_object().bucket(none).key("k").send().await)),
        ("list", code(client.list_objects_v2().bucket(none).send().await)),
        ("upload", code(client.create_multipart_upload().bucket(none).key("k").send().await)),
        ("uploads", code(client.list_multipart_uploads().bucket(none).send().await)),
        ("delete", code(client.delete_object().bucket(none).key("k").send().await)),
    ] {
        assert_eq!(code, "NoSuchBucket", "{what}");
    }
    // An answer without a body has no room for a code of S3's.
    assert_eq!(code(client.head_bucket().bucket(none).send().await), "NotFound");
    assert!(!fixture.dir.path().join("s3").join(none).exists());
    assert_eq!(code(client.create_bucket().bucket(none).send().await), "ok");
    assert_eq!(code(client.create_bucket().bucket(none).send().await), "BucketAlreadyOwnedByYou");
    assert_eq!(code(client.put_object().bucket(none).key("k").body(body(b"1")).send().await), "ok");
}

#[tokio::test]
async fn a_key_that_is_not_there_has_no_bytes_and_no_tags() {
    let fixture = Fixture::start();
    fixture.put("a/b", b"1").await;
    for key in ["none", "a", "a/b/c"] {
        assert_eq!(fixture.get(key).await.unwrap_err(), "NoSuchKey", "{key}");
        let tags = fixture.client.get_object_tagging().bucket(BUCKET).key(key).send().await;
        assert_eq!(code(tags), "NoSuchKey", "{key}");
    }
}

#[tokio::test]
async fn keys_that_no_file_can_have_are_refused_and_stay_inside_the_bucket() {
    let fixture = Fixture::start();
    let segment = "s".repeat(255);
    let long = ["t".repeat(255).as_str(); 4].join("/");
    for (key, expected) in [
        (segment.clone(), "ok"),
        (format!("{}s", segment), "KeyTooLongError"),
        // 1023 bytes, which with a slash and more is too long for S3 itself.
        (long.clone(), "ok"),
        (format!("{long}/t"), "KeyTooLongError"),
        ("../x".to_owned(), "InvalidArgument"),
        ("a/../../x".to_owned(), "InvalidArgument"),
        ("a//b".to_owned(), "InvalidArgument"),
        ("a/".to_owned(), "InvalidArgument"),
    ] {
        assert_eq!(fixture.put(&key, b"1").await, expected, "{key}");
    }
    assert!(!fixture.dir.path().join("x").exists() && !fixture.dir.path().join("s3/x").exists());
}

#[tokio::test]
async fn a_key_and_a_key_below_it_cannot_both_be_files_which_is_said() {
    let fixture = Fixture::start();
    for (first, second) in [("a", "a/b"), ("b/c/d", "b/c")] {
        assert_eq!(fixture.put(first, b"1").await, "ok");
        let refused = fixture.client.put_object().bucket(BUCKET).key(second).body(body(b"2")).send().await.unwrap_err();
        let text = format!("{:?}", refused.into_service_error());
        assert!(text.contains("InvalidArgument") && text.contains("cannot hold both"), "{text}");
        assert_eq!(fixture.get(first).await.unwrap(), b"1");
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_was_promised_replaces_nothing() {
    let fixture = Fixture::start();
    type With = fn(PutObjectFluentBuilder) -> PutObjectFluentBuilder;
    let right: With = |put| put.content_md5("yB5yjZ1ML2NvBn+JzBSGLA==");
    assert_eq!(code(right(fixture.client.put_object().bucket(BUCKET).key("old").body(body(b"2"))).send().await), "ok");
    let cases: [(With, &str); 5] = [
        // Of "3".
        (|put| put.content_md5("7MvIfktc4v4oMI/Z8qe68w=="), "BadDigest"),
        (|put| put.content_md5("AAAA"), "InvalidDigest"),
        (|put| put.checksum_crc32("AAAAAA=="), "BadDigest"),
        (|put| put.checksum_sha256("AAAA"), "BadDigest"),
        (|put| put.checksum_crc32_c("AAAA"), "BadDigest"),
    ];
    for (with, expected) in cases {
        for key in ["old", "new"] {
            let put = with(fixture.client.put_object().bucket(BUCKET).key(key).body(body(b"other"))).send().await;
            assert_eq!(code(put), expected);
        }
        assert_eq!(fixture.get("old").await.unwrap(), b"2");
        assert_eq!(keys_of(&fixture.client, BUCKET).await, ["old"]);
    }
}

#[tokio::test]
async fn tags_and_encryption_that_s3_refuses_are_refused() {
    let fixture = Fixture::start();
    let many = (0..11).map(|tag| format!("k{tag}=v")).collect::<Vec<_>>().join("&");
    for (tags, expected) in [("a=1&b=2", "ok"), ("a=1&a=2", "InvalidTag"), (&many, "BadRequest")] {
        let put = fixture.client.put_object().bucket(BUCKET).key("k").body(body(b"1")).tagging(tags);
        assert_eq!(code(put.send().await), expected, "{tags}");
    }
    for (algorithm, key, expected) in [
        ("AES256", None, "ok"),
        ("aws:kms", Some("key"), "ok"),
        ("AES256", Some("key"), "InvalidArgument"),
        ("ROT13", None, "InvalidArgument"),
    ] {
        let put = fixture.client.put_object().bucket(BUCKET).key("k").body(body(b"1"));
        let put = put.server_side_encryption(algorithm.into()).set_ssekms_key_id(key.map(str::to_owned));
        assert_eq!(code(put.send().await), expected, "{algorithm}");
    }
}

#[tokio::test]
async fn only_the_directorys_own_credentials_and_region_are_taken() {
    let fixture = Fixture::start();
    let s3 = &fixture.s3;
    let [endpoint, id, secret] = [&s3.endpoint(), s3.access_key_id(), s3.secret_access_key()];
    for (region, id, secret, expected) in [
        (s3.region(), id, secret, "ok"),
        (s3.region(), id, "another", "SignatureDoesNotMatch"),
        (s3.region(), "another", secret, "InvalidAccessKeyId"),
        ("sa-east-1", id, secret, "AuthorizationHeaderMalformed"),
    ] {
        let client = client_of(endpoint, region, id, secret);
        let put = client.put_object().bucket(BUCKET).key("k").body(body(b"1")).send().await;
        assert_eq!(code(put), expected, "{region} {id}");
    }
    let anonymous = ureq::get(format!("{endpoint}/{BUCKET}/k")).call();
    assert!(matches!(anonymous, Err(ureq::Error::StatusCode(403))), "{anonymous:?}");
    let other = Fixture::start();
    assert_ne!((other.s3.access_key_id(), other.s3.secret_access_key()), (id, secret));
    assert!(!format!("{:?}", s3).contains(secret));
}
