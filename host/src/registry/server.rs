//! The embedded Schema Registry: an HTTP server over a store, for runs that have no registry of their own.
//!
//! Avro only. It keeps schema texts as they were sent (white space aside), checks compatibility before it keeps, and
//! syncs before it answers. It never authenticates anyone: listen on a loopback address.

/// The answers, without HTTP.
mod answers;
/// Paths to answers.
mod routes;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::store::Store;
use crate::exit::Stop;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts a server that keeps its schemas in `dir`. Port 0 takes a free port.
pub fn start(listen: SocketAddr, dir: &Path) -> Result<Server, Stop> {
    let store = Store::open(dir)?;
    let fail = |error: std::io::Error| {
        Stop::start(format!("the schema registry cannot listen on {listen}: {error}"))
            .hint("is the port taken? give another one, or 0 for any free port")
    };
    let listener = std::net::TcpListener::bind(listen).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fail)?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener).map_err(fail)?
    };
    let app = routes::router(Arc::new(Mutex::new(store)));
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = async move {
        // Dropping an open connection loses nothing: an answer follows its sync without a pause.
        tokio::select! {
            result = axum::serve(listener, app) => if let Err(error) = result {
                tracing::error!(%error, "the schema registry stopped serving");
            },
            _ = stopped => {}
        }
    };
    let thread = std::thread::Builder::new()
        .name("registry".into())
        .spawn(move || {
            runtime.block_on(serve);
            runtime.shutdown_background();
        })
        .map_err(fail)?;
    Ok(Server { address, stop: Some(stop), thread: Some(thread) })
}

impl Server {
    /// An address that this machine reaches it by.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        format!("http://{address}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either end may be gone already; both mean that it has stopped.
        self.stop.take().and_then(|stop| stop.send(()).ok());
        self.thread.take().and_then(|thread| thread.join().ok());
    }
}
