//! Connect's REST API over the servers of one directory.
//!
//! The workshop's connector files name the compose world's database and no bucket of anyone's: what they say of
//! addresses, buckets and keys gives way to the directory's own. Secrets go to connectors, never to a log.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::endpoints::{Bucket, Endpoints};
use super::port;
use crate::config::Secret;
use crate::exit::Stop;
use crate::kafka::Settings;
use crate::registry::{self, Registry};
use crate::worker::{Options, Worker};

/// On a fixed port of 127.0.0.1, or on a free one. `plugins`: where connectors find plugins.
pub fn start(endpoints: &Endpoints, fixed: Option<u16>, dir: &Path, plugins: Option<PathBuf>) -> Result<Worker, Stop> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, fixed.unwrap_or_else(port::free)));
    let registry = Registry::new(registry::Config::new(&endpoints.registry));
    let mut options = Options::new(listen, Settings::new(endpoints.kafka.clone()), registry, dir.join("connect"));
    options.plugin_dir = plugins;
    options.set = own(endpoints);
    Worker::start(options)
}

fn own(endpoints: &Endpoints) -> Vec<(String, Secret)> {
    let store = endpoints.s3.as_ref().map(store).unwrap_or_default();
    let secret = |(key, value): (String, String)| {
        let Ok(secret) = value.parse::<Secret>();
        (key, secret)
    };
    database(&endpoints.postgres).into_iter().chain(store).map(secret).collect()
}

/// A bucket as an S3 connector says it. The keys are the connector's own: the process's environment, which may name
/// other stores, stays as it is.
pub fn store(s3: &Bucket) -> Vec<(String, String)> {
    let keys = [
        ("store.url", &s3.endpoint),
        ("s3.bucket.name", &s3.bucket),
        ("s3.region", &s3.region),
        ("aws.access.key.id", &s3.access_key_id),
        ("aws.secret.access.key", &s3.secret_access_key),
    ];
    keys.map(|(key, value)| (key.to_owned(), value.clone())).to_vec()
}

/// `postgres://user:password@address` as a JDBC connector says it.
pub fn database(url: &str) -> Vec<(String, String)> {
    let rest = url.trim_start_matches("postgres://");
    let (login, address) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let keys = [
        ("connection.url", format!("jdbc:postgresql://{address}")),
        ("connection.user", user.to_owned()),
        ("connection.password", password.to_owned()),
    ];
    keys.map(|(key, value)| (key.to_owned(), value)).to_vec()
}
