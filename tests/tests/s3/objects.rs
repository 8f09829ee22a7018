//! Objects, listings and tags.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{Delete, ObjectIdentifier, ServerSideEncryption, Tag, Tagging};
use smt_tests::s3::{keys_of, objects_of};

use crate::{BUCKET, Fixture, body, code};

#[tokio::test]
async fn an_object_is_what_was_put_whole_or_by_range() {
    let fixture = Fixture::start();
    for bytes in [Vec::new(), b"0123456789".to_vec(), vec![7; 300_000]] {
        assert_eq!(fixture.put("topics/t/t+0+0000000000.json", &bytes).await, "ok");
        assert_eq!(fixture.get("topics/t/t+0+0000000000.json").await.unwrap(), bytes);
    }
    fixture.put("digits", b"0123456789").await;
    for (range, content) in [("bytes=2-4", "234"), ("bytes=7-", "789"), ("bytes=-2", "89"), ("bytes=8-99", "89")] {
        let get = fixture.client.get_object().bucket(BUCKET).key("digits").range(range);
        let object = get.send().await.unwrap();
        assert!(object.content_range.unwrap().ends_with("/10"), "{range}");
        assert_eq!(object.body.collect().await.unwrap().to_vec(), content.as_bytes(), "{range}");
    }
    let past = fixture.client.get_object().bucket(BUCKET).key("digits").range("bytes=10-").send().await;
    assert_eq!(code(past), "InvalidRange");
    let head = fixture.client.head_object().bucket(BUCKET).key("digits").send().await.unwrap();
    assert_eq!(head.content_length, Some(10));
    assert_eq!(head.e_tag.as_deref(), Some("\"781e5e245d69b566979b86e28d23f2c7\""));
}

#[tokio::test]
async fn objects_are_plain_files_and_a_plain_file_is_an_object() {
    let fixture = Fixture::start();
    fixture.put("a/ação.json", b"{}").await;
    let folder = fixture.dir.path().join("s3").join(BUCKET);
    assert_eq!(std::fs::read(folder.join("a/ação.json")).unwrap(), b"{}");
    std::fs::write(folder.join("by hand"), b"1").unwrap();
    assert_eq!(keys_of(&fixture.client, BUCKET).await, ["a/ação.json", "by hand"]);
    assert_eq!(fixture.get("by hand").await.unwrap(), b"1");
    // Changed behind the server's back, it is not described by what was kept of the other.
    std::fs::write(folder.join("a/ação.json"), b"{ }").unwrap();
    let head = fixture.client.head_object().bucket(BUCKET).key("a/ação.json").send().await.unwrap();
    assert_eq!(head.e_tag.as_deref(), Some("\"67c1890df55a3fda9bfa59ed880bdd0c\""));
    let buckets = fixture.client.list_buckets().send().await.unwrap().buckets.unwrap();
    assert_eq!(buckets.iter().filter_map(|bucket| bucket.name.as_deref()).collect::<Vec<_>>(), [BUCKET]);
}

#[tokio::test]
async fn listings_are_in_the_order_of_bytes_by_prefix_by_page_and_by_delimiter() {
    let fixture = Fixture::start();
    for key in ["b", "a/2", "a/10", "a/b/1", "a-", "ab/c/d", "é"] {
        fixture.put(key, b"x").await;
    }
    let all = ["a-", "a/10", "a/2", "a/b/1", "ab/c/d", "b", "é"];
    assert_eq!(keys_of(&fixture.client, BUCKET).await, all);
    let mut pages = fixture.client.list_objects_v2().bucket(BUCKET).into_paginator().page_size(2).send();
    let mut sizes = Vec::new();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let contents = page.unwrap().contents.unwrap_or_default();
        sizes.push(contents.len());
        keys.extend(contents.into_iter().filter_map(|object| object.key));
    }
    assert_eq!((sizes, keys), (vec![2, 2, 2, 1], all.map(str::to_owned).to_vec()));
    for (prefix, delimiter, keys, prefixes) in [
        ("", "/", vec!["a-", "b", "é"], vec!["a/", "ab/"]),
        ("a", "/", vec!["a-"], vec!["a/", "ab/"]),
        ("a/", "/", vec!["a/10", "a/2"], vec!["a/b/"]),
        ("a/1", "", vec!["a/10"], vec![]),
        ("none", "/", vec![], vec![]),
    ] {
        let list = fixture.client.list_objects_v2().bucket(BUCKET).prefix(prefix).delimiter(delimiter);
        let page = list.send().await.unwrap();
        let found: Vec<_> = page.contents().iter().filter_map(|object| object.key()).collect();
        assert_eq!(found, keys, "{prefix}");
        let found: Vec<_> = page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect();
        assert_eq!(found, prefixes, "{prefix}");
        // The ETag of "x".
        let etag = Some("\"9dd4e461268c8034f5c8564e155c67a6\"");
        assert!(page.contents().iter().all(|object| object.e_tag() == etag && object.size() == Some(1)));
    }
}

#[tokio::test]
async fn a_deleted_object_is_gone_and_leaves_no_folder_in_another_keys_way() {
    let fixture = Fixture::start();
    fixture.put("a/b/c", b"1").await;
    fixture.put("a/d", b"2").await;
    let delete = async |key: &str| code(fixture.client.delete_object().bucket(BUCKET).key(key).send().await);
    assert_eq!((delete("a/b/c").await, delete("a/b/c").await), ("ok".to_owned(), "ok".to_owned()));
    assert_eq!(fixture.get("a/b/c").await.unwrap_err(), "NoSuchKey");
    assert_eq!(delete("a").await, "ok", "a folder is no object");
    assert_eq!(fixture.get("a/d").await.unwrap(), b"2");
    let objects = ["a/d", "none"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let both = Delete::builder().set_objects(Some(objects.to_vec())).build().unwrap();
    let deleted = fixture.client.delete_objects().bucket(BUCKET).delete(both).send().await.unwrap();
    assert_eq!(deleted.deleted().len(), 2);
    assert_eq!(fixture.put("a", b"3").await, "ok");
}

#[tokio::test]
async fn tags_and_encryption_are_kept_and_go_with_their_object() {
    let fixture = Fixture::start();
    let put = fixture.client.put_object().bucket(BUCKET).key("k").body(body(b"1")).content_type("application/json");
    let put = put.tagging("startOffset=0&endOffset=1&n%C3%A3o=a+b").metadata("one", "1");
    let put = put.server_side_encryption(ServerSideEncryption::Aes256).send().await.unwrap();
    assert_eq!(put.server_side_encryption, Some(ServerSideEncryption::Aes256));
    let [stored] = objects_of(&fixture.client, BUCKET).await.try_into().unwrap();
    let tags = [("startOffset", "0"), ("endOffset", "1"), ("não", "a b")];
    assert_eq!(stored.tags, BTreeMap::from(tags.map(|(key, value)| (key.to_owned(), value.to_owned()))));
    let said = (stored.encryption.as_deref(), stored.content_type.as_deref());
    assert_eq!(said, (Some("AES256"), Some("application/json")));
    let head = fixture.client.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.metadata.unwrap()["one"], "1");

    let tag = Tag::builder().key("recordCount").value("2").build().unwrap();
    let set = Tagging::builder().tag_set(tag).build().unwrap();
    fixture.client.put_object_tagging().bucket(BUCKET).key("k").tagging(set).send().await.unwrap();
    let [stored] = objects_of(&fixture.client, BUCKET).await.try_into().unwrap();
    assert_eq!(stored.tags, BTreeMap::from([("recordCount".to_owned(), "2".to_owned())]));
    assert_eq!(stored.encryption.as_deref(), Some("AES256"));

    fixture.put("k", b"2").await;
    let [stored] = objects_of(&fixture.client, BUCKET).await.try_into().unwrap();
    assert_eq!((stored.tags, stored.encryption), (BTreeMap::new(), None));
}

#[tokio::test]
async fn kms_keys_are_echoed_and_a_customers_key_is_asked_for_again() {
    let fixture = Fixture::start();
    let put = fixture.client.put_object().bucket(BUCKET).key("kms").body(body(b"1"));
    let put = put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id("key-1").send().await.unwrap();
    assert_eq!(put.ssekms_key_id.as_deref(), Some("key-1"));
    let head = fixture.client.head_object().bucket(BUCKET).key("kms").send().await.unwrap();
    assert_eq!(head.server_side_encryption, Some(ServerSideEncryption::AwsKms));
    assert_eq!(head.ssekms_key_id.as_deref(), Some("key-1"));

    // 32 times "k", and the MD5 of that.
    let (key, md5) = ("a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", "mT2HRsMGJ5IX5C+0rreZ8Q==");
    let put = async |md5: &str| {
        let put = fixture.client.put_object().bucket(BUCKET).key("own").body(body(b"1"));
        code(put.sse_customer_algorithm("AES256").sse_customer_key(key).sse_customer_key_md5(md5).send().await)
    };
    assert_eq!(put("MDAwMDAwMDAwMDAwMDAwMA==").await, "InvalidArgument");
    assert_eq!(put(md5).await, "ok");
    assert_eq!(fixture.get("own").await.unwrap_err(), "InvalidRequest");
    let get = fixture.client.get_object().bucket(BUCKET).key("own");
    let get =
        get.sse_customer_algorithm("AES256").sse_customer_key(key).sse_customer_key_md5(md5).send().await.unwrap();
    assert_eq!(get.sse_customer_key_md5.as_deref(), Some(md5));
}
