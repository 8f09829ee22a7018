//! The HTTP server of the REST API: connections, sizes, who may come in. What is asked is `routes`' business.

/// What requests carry.
mod body;
/// Methods and paths to what the herder does.
mod routes;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::oneshot;

use super::auth::Users;
use super::herder::Herder;
use super::refusal::Refusal;
use crate::exit::Stop;

/// Configurations are small.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Runs until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What requests are answered from.
pub(super) struct Api {
    pub(super) herder: Herder,
    pub(super) users: Option<Users>,
}

/// One request, whole.
pub(super) struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// An answer, before it is HTTP.
pub(super) struct Reply {
    status: u16,
    /// JSON.
    body: Option<String>,
    location: Option<String>,
    allow: Option<String>,
    /// Jersey gives its own refusals no type.
    typed: bool,
}

/// A socket that nobody is answered on yet, so that its address is known early.
pub(super) fn bind(listen: SocketAddr) -> Result<std::net::TcpListener, Stop> {
    let fail = |error: std::io::Error| {
        Stop::start(format!("the REST API cannot listen on {listen}: {error}"))
            .hint("is the port taken? give another one with --listen, or port 0 for any free one")
    };
    let listener = std::net::TcpListener::bind(listen).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    Ok(listener)
}

impl Server {
    pub(super) fn start(listener: std::net::TcpListener, api: Api) -> Result<Server, Stop> {
        let fail = |error: std::io::Error| Stop::start(format!("the REST API cannot be served: {error}"));
        let address = listener.local_addr().map_err(fail)?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("rest").enable_all().build().map_err(fail)?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(fail)?
        };
        let app = Router::new().fallback(answer).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(Arc::new(api));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            tokio::select! {
                result = axum::serve(listener, app) => if let Err(error) = result {
                    tracing::error!(%error, "the REST API stopped serving");
                },
                _ = stopped => {}
            }
        };
        let thread = std::thread::Builder::new().name("rest".into()).spawn(move || {
            runtime.block_on(serve);
            runtime.shutdown_background();
        });
        Ok(Server { address, stop: Some(stop), thread: Some(thread.map_err(fail)?) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either end may be gone already; both mean that it has stopped.
        self.stop.take().and_then(|stop| stop.send(()).ok());
        self.thread.take().and_then(|thread| thread.join().ok());
    }
}

/// An address that this machine reaches it by.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

/// The herder blocks, so it works on threads of its own.
async fn answer(State(api): State<Arc<Api>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let is_head = parts.method == Method::HEAD;
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return Reply::own(413, "HTTP 413 Request Entity Too Large").into_response();
    };
    let request = Request { method: parts.method, uri: parts.uri, headers: parts.headers, body: body.into() };
    let done = tokio::task::spawn_blocking(move || match &api.users {
        Some(users) if !users.let_in(request.header(header::AUTHORIZATION)) => unauthorized(),
        _ => routes::answer(&api.herder, &request).into_response(),
    });
    let response = done.await.unwrap_or_else(|_| Reply::own(500, "HTTP 500 Internal Server Error").into_response());
    if is_head { response.map(|_| axum::body::Body::empty()) } else { response }
}

fn unauthorized() -> Response {
    let mut response = Reply::own(401, "User cannot access the resource.").into_response();
    let challenge = header::HeaderValue::from_static("Basic realm=\"connect\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

impl Request {
    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Reply {
    fn json(status: u16, body: &serde_json::Value) -> Reply {
        Reply { status, body: Some(body.to_string()), location: None, allow: None, typed: true }
    }

    fn empty(status: u16) -> Reply {
        Reply { status, body: None, location: None, allow: None, typed: false }
    }

    /// A refusal of HTTP itself.
    fn own(status: u16, message: &str) -> Reply {
        let body = json!({ "error_code": status, "message": message });
        Reply { typed: false, ..Reply::json(status, &body) }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        Reply::json(refusal.status, &json!({ "error_code": refusal.status, "message": refusal.message }))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body.unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if self.typed {
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        }
        for (name, value) in [(header::LOCATION, self.location), (header::ALLOW, self.allow)] {
            if let Some(value) = value.and_then(|value| value.parse().ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}
