//! Requests to a registry: addresses in turn, back-off, one deadline for all of it.
//!
//! Repeats only what may be repeated: every request of this API is idempotent, and only a lost connection, 5xx and 429
//! are repeated. Never follows a redirect with credentials.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Config, Error};

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// One address may not use up the time of the others.
const LONGEST_TRY: Duration = Duration::from_secs(10);

pub(super) struct Http {
    agent: ureq::Agent,
    urls: Vec<String>,
    /// The address that answered last.
    current: AtomicUsize,
    authorization: Option<String>,
}

/// An answer that is neither 5xx nor 429.
pub(super) struct Answer {
    pub(super) status: u16,
    body: Value,
}

impl Answer {
    /// The body of a success; otherwise the error it stands for.
    pub(super) fn accept(self, what: impl Fn() -> String) -> Result<Value, Error> {
        match self.status {
            200..=299 => Ok(self.body),
            404 if self.code() != 0 => Err(Error::NotFound { what: what() }),
            status => Err(Error::Refused { status, code: self.code(), message: self.message() }),
        }
    }

    /// Subject or version not found, as opposed to an address that is no registry's.
    pub(super) fn names_a_missing_version(&self) -> bool {
        self.status == 404 && matches!(self.code(), 40401 | 40402 | 40404 | 40406)
    }

    /// Subject, version or schema not found.
    pub(super) fn is_missing(&self) -> bool {
        self.names_a_missing_version() || (self.status == 404 && self.code() == 40403)
    }

    fn code(&self) -> u32 {
        self.body["error_code"].as_u64().and_then(|code| u32::try_from(code).ok()).unwrap_or(0)
    }

    pub(super) fn message(&self) -> String {
        match (self.body["message"].as_str(), &self.body) {
            (Some(message), _) => message.to_string(),
            (None, Value::String(text)) => text.chars().take(200).collect(),
            (None, other) => other.to_string().chars().take(200).collect(),
        }
    }
}

impl Http {
    pub(super) fn new(config: &Config) -> Http {
        let mut basic = config.basic_auth.clone();
        let mut urls = Vec::new();
        for url in &config.urls {
            let (bare, credentials) = split_credentials(url);
            urls.push(bare);
            basic = basic.or(credentials);
        }
        let agent = ureq::Agent::config_builder().http_status_as_error(false).tls_config(config.tls.0.clone());
        let agent = agent.build().new_agent();
        let authorization = match (&config.bearer_token, basic) {
            (Some(token), _) => Some(format!("Bearer {token}")),
            (None, Some((user, password))) => Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))),
            (None, None) => None,
        };
        Http { agent, urls, current: AtomicUsize::new(0), authorization }
    }

    pub(super) fn get(&self, path: &str, deadline: Duration) -> Result<Answer, Error> {
        self.persist(path, None, deadline)
    }

    pub(super) fn post(&self, path: &str, body: &Value, deadline: Duration) -> Result<Answer, Error> {
        self.persist(path, Some(body.to_string()), deadline)
    }

    fn persist(&self, path: &str, body: Option<String>, deadline: Duration) -> Result<Answer, Error> {
        let end = Instant::now() + deadline;
        let (mut pause, mut earlier) = (FIRST_PAUSE, None);
        loop {
            let reason = match self.each_address(path, body.as_deref(), end) {
                Ok(answer) => return Ok(answer),
                // The deadline cut this try short; the one before says more.
                Err(reason) if Instant::now() >= end => earlier.take().unwrap_or(reason),
                Err(reason) => reason,
            };
            if Instant::now() + pause >= end {
                return Err(Error::Unreachable { url: self.urls.join(","), reason });
            }
            earlier = Some(reason);
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Every address once, from the one that answered last. The error is the last reason.
    fn each_address(&self, path: &str, body: Option<&str>, end: Instant) -> Result<Answer, String> {
        let mut reason = "no address is given".to_string();
        let first = self.current.load(Ordering::Relaxed);
        for step in 0..self.urls.len() {
            let at = (first + step) % self.urls.len();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() && step > 0 {
                break;
            }
            match self.once(&format!("{}{path}", self.urls[at]), body, left.max(FIRST_PAUSE).min(LONGEST_TRY)) {
                Ok(answer) if answer.status >= 500 || answer.status == 429 => {
                    reason = format!("it answers {}: {}", answer.status, answer.message());
                }
                Ok(answer) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => reason = reason_of(error),
            }
        }
        Err(reason)
    }

    fn once(&self, url: &str, body: Option<&str>, timeout: Duration) -> Result<Answer, ureq::Error> {
        let accept = format!("{MEDIA_TYPE}, application/json");
        let authorization = self.authorization.iter().map(|value| ("Authorization", value.as_str()));
        let mut response = match body {
            None => {
                let mut request = self.agent.get(url).header("Accept", accept);
                for (name, value) in authorization {
                    request = request.header(name, value);
                }
                request.config().timeout_global(Some(timeout)).build().call()?
            }
            Some(body) => {
                let mut request = self.agent.post(url).header("Accept", accept).header("Content-Type", MEDIA_TYPE);
                for (name, value) in authorization {
                    request = request.header(name, value);
                }
                request.config().timeout_global(Some(timeout)).build().send(body)?
            }
        };
        let text = response.body_mut().read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status: response.status().as_u16(), body })
    }
}

/// The system's words as they are: ureq puts `io:` before them.
fn reason_of(error: ureq::Error) -> String {
    if let ureq::Error::Io(inner) = error { inner.to_string() } else { error.to_string() }
}

/// An address without credentials and last slashes, and the credentials. An address without a scheme is http.
pub(super) fn split_credentials(url: &str) -> (String, Option<(String, String)>) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let credentials = credentials.map(|both| {
        let (user, password) = both.split_once(':').unwrap_or((both, ""));
        (decode(user), decode(password))
    });
    (format!("{scheme}://{host}{}", path.trim_end_matches('/')), credentials)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.filter(|_| first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
