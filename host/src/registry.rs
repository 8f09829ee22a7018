//! The client of a Schema Registry: schemas by id, registration, compatibility.
//!
//! Blocking. What is immutable (a schema of an id, an id of a registered schema) is asked for once. It never prints a
//! secret, never retries a refusal (4xx), and never waits longer than its deadline.

/// Compatibility levels and what they mean.
pub mod compatibility;
/// What can go wrong.
mod error;
/// Requests: addresses in turn, back-off, deadline.
mod http;
#[cfg(test)]
mod http_tests;
/// The embedded server.
pub mod server;
/// What the embedded server knows, and the file it is kept in.
mod store;
#[cfg(test)]
mod tests;
/// Whom to trust, and who we are.
mod tls;
#[cfg(test)]
mod tls_tests;
/// The five bytes before an Avro value.
pub mod wire;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

pub use error::Error;
use http::{Answer, Http, encode, split_credentials};
pub use tls::Tls;

/// How to reach a registry.
#[derive(Clone)]
pub struct Config {
    /// Tried in turn.
    pub urls: Vec<String>,
    pub basic_auth: Option<(String, String)>,
    /// Wins over `basic_auth`.
    pub bearer_token: Option<String>,
    pub tls: Tls,
    /// The most that one call may take, retries included.
    pub deadline: Duration,
}

impl Config {
    /// From a comma-separated list of addresses. `user:password@` in an address becomes basic authentication.
    pub fn new(url: &str) -> Config {
        let mut basic_auth = None;
        let mut urls = Vec::new();
        for one in url.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let (bare, credentials) = split_credentials(one);
            urls.push(bare);
            basic_auth = basic_auth.or(credentials);
        }
        Config { urls, basic_auth, bearer_token: None, tls: Tls::default(), deadline: Duration::from_secs(30) }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<String> = self.urls.iter().map(|url| split_credentials(url).0).collect();
        f.debug_struct("Config")
            .field("urls", &urls)
            .field("basic_auth", &self.basic_auth.as_ref().map(|(user, _)| (user, "***")))
            .field("bearer_token", &self.bearer_token.as_ref().map(|_| "***"))
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// The answer to "may this schema follow the ones of the subject".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compatibility {
    pub compatible: bool,
    /// Why not, as far as the registry says.
    pub messages: Vec<String>,
}

/// Cheap to clone; all clones share connections and caches.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
    deadline: Duration,
}

struct Inner {
    http: Http,
    schemas: Mutex<HashMap<u32, Arc<str>>>,
    ids: Mutex<HashMap<(String, String), u32>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// Connects to nothing yet.
    pub fn new(config: Config) -> Registry {
        let inner = Inner { http: Http::new(&config), schemas: Mutex::default(), ids: Mutex::default() };
        Registry { inner: Arc::new(inner), deadline: config.deadline }
    }

    /// The same registry for a caller that would rather try again itself than wait.
    pub fn with_deadline(&self, deadline: Duration) -> Registry {
        Registry { inner: self.inner.clone(), deadline }
    }

    /// The schema of an id. An id never changes its schema, so it is cached for ever.
    pub fn schema(&self, id: u32) -> Result<Arc<str>, Error> {
        if let Some(schema) = lock(&self.inner.schemas).get(&id) {
            return Ok(schema.clone());
        }
        let answer = self.get(&format!("/schemas/ids/{id}"))?;
        let body = answer.accept(|| format!("schema id {id}"))?;
        let schema: Arc<str> = text(&body, "schema")?.into();
        lock(&self.inner.schemas).insert(id, schema.clone());
        Ok(schema)
    }

    /// Registers a schema under a subject and gives its id. Registering it again gives the same id.
    pub fn register(&self, subject: &str, schema: &str) -> Result<u32, Error> {
        let key = (subject.to_string(), schema.to_string());
        if let Some(id) = lock(&self.inner.ids).get(&key) {
            return Ok(*id);
        }
        let path = format!("/subjects/{}/versions", encode(subject));
        let answer = self.post(&path, &json!({ "schema": schema }))?;
        if answer.status == 409 {
            return Err(self.incompatible(subject, schema, &answer));
        }
        let id = number(&answer.accept(|| format!("subject {subject:?}"))?, "id")?;
        lock(&self.inner.ids).insert(key, id);
        Ok(id)
    }

    /// Asks whether `register` would be accepted.
    pub fn check(&self, subject: &str, schema: &str) -> Result<Compatibility, Error> {
        let all = format!("/compatibility/subjects/{}/versions?verbose=true", encode(subject));
        let mut answer = self.post(&all, &json!({ "schema": schema }))?;
        // Older registries only compare with one version.
        if answer.status == 405 || (answer.status == 404 && !answer.names_a_missing_version()) {
            let latest = format!("/compatibility/subjects/{}/versions/latest?verbose=true", encode(subject));
            answer = self.post(&latest, &json!({ "schema": schema }))?;
        }
        if answer.names_a_missing_version() {
            return Ok(Compatibility { compatible: true, messages: Vec::new() });
        }
        let body = answer.accept(|| format!("compatibility of subject {subject:?}"))?;
        let compatible = body["is_compatible"].as_bool().ok_or_else(|| unexpected("is_compatible", &body))?;
        let messages = body["messages"].as_array().into_iter().flatten();
        Ok(Compatibility { compatible, messages: messages.filter_map(Value::as_str).map(String::from).collect() })
    }

    /// Id, version and text of the newest schema of a subject, if it has any.
    pub fn latest(&self, subject: &str) -> Result<Option<(u32, u32, Arc<str>)>, Error> {
        let answer = self.get(&format!("/subjects/{}/versions/latest", encode(subject)))?;
        if answer.names_a_missing_version() {
            return Ok(None);
        }
        let body = answer.accept(|| format!("subject {subject:?}"))?;
        let (id, schema): (u32, Arc<str>) = (number(&body, "id")?, text(&body, "schema")?.into());
        lock(&self.inner.schemas).insert(id, schema.clone());
        Ok(Some((id, number(&body, "version")?, schema)))
    }

    /// The version that a subject has a schema under, if it has it.
    pub fn version(&self, subject: &str, schema: &str) -> Result<Option<u32>, Error> {
        let answer = self.post(&format!("/subjects/{}", encode(subject)), &json!({ "schema": schema }))?;
        if answer.is_missing() {
            return Ok(None);
        }
        Ok(Some(number(&answer.accept(|| format!("subject {subject:?}"))?, "version")?))
    }

    /// Whether the registry answers and lets us in.
    pub fn ping(&self) -> Result<(), Error> {
        self.get("/subjects")?.accept(|| "/subjects".to_string()).map(drop)
    }

    fn get(&self, path: &str) -> Result<Answer, Error> {
        self.inner.http.get(path, self.deadline)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Answer, Error> {
        self.inner.http.post(path, body, self.deadline)
    }

    /// The answer to a refused registration is one long text; a check gives the reasons one by one.
    fn incompatible(&self, subject: &str, schema: &str, answer: &Answer) -> Error {
        let mut messages = self.check(subject, schema).map(|found| found.messages).unwrap_or_default();
        if messages.is_empty() {
            messages.push(answer.message());
        }
        Error::Incompatible { subject: subject.to_string(), messages }
    }
}

/// A panic of another thread leaves a cache whole, so its poison means nothing.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text<'a>(body: &'a Value, member: &str) -> Result<&'a str, Error> {
    body[member].as_str().ok_or_else(|| unexpected(member, body))
}

fn number(body: &Value, member: &str) -> Result<u32, Error> {
    body[member].as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| unexpected(member, body))
}

fn unexpected(member: &str, body: &Value) -> Error {
    let seen: String = body.to_string().chars().take(200).collect();
    Error::Refused { status: 200, code: 0, message: format!("the answer has no usable {member:?}: {seen}") }
}
