//! What a new start finds again, after an orderly stop and after kill -9.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_s3::types::ServerSideEncryption;
use smt_host::platform::dir::Directory;
use smt_host::platform::s3::S3;
use smt_tests::s3::{client, client_of, keys_of, objects_of};

use crate::{BUCKET, Fixture, body, code};

#[tokio::test]
async fn a_new_start_has_the_same_port_credentials_objects_tags_and_uploads() {
    let fixture = Fixture::start();
    let put = fixture.client.put_object().bucket(BUCKET).key("a/k").body(body(b"1")).tagging("n=1");
    put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id("key").send().await.unwrap();
    let upload = fixture.client.create_multipart_upload().bucket(BUCKET).key("open").send().await.unwrap();
    let Fixture { s3, client, dir } = fixture;
    let before = (s3.endpoint(), s3.access_key_id().to_owned(), s3.secret_access_key().to_owned());
    let objects = objects_of(&client, BUCKET).await;
    assert_eq!(objects[0].tags, BTreeMap::from([("n".to_owned(), "1".to_owned())]));
    drop(s3);
    assert_eq!(code(client.list_buckets().send().await), "no answer");
    let s3 = S3::start(dir.path(), BUCKET).unwrap();
    assert_eq!((s3.endpoint(), s3.access_key_id().to_owned(), s3.secret_access_key().to_owned()), before);
    assert_eq!(objects_of(&client, BUCKET).await, objects);
    let part = client.upload_part().bucket(BUCKET).key("open").set_upload_id(upload.upload_id).part_number(1);
    assert_eq!(code(part.body(body(b"1")).send().await), "ok");
    let file = std::fs::metadata(dir.path().join("s3/.store/credentials")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_port_that_another_program_took_is_replaced_and_a_wrong_bucket_name_is_refused() {
    let dir = Directory::open(None).unwrap();
    let first = S3::start(dir.path(), BUCKET).unwrap();
    let address = first.endpoint().trim_start_matches("http://").to_owned();
    drop(first);
    let _taken = std::net::TcpListener::bind(&address).unwrap();
    let second = S3::start(dir.path(), BUCKET).unwrap();
    assert!(!second.endpoint().ends_with(&address));
    let stop = S3::start(dir.path(), "No_Bucket").unwrap_err();
    assert!(stop.what.contains("No_Bucket"), "{stop}");
}

#[tokio::test]
async fn what_endpoints_json_says_is_enough_for_a_client() {
    let fixture = Fixture::start();
    let told = fixture.s3.to_json();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let client = client_of(&text("endpoint"), &text("region"), &text("access_key_id"), &text("secret_access_key"));
    let put = client.put_object().bucket(text("bucket")).key("k").body(body(b"1"));
    assert_eq!(code(put.send().await), "ok");
    assert_eq!(fixture.get("k").await.unwrap(), b"1");
}

/// The embedded S3 as a process of its own, so that it can be killed.
fn server(dir: &Path) -> (Child, aws_sdk_s3::Client) {
    let child = Command::new(env!("CARGO_BIN_EXE_s3-server")).args([dir.as_os_str(), BUCKET.as_ref()]).spawn().unwrap();
    let told = dir.join("told");
    smt_tests::eventually("the server starts", Duration::from_secs(20), || told.is_file());
    let text = std::fs::read_to_string(&told).unwrap();
    std::fs::remove_file(told).unwrap();
    let [endpoint, id, secret] = text.lines().collect::<Vec<_>>().try_into().unwrap();
    (child, client_of(endpoint, "us-east-1", id, secret))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_every_object_that_was_answered_for_is_whole_with_its_tags() {
    let dir = Directory::open(None).unwrap();
    let mut answered = Vec::new();
    for round in 0..3 {
        let written = Arc::new(AtomicUsize::new(0));
        let (mut child, client) = server(dir.path());
        let writers = (0..4).map(|writer| {
            let (client, written) = (client.clone(), Arc::clone(&written));
            tokio::spawn(async move {
                let mut keys = Vec::new();
                for number in 0.. {
                    let key = format!("{round}/{writer}/{number}");
                    let put = client.put_object().bucket(BUCKET).key(&key).tagging(format!("key={key}"));
                    if put.body(body(key.repeat(2000).as_bytes())).send().await.is_err() {
                        break;
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                    keys.push(key);
                }
                keys
            })
        });
        let writers: Vec<_> = writers.collect();
        let enough = || written.load(Ordering::Relaxed) >= 50;
        smt_tests::eventually("writes", Duration::from_secs(20), enough);
        child.kill().unwrap();
        child.wait().unwrap();
        for writer in writers {
            answered.extend(writer.await.unwrap());
        }
    }
    let s3 = S3::start(dir.path(), BUCKET).unwrap();
    let client = client(&s3);
    let objects = objects_of(&client, BUCKET).await;
    for object in &objects {
        assert_eq!(object.bytes, object.key.repeat(2000).as_bytes(), "{}", object.key);
    }
    let tagged: Vec<_> = objects.iter().filter(|object| object.tags.get("key") == Some(&object.key)).collect();
    let missing: Vec<_> = answered.iter().filter(|key| !tagged.iter().any(|object| object.key == **key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(keys_of(&client, BUCKET).await.iter().all(|key| !key.starts_with('.')));
}
