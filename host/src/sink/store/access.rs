//! What a connector file says of S3: where it is, who we are, and how objects are kept.

use std::fmt;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, ResponseChecksumValidation, SharedCredentialsProvider};
use aws_sdk_s3::types::ObjectCannedAcl;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::config::Secret;
use crate::connector_file::Values;
use crate::exit::Stop;

/// An attempt without an answer for so long is one that failed.
const ATTEMPT_MAX: Duration = Duration::from_secs(120);

#[derive(Debug, Clone)]
pub(in super::super) struct Access {
    pub(in super::super) bucket: String,
    region: String,
    /// Another store than Amazon's.
    pub(in super::super) url: Option<String>,
    path_style: bool,
    accelerate: bool,
    keys: Option<Keys>,
    pub(super) encryption: Encryption,
    pub(super) acl: Option<ObjectCannedAcl>,
    retries: u32,
    backoff: Duration,
}

#[derive(Clone)]
struct Keys {
    id: String,
    secret: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// `s3.ssea.name`
#[derive(Debug, Clone)]
pub(super) enum Encryption {
    None,
    Aes256,
    /// With the id of a key.
    Kms(String),
    Customer(CustomerKey),
}

/// Both in base64.
#[derive(Clone)]
pub(super) struct CustomerKey {
    pub(super) key: String,
    pub(super) digest: String,
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey")
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bucket {}", self.bucket)?;
        match &self.url {
            Some(url) => write!(f, " at {url}"),
            None => write!(f, " in {}", self.region),
        }
    }
}

impl Access {
    pub(in super::super) fn parse(values: &Values) -> Result<Access, Stop> {
        let url = values.get("store.url").map(str::trim).filter(|url| !url.is_empty());
        let url = url.map(|url| if url.contains("://") { url.to_owned() } else { format!("https://{url}") });
        let acl = values.get("s3.acl.canned").map(str::trim).filter(|acl| !acl.is_empty());
        Ok(Access {
            bucket: bucket(values)?,
            region: region(values)?,
            url,
            path_style: values.boolean("s3.path.style.access.enabled", true)?,
            accelerate: values.boolean("s3.wan.mode", false)?,
            keys: keys(values)?,
            encryption: encryption(values)?,
            acl: acl.map(canned).transpose()?,
            retries: values.number("s3.part.retries", 3, 0..=1000)? as u32,
            backoff: values.millis("s3.retry.backoff.ms", 200)?,
        })
    }

    pub(super) async fn client(&self) -> Result<Client, Stop> {
        let retries = RetryConfig::standard().with_max_attempts(self.retries + 1);
        let retries = retries.with_initial_backoff(self.backoff.max(Duration::from_millis(1)));
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_MAX).build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .retry_config(retries)
            .timeout_config(timeouts);
        if let Some(Keys { id, secret }) = &self.keys {
            let keys = Credentials::new(id, secret, None, None, "connector file");
            loader = loader.credentials_provider(SharedCredentialsProvider::new(keys));
        }
        if let Some(url) = &self.url {
            loader = loader.endpoint_url(url);
        }
        let shared = loader.load().await;
        let config = aws_sdk_s3::config::Builder::from(&shared)
            // A bucket of a store without names of its own can only be reached by path.
            .force_path_style(self.path_style && !self.accelerate)
            .accelerate(self.accelerate)
            // Of an object of several parts it cannot be checked, which the SDK would log for each.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        Ok(Client::from_conf(config.build()))
    }
}

fn bucket(values: &Values) -> Result<String, Stop> {
    let bucket = values.required("s3.bucket.name")?.trim();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    if bucket.starts_with("arn:") || ((3..=63).contains(&bucket.len()) && bucket.chars().all(fits)) {
        return Ok(bucket.to_owned());
    }
    Err(Stop::usage(format!("s3.bucket.name is {bucket:?}; allowed: 3 to 63 lower-case letters, digits, '.' and '-'"))
        .hint("give your bucket's name: --set s3.bucket.name=…"))
}

fn region(values: &Values) -> Result<String, Stop> {
    let region = values.get("s3.region").unwrap_or("us-west-2").trim();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !region.is_empty() && region.chars().all(fits) {
        return Ok(region.to_owned());
    }
    Err(Stop::usage(format!("s3.region is {region:?}; allowed: a region's name, such as us-east-1"))
        .hint("give your bucket's region: --set s3.region=…"))
}

fn secret(values: &Values, key: &str) -> Result<Option<String>, Stop> {
    let Some(text) = values.get(key).map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let Ok(secret) = text.parse::<Secret>();
    secret.resolve(key).map(Some)
}

fn keys(values: &Values) -> Result<Option<Keys>, Stop> {
    let half = |key: &str, other: &str| {
        Err(Stop::usage(format!("{key} is missing: {other} is given"))
            .hint("give both, or neither: then credentials come from the AWS default chain (AWS_ACCESS_KEY_ID, …)"))
    };
    let (id, secret) = ("aws.access.key.id", "aws.secret.access.key");
    match (self::secret(values, id)?, self::secret(values, secret)?) {
        (Some(id), Some(secret)) => Ok(Some(Keys { id, secret })),
        (None, None) => Ok(None),
        (Some(_), None) => half(secret, id),
        (None, Some(_)) => half(id, secret),
    }
}

fn encryption(values: &Values) -> Result<Encryption, Stop> {
    let name = values.get("s3.ssea.name").unwrap_or_default().trim();
    let customer = secret(values, "s3.sse.customer.key")?;
    let id = values.get("s3.sse.kms.key.id").map(str::trim).filter(|id| !id.is_empty());
    match (name, customer, id) {
        ("AES256", Some(key), _) => customer_key(key).map(Encryption::Customer),
        ("AES256", None, _) => Ok(Encryption::Aes256),
        ("aws:kms", _, Some(id)) => Ok(Encryption::Kms(id.to_owned())),
        // As the original: no header, so the bucket's own default holds.
        ("aws:kms", _, None) | ("", _, _) => Ok(Encryption::None),
        _ => Err(Stop::usage(format!("s3.ssea.name is {name:?}; allowed: AES256, aws:kms"))),
    }
}

fn customer_key(key: String) -> Result<CustomerKey, Stop> {
    match STANDARD.decode(&key) {
        Ok(bytes) if bytes.len() == 32 => Ok(CustomerKey { digest: STANDARD.encode(Md5::digest(&bytes)), key }),
        _ => Err(Stop::usage("s3.sse.customer.key is no key; allowed: 32 bytes in base64")),
    }
}

fn canned(name: &str) -> Result<ObjectCannedAcl, Stop> {
    let known = ObjectCannedAcl::values();
    match known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => Ok(ObjectCannedAcl::from(*known)),
        None => Err(Stop::usage(format!("s3.acl.canned is {name:?}; allowed: {}", known.join(", ")))),
    }
}
