//! What an answer of S3, or none, means for whoever asked. Never says what to do about it.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Failure {
    /// Nothing that trying again could not mend.
    Away(String),
    /// The same again will be refused again.
    Refused(String),
    /// The upload is not known, or not any more.
    Gone(String),
    /// There is an object of this key, and it is not to be replaced.
    Exists(String),
    /// There is one, and its tags say that it reaches up to this offset.
    Covered(i64),
}

/// S3's words for "not now".
const NOT_NOW: [&str; 9] = [
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "Throttling",
    "ThrottlingException",
    "OperationAborted",
    "ExpiredToken",
];

impl Failure {
    /// `what`: the object that was asked for.
    pub(super) fn of<E>(error: SdkError<E, HttpResponse>, what: &str) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let text = match (&error, status) {
            (SdkError::ServiceError(_), Some(status)) => {
                let words = [code.as_str(), error.message().unwrap_or_default()];
                let words: Vec<&str> = words.into_iter().filter(|words| !words.is_empty()).collect();
                format!("{what}: S3 answered {status} {}", words.join(": ")).trim_end().to_owned()
            }
            _ => format!("{what}: {}", root(&error)),
        };
        match (status, code.as_str()) {
            (_, "NoSuchUpload") => Failure::Gone(text),
            (Some(412), _) => Failure::Exists(text),
            // Another writer of the same key at the same time.
            (Some(409), "ConditionalRequestConflict") => Failure::Away(text),
            (Some(429 | 500..=599), _) => Failure::Away(text),
            (_, code) if NOT_NOW.contains(&code) => Failure::Away(text),
            (Some(_), _) => Failure::Refused(text),
            (None, _) if lacks_credentials(&error) => Failure::Refused(text),
            (None, _) => match error {
                SdkError::ConstructionFailure(_) => Failure::Refused(text),
                SdkError::DispatchFailure(failure) if failure.is_user() => Failure::Refused(text),
                _ => Failure::Away(text),
            },
        }
    }
}

/// None were found anywhere, as opposed to a place of them that does not answer now.
fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(now) = cause {
        if now.downcast_ref().is_some_and(|found| matches!(found, CredentialsError::CredentialsNotLoaded(_))) {
            return true;
        }
        cause = now.source();
    }
    false
}

/// The cause that all others wrap.
fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Away(text) | Failure::Refused(text) | Failure::Gone(text) | Failure::Exists(text) => {
                f.write_str(text)
            }
            Failure::Covered(offset) => write!(f, "an object is there already, up to offset {offset}"),
        }
    }
}
