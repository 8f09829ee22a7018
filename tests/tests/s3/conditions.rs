//! Conditional writes: whoever comes first, and only if it is still the one.

use crate::{BUCKET, Fixture, body, code};

#[tokio::test]
async fn if_none_match_never_replaces_and_if_match_replaces_the_named_one_only() {
    let fixture = Fixture::start();
    let put = || fixture.client.put_object().bucket(BUCKET).key("k");
    // The ETag of "1".
    let etag = "\"c4ca4238a0b923820dcc509a6f75849b\"";
    assert_eq!(code(put().if_match(etag).body(body(b"0")).send().await), "NoSuchKey");
    assert_eq!(code(put().if_none_match("*").body(body(b"1")).send().await), "ok");
    assert_eq!(code(put().if_none_match("*").body(body(b"2")).send().await), "PreconditionFailed");
    assert_eq!(code(put().if_match("\"other\"").body(body(b"3")).send().await), "PreconditionFailed");
    assert_eq!(fixture.get("k").await.unwrap(), b"1");
    assert_eq!(code(put().if_match(etag).body(body(b"4")).send().await), "ok");
    assert_eq!(fixture.get("k").await.unwrap(), b"4");
}

#[tokio::test]
async fn reads_keep_to_their_conditions() {
    let fixture = Fixture::start();
    fixture.put("k", b"1").await;
    let etag = "\"c4ca4238a0b923820dcc509a6f75849b\"";
    let get = || fixture.client.get_object().bucket(BUCKET).key("k");
    assert_eq!(code(get().if_match(etag).send().await), "ok");
    assert_eq!(code(get().if_match("\"other\"").send().await), "PreconditionFailed");
    assert_eq!(code(get().if_none_match("\"other\"").send().await), "ok");
    assert_ne!(code(get().if_none_match(etag).send().await), "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_writers_one_wins() {
    let fixture = Fixture::start();
    for key in ["x", "y", "z"] {
        let writers = (0..16).map(|writer| {
            let put = fixture.client.put_object().bucket(BUCKET).key(key).if_none_match("*");
            tokio::spawn(async move { code(put.body(body(&[writer; 1000])).send().await) })
        });
        let writers: Vec<_> = writers.collect();
        let mut codes = Vec::new();
        for writer in writers {
            codes.push(writer.await.unwrap());
        }
        let winners: Vec<u8> = (0u8..).zip(&codes).filter(|(_, code)| *code == "ok").map(|(at, _)| at).collect();
        assert_eq!(winners.len(), 1, "{codes:?}");
        assert!(codes.iter().all(|code| code == "ok" || code == "PreconditionFailed"), "{codes:?}");
        assert_eq!(fixture.get(key).await.unwrap(), [winners[0]; 1000]);
    }
}
