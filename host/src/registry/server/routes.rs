//! Paths and bodies to answers, and answers to responses. Decides nothing itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{self, Answer, Refusal, refuse};
use crate::registry::store::Store;

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

type Shared = State<Arc<Mutex<Store>>>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Options {
    verbose: bool,
    deleted: bool,
    permanent: bool,
    default_to_global: bool,
}

pub(super) fn router(store: Arc<Mutex<Store>>) -> Router {
    Router::new()
        .route("/", get(async || respond(Ok(json!({})))))
        .route("/mode", get(async || respond(Ok(json!({ "mode": "READWRITE" })))))
        .route("/schemas/types", get(async || respond(Ok(json!(["AVRO"])))))
        .route("/schemas/ids/{id}", get(schema))
        .route("/schemas/ids/{id}/{part}", get(schema_part))
        .route("/subjects", get(subjects))
        .route("/subjects/{subject}", post(look_up).delete(delete_subject))
        .route("/subjects/{subject}/versions", get(versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(version).delete(delete_version))
        .route("/subjects/{subject}/versions/{version}/schema", get(bare_version))
        .route("/compatibility/subjects/{subject}/versions", post(check_all))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(check_one))
        .route("/config", get(global_level).put(set_global_level).delete(clear_global_level))
        .route("/config/{subject}", get(level).put(set_level).delete(clear_level))
        .fallback(async || respond(Err(refuse(404, "HTTP 404 Not Found"))))
        .method_not_allowed_fallback(async || respond(Err(refuse(405, "HTTP 405 Method Not Allowed"))))
        .with_state(store)
}

fn respond(answer: Answer) -> Response {
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err(Refusal { status, code, message }) => (status, json!({ "error_code": code, "message": message })),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response()
}

/// Each event is applied whole, so a panic elsewhere leaves the store usable.
fn open(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clients differ in the content type that they send, so it is not looked at.
fn parse(body: &Bytes) -> Answer {
    serde_json::from_slice(body).map_err(|error| refuse(400, format!("the body is not JSON: {error}")))
}

async fn schema(State(store): Shared, Path(id): Path<String>) -> Response {
    respond(answers::schema(&open(&store), &id))
}

async fn schema_part(State(store): Shared, Path((id, part)): Path<(String, String)>) -> Response {
    let store = open(&store);
    respond(match part.as_str() {
        "schema" => answers::bare_schema(&store, &id),
        "subjects" => answers::uses(&store, &id).map(|all| {
            let mut subjects: Vec<String> = all.into_iter().map(|(subject, _)| subject).collect();
            subjects.dedup();
            json!(subjects)
        }),
        "versions" => answers::uses(&store, &id).map(|all| {
            let pairs = all.into_iter().map(|(subject, version)| json!({ "subject": subject, "version": version }));
            Value::Array(pairs.collect())
        }),
        _ => Err(refuse(404, "HTTP 404 Not Found")),
    })
}

async fn subjects(State(store): Shared, Query(options): Query<Options>) -> Response {
    respond(answers::subjects(&open(&store), options.deleted))
}

async fn register(State(store): Shared, Path(subject): Path<String>, body: Bytes) -> Response {
    respond(parse(&body).and_then(|body| answers::register(&mut open(&store), &subject, &body)))
}

async fn look_up(State(store): Shared, Path(subject): Path<String>, body: Bytes) -> Response {
    respond(parse(&body).and_then(|body| answers::look_up(&open(&store), &subject, &body)))
}

async fn versions(State(store): Shared, Path(subject): Path<String>, Query(options): Query<Options>) -> Response {
    respond(answers::versions(&open(&store), &subject, options.deleted))
}

type OneVersion = Path<(String, String)>;

async fn version(State(store): Shared, Path((subject, n)): OneVersion, Query(options): Query<Options>) -> Response {
    respond(answers::version(&open(&store), &subject, &n, options.deleted))
}

async fn bare_version(State(store): Shared, Path((subject, n)): OneVersion, options: Query<Options>) -> Response {
    respond(answers::bare_version(&open(&store), &subject, &n, options.deleted))
}

async fn delete_subject(State(store): Shared, Path(subject): Path<String>, options: Query<Options>) -> Response {
    respond(answers::delete_subject(&mut open(&store), &subject, options.permanent))
}

async fn delete_version(State(store): Shared, Path((subject, n)): OneVersion, options: Query<Options>) -> Response {
    respond(answers::delete_version(&mut open(&store), &subject, &n, options.permanent))
}

async fn check_all(
    State(store): Shared,
    Path(subject): Path<String>,
    options: Query<Options>,
    body: Bytes,
) -> Response {
    respond(parse(&body).and_then(|body| answers::check(&open(&store), &subject, None, &body, options.verbose)))
}

async fn check_one(
    State(store): Shared,
    Path((subject, n)): OneVersion,
    options: Query<Options>,
    body: Bytes,
) -> Response {
    respond(parse(&body).and_then(|body| answers::check(&open(&store), &subject, Some(&n), &body, options.verbose)))
}

async fn global_level(State(store): Shared) -> Response {
    respond(answers::level(&open(&store), None, true))
}

async fn level(State(store): Shared, Path(subject): Path<String>, options: Query<Options>) -> Response {
    respond(answers::level(&open(&store), Some(&subject), options.default_to_global))
}

async fn set_global_level(State(store): Shared, body: Bytes) -> Response {
    respond(parse(&body).and_then(|body| answers::set_level(&mut open(&store), None, &body)))
}

async fn set_level(State(store): Shared, Path(subject): Path<String>, body: Bytes) -> Response {
    respond(parse(&body).and_then(|body| answers::set_level(&mut open(&store), Some(&subject), &body)))
}

async fn clear_global_level(State(store): Shared) -> Response {
    respond(answers::clear_level(&mut open(&store), None))
}

async fn clear_level(State(store): Shared, Path(subject): Path<String>) -> Response {
    respond(answers::clear_level(&mut open(&store), Some(&subject)))
}
