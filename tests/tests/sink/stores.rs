//! What arrives at S3 besides the bytes, and how many tasks bring it.

use super::*;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Of 32 sevens, the MD5.
const DIGEST: &str = "y4HAEFCYWuvAXWFTtA1Qpg==";

#[test]
fn b4_1_and_b4_2_even_a_small_object_is_a_multipart_upload_encrypted_as_the_file_says() {
    let (topic, bucket) = ("sink-encrypted", Bucket::new());
    world().topic(topic, 1);
    produce(topic, 0, &[Some(b"a".to_vec()), Some(b"b".to_vec())]);
    let key = BASE64_STANDARD.encode([7; 32]);
    let object = |name: &str| format!("{name}/sink-encrypted/partition=0/sink-encrypted+0+0000000000.json");
    let run = |name: &str, more: &[(&str, &str)]| {
        let mut keys = texts(topic, &[("flush.size", "2"), ("name", name), ("topics.dir", name)]);
        keys.extend(more);
        let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
        eventually("offsets", SOON, || committed(name, topic, 1) == [Some(2)]);
        stop(sink);
    };
    run("sealed-aes", &[]);
    run("sealed-kms", &[("s3.ssea.name", "aws:kms"), ("s3.sse.kms.key.id", "arn:aws:kms:key/1")]);
    run("sealed-none", &[("s3.ssea.name", "aws:kms")]);
    run("sealed-customer", &[("s3.sse.customer.key", &key)]);
    let requests = |operation| bucket.s3.faults().requests(operation);
    let calls = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObjectTagging", "PutObject"];
    assert_eq!(calls.map(requests), [4, 4, 4, 4, 0]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let head = |name: &str| client(&bucket.s3).head_object().bucket(BUCKET).key(object(name));
    let check = |name: &str, wanted: (Option<ServerSideEncryption>, Option<&str>)| {
        let found = runtime.block_on(head(name).send()).unwrap();
        let found = (found.server_side_encryption, found.ssekms_key_id);
        assert_eq!((found.0, found.1.as_deref()), wanted, "{name}");
    };
    check("sealed-aes", (Some(ServerSideEncryption::Aes256), None));
    check("sealed-kms", (Some(ServerSideEncryption::AwsKms), Some("arn:aws:kms:key/1")));
    check("sealed-none", (None, None));
    assert!(runtime.block_on(head("sealed-customer").send()).is_err(), "opened without its key");
    let opened = head("sealed-customer").sse_customer_algorithm("AES256").sse_customer_key(&key);
    let opened = runtime.block_on(opened.sse_customer_key_md5(DIGEST).send()).unwrap();
    assert_eq!(opened.sse_customer_algorithm.as_deref(), Some("AES256"));
}

#[test]
fn tasks_of_a_connector_share_its_partitions() {
    let (topic, bucket) = ("sink-tasks", Bucket::new());
    world().topic(topic, 3);
    let keys = texts(topic, &[("flush.size", "2"), ("tasks.max", "2")]);
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    eventually("two members", SOON, || members(&world().settings(), "connect-sink-tasks") == 2);
    for partition in 0..3 {
        produce(topic, partition, &[Some(b"a".to_vec()), Some(b"b".to_vec())]);
    }
    let found = bucket.arrived(3);
    eventually("offsets", SOON, || committed(topic, topic, 3) == [Some(2); 3]);
    stop(sink);
    let front = "raw-data/kafka/sink-tasks";
    let key = |partition: i32| format!("{front}/partition={partition}/sink-tasks+{partition}+0000000000.json");
    assert_eq!(found.iter().map(|object| &object.key).collect::<Vec<_>>(), [&key(0), &key(1), &key(2)]);
    assert!(found.iter().all(|object| object.bytes == b"\"a\"\n\"b\"\n"));
}
