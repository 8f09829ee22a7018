//! The embedded S3: a store of plain files behind an HTTP server, for demos and tests.
//!
//! As strict as S3 where a client can notice: what S3 refuses is refused here with S3's code, and nothing is stored
//! unless it arrived whole. Loopback and path style only. Encrypts nothing: what a client asks is kept and answered.
//! Survives its process being killed, not a power cut.

/// What is kept beside an object.
mod about;
/// Who may call, and in which region.
mod access;
/// Bodies on their way in.
mod body;
/// Failures on purpose.
mod faults;
/// Credentials and port, kept over starts.
mod kept;
/// What makes a key one that a file system can hold.
mod key;
/// Listings of objects.
mod list;
/// Listings of uploads.
mod list_uploads;
/// Objects and their tags.
mod object;
/// Connections.
mod serve;
/// S3's operations.
mod service;
/// Files.
mod store;
/// Multipart uploads.
mod uploads;

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use self::access::Gate;
pub use self::faults::{Fault, Faults};
use self::kept::{Credentials, Kept};
use self::store::Store;
use crate::exit::Stop;

/// The only region of the embedded S3.
const REGION: &str = "us-east-1";

/// A running server. Stops when it is dropped; its objects stay in the directory.
pub struct S3 {
    address: SocketAddr,
    bucket: String,
    credentials: Credentials,
    faults: Faults,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl S3 {
    /// Starts a server whose objects are `dir`/s3/BUCKET/KEY, and makes the bucket if it is not there.
    pub fn start(dir: &Path, bucket: &str) -> Result<S3, Stop> {
        S3::start_at(dir, bucket, None)
    }

    /// The same at a port of the caller's.
    pub fn start_at(dir: &Path, bucket: &str, port: Option<u16>) -> Result<S3, Stop> {
        let root = dir.join("s3");
        let store = Store::open(&root)?;
        store.make_bucket(bucket)?;
        let kept = Kept::open(&root)?;
        let credentials = kept.credentials()?;
        let fail = |error: std::io::Error| Stop::start(format!("the embedded S3 cannot listen on 127.0.0.1: {error}"));
        let listener = kept.listen(port)?;
        listener.set_nonblocking(true).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).thread_name("s3").enable_all().build().map_err(fail)?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(fail)?
        };
        let faults = Faults::default();
        let service = service::build(store, credentials.clone(), Gate { faults: faults.clone(), region: REGION });
        let (stop, stopped) = oneshot::channel::<()>();
        let accept = serve::accept(listener, service, faults.clone());
        let thread = std::thread::Builder::new()
            .name("s3".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept => {}
                        _ = stopped => {}
                    }
                });
                // Waits for what is being written: the next start may use the directory at once.
                drop(runtime);
            })
            .map_err(fail)?;
        Ok(S3 { address, bucket: bucket.to_owned(), credentials, faults, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, the same at the next start unless the port is taken then.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    pub fn region(&self) -> &str {
        REGION
    }

    pub fn access_key_id(&self) -> &str {
        &self.credentials.access_key_id
    }

    /// Not for logs.
    pub fn secret_access_key(&self) -> &str {
        &self.credentials.secret_access_key
    }

    /// For `endpoints.json`. Holds the secret: not for logs.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "endpoint": self.endpoint(),
            "bucket": self.bucket(),
            "region": self.region(),
            "access_key_id": self.access_key_id(),
            "secret_access_key": self.secret_access_key(),
        })
    }

    /// Failures that a test wants. None unless asked for, and out of the network's reach.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("S3").field("endpoint", &self.endpoint()).field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // Either end may be gone already; both mean that it has stopped.
        self.stop.take().and_then(|stop| stop.send(()).ok());
        self.thread.take().and_then(|thread| thread.join().ok());
    }
}
