//! Multipart uploads: an object appears when its upload is completed, and as what was uploaded, or not at all.

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use smt_tests::s3::{keys_of, objects_of};

use crate::{BUCKET, Fixture, body, code};

const MIB: usize = 1024 * 1024;

impl Fixture {
    async fn upload(&self, key: &str) -> String {
        let create = self.client.create_multipart_upload().bucket(BUCKET).key(key);
        let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32).content_type("application/json");
        let create = create.tagging("recordCount=3").server_side_encryption(ServerSideEncryption::Aes256);
        create.send().await.unwrap().upload_id.unwrap()
    }

    async fn part(&self, key: &str, upload: &str, number: i32, bytes: &[u8]) -> CompletedPart {
        let part = self.client.upload_part().bucket(BUCKET).key(key).upload_id(upload).part_number(number);
        let sent = part.checksum_algorithm(ChecksumAlgorithm::Crc32).body(body(bytes)).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        part.set_checksum_crc32(sent.checksum_crc32).build()
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[CompletedPart]) -> String {
        let listed = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
        let complete = self.client.complete_multipart_upload().bucket(BUCKET).key(key).upload_id(upload);
        code(complete.multipart_upload(listed).send().await)
    }
}

#[tokio::test]
async fn a_completed_upload_is_its_parts_in_order_with_what_was_said_at_its_start() {
    let fixture = Fixture::start();
    let [one, two] = [vec![1; 5 * MIB], vec![2; 1234]];
    let id = fixture.upload("a/big").await;
    let last = fixture.part("a/big", &id, 7, &two).await;
    fixture.part("a/big", &id, 2, b"replaced").await;
    let first = fixture.part("a/big", &id, 2, &one).await;
    assert_eq!(keys_of(&fixture.client, BUCKET).await, [""; 0]);
    let listed = CompletedMultipartUpload::builder().parts(first).parts(last).build();
    let complete = fixture.client.complete_multipart_upload().bucket(BUCKET).key("a/big").upload_id(&id);
    let done = complete.multipart_upload(listed).send().await.unwrap();
    assert_eq!(done.server_side_encryption, Some(ServerSideEncryption::Aes256));
    assert!(done.e_tag.as_deref().unwrap().ends_with("-2\""), "{done:?}");
    assert!(done.checksum_crc32.as_deref().unwrap().ends_with("-2"), "{done:?}");
    let [stored] = objects_of(&fixture.client, BUCKET).await.try_into().unwrap();
    assert!(stored.bytes == [one, two].concat());
    assert_eq!(stored.tags["recordCount"], "3");
    let said = (stored.encryption.as_deref(), stored.content_type.as_deref());
    assert_eq!(said, (Some("AES256"), Some("application/json")));
    assert_eq!(fixture.complete("a/big", &id, &[]).await, "NoSuchUpload");
}

#[tokio::test]
async fn a_completion_that_is_refused_changes_nothing_and_can_be_repeated() {
    let fixture = Fixture::start();
    fixture.put("k", b"old").await;
    let id = fixture.upload("k").await;
    let first = fixture.part("k", &id, 1, &vec![1; 5 * MIB]).await;
    let small = fixture.part("k", &id, 2, &vec![2; 5 * MIB - 1]).await;
    let last = fixture.part("k", &id, 3, b"3").await;
    let with = |part: &CompletedPart, change: fn(&mut CompletedPart)| {
        let mut part = part.clone();
        change(&mut part);
        part
    };
    let [first, small, last] = [&first, &small, &last];
    for (what, parts, expected) in [
        ("etag", vec![with(first, |part| part.e_tag = Some("\"00\"".into()))], "InvalidPart"),
        ("no etag", vec![with(first, |part| part.e_tag = None)], "InvalidPart"),
        ("checksum", vec![with(first, |part| part.checksum_crc32 = Some("AAAAAA==".into()))], "InvalidPart"),
        ("no checksum", vec![with(first, |part| part.checksum_crc32 = None)], "InvalidRequest"),
        ("unknown part", vec![with(last, |part| part.part_number = Some(4))], "InvalidPart"),
        ("order", vec![last.clone(), first.clone()], "InvalidPartOrder"),
        ("twice", vec![first.clone(), first.clone()], "InvalidPartOrder"),
        ("small", vec![first.clone(), small.clone(), last.clone()], "EntityTooSmall"),
        ("none", vec![], "MalformedXML"),
    ] {
        assert_eq!(fixture.complete("k", &id, &parts).await, expected, "{what}");
        assert_eq!(fixture.get("k").await.unwrap(), b"old", "{what}");
    }
    assert_eq!(fixture.complete("another", &id, std::slice::from_ref(first)).await, "NoSuchUpload");
    let listed = CompletedMultipartUpload::builder().parts(first.clone()).parts(last.clone()).build();
    let complete = fixture.client.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(&id);
    let refused = complete.if_none_match("*").multipart_upload(listed).send().await;
    assert_eq!(code(refused), "PreconditionFailed");
    // Part 2 is left out: it is not part of the object.
    assert_eq!(fixture.complete("k", &id, &[first.clone(), last.clone()]).await, "ok");
    assert_eq!(fixture.get("k").await.unwrap().len(), 5 * MIB + 1);
}

#[tokio::test]
async fn a_part_that_is_not_what_was_promised_is_not_there() {
    let fixture = Fixture::start();
    let id = fixture.upload("k").await;
    let part = || fixture.client.upload_part().bucket(BUCKET).key("k").upload_id(&id).body(body(b"2"));
    for (what, sent, expected) in [
        ("md5", part().part_number(1).content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await, "BadDigest"),
        ("crc32", part().part_number(1).checksum_crc32("AAAAAA==").send().await, "BadDigest"),
        ("number", part().part_number(0).send().await, "InvalidArgument"),
        ("number", part().part_number(10_001).send().await, "InvalidArgument"),
        ("upload", part().part_number(1).upload_id("../uploads").send().await, "NoSuchUpload"),
        ("highest", part().part_number(10_000).send().await, "ok"),
    ] {
        assert_eq!(code(sent), expected, "{what}");
    }
    let parts = fixture.client.list_parts().bucket(BUCKET).key("k").upload_id(&id).send().await.unwrap();
    assert_eq!(parts.parts().iter().map(|part| part.part_number()).collect::<Vec<_>>(), [Some(10_000)]);
}

#[tokio::test]
async fn open_uploads_and_their_parts_are_listed_until_they_are_aborted() {
    let fixture = Fixture::start();
    let mut ids = Vec::new();
    for key in ["a/1", "a/2", "b"] {
        ids.push(fixture.upload(key).await);
    }
    let list = async |prefix: &str| {
        let uploads = fixture.client.list_multipart_uploads().bucket(BUCKET).prefix(prefix).send().await.unwrap();
        let ids = uploads.uploads().iter().filter_map(|upload| upload.upload_id().map(str::to_owned));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ids);
    assert_eq!(list("a/").await, ids[..2]);
    let mut sent = Vec::new();
    for number in 1..=3 {
        sent.push(fixture.part("b", &ids[2], number, &[number as u8; 10]).await);
    }
    let pages = fixture.client.list_parts().bucket(BUCKET).key("b").upload_id(&ids[2]).into_paginator();
    let mut pages = pages.page_size(2).send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        listed.extend(page.unwrap().parts.unwrap_or_default());
    }
    assert!(listed.iter().all(|part| part.size() == Some(10)));
    let listed: Vec<_> = listed.into_iter().map(|part| part.e_tag).collect();
    assert_eq!(listed, sent.into_iter().map(|part| part.e_tag).collect::<Vec<_>>());
    for (key, id) in ["a/1", "a/2", "b"].into_iter().zip(&ids) {
        let abort = || fixture.client.abort_multipart_upload().bucket(BUCKET).key(key).upload_id(id);
        assert_eq!(code(abort().send().await), "ok");
        assert_eq!(code(abort().send().await), "NoSuchUpload");
    }
    assert_eq!(list("").await, [""; 0]);
    let part = fixture.client.upload_part().bucket(BUCKET).key("b").upload_id(&ids[2]).part_number(1);
    assert_eq!(code(part.body(body(b"1")).send().await), "NoSuchUpload");
    assert_eq!(std::fs::read_dir(fixture.dir.path().join("s3/.store/uploads")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(fixture.dir.path().join("s3/.store/temporary")).unwrap().count(), 0);
}
