//! What every request passes before it is done: signed, for the right region, and past the faults that wait.

use std::sync::{Arc, Mutex, PoisonError};

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::faults::{Fault, Faults};
use super::kept::Credentials;

#[async_trait::async_trait]
impl S3Auth for Credentials {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key != self.access_key_id {
            return Err(s3_error!(InvalidAccessKeyId, "the access key id {access_key:?} is not known here"));
        }
        Ok(SecretKey::from(self.secret_access_key.as_str()))
    }
}

pub(super) struct Gate {
    pub(super) faults: Faults,
    pub(super) region: &'static str,
}

/// How a request tells its connection what becomes of the reply.
#[derive(Clone, Default)]
pub(super) struct Fate(Arc<Mutex<Option<Fault>>>);

impl Fate {
    pub(super) fn get(&self) -> Option<Fault> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, fault: Fault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "requests must be signed"));
        }
        if let Some(region) = signed_region(context).filter(|region| region != self.region) {
            let right = self.region;
            let what = "the region in the signature is wrong";
            return Err(s3_error!(AuthorizationHeaderMalformed, "{what}: it is '{region}', expected '{right}'"));
        }
        let Some(fault) = self.faults.meet(context.s3_op().name()) else { return Ok(()) };
        if let Some(fate) = context.extensions_mut().get::<Fate>() {
            fate.set(fault);
        }
        match fault {
            Fault::SlowDown | Fault::Reset => Err(s3_error!(SlowDown, "please reduce your request rate")),
            Fault::InternalError => Err(s3_error!(InternalError, "we encountered an internal error")),
            Fault::LoseReply => Ok(()),
            Fault::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }
}

/// The third part of a credential's scope, `ID/DATE/REGION/s3/aws4_request`. A presigned URL has no such header.
fn signed_region(context: &S3AccessContext<'_>) -> Option<String> {
    let header = context.headers().get("authorization")?.to_str().ok()?;
    let scope = header.split_once("Credential=")?.1.split(',').next()?;
    scope.split('/').nth(2).map(str::to_owned)
}
