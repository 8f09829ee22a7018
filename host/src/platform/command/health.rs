//! Each server really asked what a client would ask it. Waits for none longer than a few seconds.

use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::DisplayErrorContext;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::platform::endpoints::{Bucket, Endpoints};

const PATIENCE: Duration = Duration::from_secs(5);

/// A server and what is wrong with it.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) address: String,
    pub(super) problem: Option<String>,
}

/// All at once, so that several silent ones cost the time of one.
pub(super) fn ask(endpoints: &Endpoints) -> Vec<Server> {
    let Endpoints { kafka, registry, postgres, connect, s3, .. } = endpoints;
    std::thread::scope(|scope| {
        let mut asked = vec![
            ("kafka", kafka.clone(), scope.spawn(|| broker(kafka))),
            ("registry", registry.clone(), scope.spawn(|| http(format!("{registry}/subjects")))),
            ("postgres", without_password(postgres), scope.spawn(|| database(postgres))),
        ];
        if let Some(s3) = s3 {
            asked.push(("s3", format!("{} bucket {}", s3.endpoint, s3.bucket), scope.spawn(|| bucket(s3))));
        }
        if let Some(connect) = connect {
            asked.push(("connect", connect.clone(), scope.spawn(move || http(format!("{connect}/")))));
        }
        let finished = asked.into_iter().map(|(name, address, answer)| {
            let answer = answer.join().unwrap_or_else(|_| Err("could not be asked".to_owned()));
            Server { name, address, problem: answer.err() }
        });
        finished.collect()
    })
}

fn broker(brokers: &str) -> Result<(), String> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set_log_level(RDKafkaLogLevel::Emerg);
    let client: BaseConsumer = config.create().map_err(|error| error.to_string())?;
    let metadata = client.fetch_metadata(None, PATIENCE).map_err(|error| error.to_string())?;
    if metadata.brokers().is_empty() { Err("knows no broker".to_owned()) } else { Ok(()) }
}

fn http(url: String) -> Result<(), String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build();
    ureq::Agent::new_with_config(config).get(&url).call().map(drop).map_err(|error| error.to_string())
}

fn database(url: &str) -> Result<(), String> {
    limited(async {
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| cause(&error))?;
        tokio::spawn(connection);
        client.simple_query("SELECT 1").await.map(drop).map_err(|error| cause(&error))
    })
}

fn bucket(s3: &Bucket) -> Result<(), String> {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(&s3.endpoint)
        .force_path_style(true)
        .region(Region::new(s3.region.clone()))
        .credentials_provider(Credentials::new(&s3.access_key_id, &s3.secret_access_key, None, None, "endpoints"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
        .build();
    limited(async {
        let answer = aws_sdk_s3::Client::from_conf(config).head_bucket().bucket(&s3.bucket).send().await;
        answer.map(drop).map_err(|error| DisplayErrorContext(error).to_string())
    })
}

fn limited(question: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        tokio::time::timeout(PATIENCE, question).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    })
}

/// The driver's own words are "error connecting to server"; why is behind them.
fn cause(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// `postgres://user@host:port/db`
fn without_password(url: &str) -> String {
    let masked = || {
        let (scheme, rest) = url.split_once("://")?;
        let (login, address) = rest.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}@{address}"))
    };
    masked().unwrap_or_default()
}
