//! The embedded S3 over its socket, with AWS's own client: what S3 would refuse is refused, and what was stored stays.
#![allow(clippy::unwrap_used)]

#[path = "s3/conditions.rs"]
mod conditions;
#[path = "s3/faults.rs"]
mod faults;
#[path = "s3/kept.rs"]
mod kept;
#[path = "s3/objects.rs"]
mod objects;
#[path = "s3/refusals.rs"]
mod refusals;
#[path = "s3/uploads.rs"]
mod uploads;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use smt_host::platform::dir::Directory;
use smt_host::platform::s3::S3;

const BUCKET: &str = "smt-tests";

/// A server of a test's own, and a client of it.
struct Fixture {
    s3: S3,
    client: Client,
    dir: Directory,
}

impl Fixture {
    fn start() -> Fixture {
        let dir = Directory::open(None).unwrap();
        let s3 = S3::start(dir.path(), BUCKET).unwrap();
        let client = smt_tests::s3::client(&s3);
        Fixture { s3, client, dir }
    }

    async fn put(&self, key: &str, bytes: &[u8]) -> String {
        let put = self.client.put_object().bucket(BUCKET).key(key).body(body(bytes));
        code(put.send().await)
    }

    /// What a reader finds, or the error's code.
    async fn get(&self, key: &str) -> Result<Vec<u8>, String> {
        match self.client.get_object().bucket(BUCKET).key(key).send().await {
            Ok(object) => Ok(object.body.collect().await.unwrap().to_vec()),
            Err(error) => Err(code::<(), _>(Err(error))),
        }
    }
}

fn body(bytes: &[u8]) -> ByteStream {
    ByteStream::from(bytes.to_vec())
}

/// "ok", the code of S3's error, or "no answer".
fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(SdkError::ServiceError(error)) => error.err().code().unwrap_or("no code").to_owned(),
        Err(_) => "no answer".to_owned(),
    }
}
