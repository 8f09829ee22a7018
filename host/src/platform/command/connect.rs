//! Connect's REST API over the platform's servers.
//!
//! The workshop's connector files name the compose world's database and no bucket of anyone's: what they say of
//! addresses, buckets and keys gives way to the platform's own. Secrets go to connectors, never to a log.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::config::Secret;
use crate::exit::Stop;
use crate::kafka::Settings;
use crate::platform::endpoints::Endpoints;
use crate::platform::port;
use crate::registry::{self, Registry};
use crate::worker::{Options, Worker};

pub(super) fn start(endpoints: &Endpoints, fixed: Option<u16>, dir: &Path) -> Result<Worker, Stop> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, fixed.unwrap_or_else(port::free)));
    let registry = Registry::new(registry::Config::new(&endpoints.registry));
    let mut options = Options::new(listen, Settings::new(endpoints.kafka.clone()), registry, dir.join("connect"));
    options.plugin_dir = plugins();
    options.set = own(endpoints);
    Worker::start(options)
}

/// `SMT_PLUGINS`, or those beside the built binary; none, where there are none.
fn plugins() -> Option<PathBuf> {
    let named = std::env::var_os("SMT_PLUGINS").map(PathBuf::from);
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("plugins"));
    named.or_else(beside).filter(|dir| dir.is_dir())
}

fn own(endpoints: &Endpoints) -> Vec<(String, Secret)> {
    let mut own = database(&endpoints.postgres).unwrap_or_default();
    if let Some(s3) = &endpoints.s3 {
        own.extend([
            ("store.url", s3.endpoint.clone()),
            ("s3.bucket.name", s3.bucket.clone()),
            ("s3.region", s3.region.clone()),
            ("aws.access.key.id", s3.access_key_id.clone()),
            ("aws.secret.access.key", s3.secret_access_key.clone()),
        ]);
    }
    let secret = |(key, value): (&str, String)| {
        let Ok(secret) = value.parse::<Secret>();
        (key.to_owned(), secret)
    };
    own.into_iter().map(secret).collect()
}

/// `postgres://user:password@address` as a JDBC connector says it.
fn database(url: &str) -> Option<Vec<(&'static str, String)>> {
    let (login, address) = url.strip_prefix("postgres://")?.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    Some(vec![
        ("connection.url", format!("jdbc:postgresql://{address}")),
        ("connection.user", user.to_owned()),
        ("connection.password", password.to_owned()),
    ])
}
