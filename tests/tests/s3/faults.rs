//! Failures on purpose: each is met as a client would meet it, by so many requests, and has the effect that it says.

use std::time::{Duration, Instant};

use smt_host::platform::s3::Fault;

use crate::{BUCKET, Fixture, body, code};

#[tokio::test]
async fn a_fault_is_met_by_the_next_requests_of_its_operation_and_then_is_over() {
    for (fault, seen, stored) in [
        (Fault::SlowDown, "SlowDown", false),
        (Fault::InternalError, "InternalError", false),
        (Fault::Reset, "no answer", false),
        (Fault::LoseReply, "no answer", true),
    ] {
        let fixture = Fixture::start();
        let faults = fixture.s3.faults();
        faults.next("PutObject", 2, fault);
        // Too much for the socket's buffers: the answer must not come before the body is read.
        let bytes = vec![7; 3_000_000];
        for key in ["one", "two"] {
            assert_eq!(fixture.put(key, &bytes).await, seen, "{fault:?}");
            assert_eq!(fixture.get(key).await.is_ok(), stored, "{fault:?}");
        }
        assert_eq!(fixture.put("three", &bytes).await, "ok", "{fault:?}");
        assert_eq!((faults.requests("PutObject"), faults.waiting()), (3, 0));
    }
}

#[tokio::test]
async fn a_slow_request_is_done_in_the_end() {
    let fixture = Fixture::start();
    let time = Duration::from_millis(300);
    fixture.s3.faults().next("PutObject", 1, Fault::Slow(time));
    let begun = Instant::now();
    assert_eq!(fixture.put("k", b"1").await, "ok");
    assert!(begun.elapsed() >= time);
}

#[tokio::test]
async fn a_retrying_client_comes_through_and_a_completion_whose_reply_was_lost_is_done() {
    use aws_sdk_s3::config::retry::RetryConfig;
    let fixture = Fixture::start();
    let faults = fixture.s3.faults();
    let config = fixture.client.config().to_builder().retry_config(RetryConfig::standard()).build();
    let client = aws_sdk_s3::Client::from_conf(config);
    for fault in [Fault::SlowDown, Fault::Reset, Fault::LoseReply] {
        faults.next("PutObject", 2, fault);
        let put = client.put_object().bucket(BUCKET).key(format!("{fault:?}")).body(body(b"1")).send().await;
        assert_eq!((code(put), faults.waiting()), ("ok".to_owned(), 0), "{fault:?}");
    }
    let upload = client.create_multipart_upload().bucket(BUCKET).key("big").send().await.unwrap();
    let part = client.upload_part().bucket(BUCKET).key("big").set_upload_id(upload.upload_id.clone()).part_number(1);
    let etag = part.body(body(b"1")).send().await.unwrap().e_tag;
    let part = aws_sdk_s3::types::CompletedPart::builder().part_number(1).set_e_tag(etag).build();
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(part).build();
    faults.next("CompleteMultipartUpload", 1, Fault::LoseReply);
    let complete = client.complete_multipart_upload().bucket(BUCKET).key("big").set_upload_id(upload.upload_id);
    // The client's own second try finds the upload gone: the caller has to look at the object.
    assert_eq!(code(complete.multipart_upload(parts).send().await), "NoSuchUpload");
    assert_eq!(fixture.get("big").await.unwrap(), b"1");
}
