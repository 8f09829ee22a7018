//! Connections: HTTP/1.1 over loopback. A reply that a fault takes away ends its connection with a reset.

use std::future::poll_fn;
use std::pin::Pin;

use futures_util::TryStreamExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::dto::StreamingBlob;
use s3s::service::S3Service;
use s3s::{Body, HttpError, HttpRequest, HttpResponse};
use tokio::net::{TcpListener, TcpStream};

use super::access::Fate;
use super::faults::{Fault, Faults};

/// Until it is dropped; open connections end with their runtime.
pub(super) async fn accept(listener: TcpListener, service: S3Service, faults: Faults) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, service.clone(), faults.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the embedded S3 cannot take a connection");
                // Out of descriptors, most likely: without a pause this would be a busy loop.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, service: S3Service, faults: Faults) {
    // A reply is written at once; waiting for more would only delay it.
    stream.set_nodelay(true).ok();
    let answer = service_fn(move |request| Box::pin(answer(service.clone(), faults.clone(), request)) as Answer);
    let mut builder = http1::Builder::new();
    let mut connection = builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer);
    if poll_fn(|context| connection.poll_without_shutdown(context)).await.is_err() {
        // Closed with its data discarded: the client sees a reset.
        connection.into_parts().io.into_inner().set_zero_linger().ok();
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

async fn answer(service: S3Service, faults: Faults, request: HttpRequest<Incoming>) -> Result<HttpResponse, HttpError> {
    let fate = Fate::default();
    let mut request = request.map(Body::from);
    request.extensions_mut().insert(fate.clone());
    if faults.waiting() > 0 {
        // An answer before the body's end would race with the client that still sends it.
        request = whole(request).await?;
    }
    let response = service.call(request).await?;
    match fate.get() {
        Some(fault @ (Fault::Reset | Fault::LoseReply)) => Err(HttpError::new(format!("{fault:?}").into())),
        _ => Ok(response),
    }
}

async fn whole(request: HttpRequest) -> Result<HttpRequest, HttpError> {
    let (parts, body) = request.into_parts();
    let chunks: Vec<bytes::Bytes> = StreamingBlob::from(body).try_collect().await.map_err(HttpError::new)?;
    Ok(HttpRequest::from_parts(parts, Body::from(bytes::Bytes::from(chunks.concat()))))
}
