//! The servers of one directory, started in order: Postgres, registry, S3, broker.
//!
//! The one start code of `demo` and `platform up`. Starts servers only: moves no record, makes no topic. Connect needs
//! a real broker, so it is its caller's.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Instant;

use super::dir::{Directory, failed};
use super::endpoints::{Bucket, Endpoints};
use super::port;
use super::postgres::Postgres;
use super::s3::S3;
use crate::exit::Stop;
use crate::registry;

/// Where each server listens on 127.0.0.1; none: the port of the last start, or a free one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    pub kafka: Option<u16>,
    pub registry: Option<u16>,
    pub postgres: Option<u16>,
    pub s3: Option<u16>,
    pub connect: Option<u16>,
}

/// Running servers, in the order in which they end. `B`: the broker, whichever the caller has.
pub struct Servers<B> {
    pub registry: registry::server::Server,
    pub kafka: B,
    pub s3: S3,
    pub postgres: Postgres,
    pub dir: Directory,
}

impl<B> Servers<B> {
    /// `broker` starts the broker in the directory; `tell` is given each server's name and what there is to say of it.
    pub fn start(
        dir: Directory,
        ports: Ports,
        bucket: &str,
        broker: impl FnOnce(&Path) -> Result<B, Stop>,
        tell: &mut dyn FnMut(&str, &str),
    ) -> Result<Servers<B>, Stop> {
        let begun = Instant::now();
        let postgres = Postgres::start_at(dir.path(), ports.postgres)?;
        tell("postgres", &format!("up after {:.1} s", begun.elapsed().as_secs_f64()));
        let registry = start_registry(dir.path(), ports.registry)?;
        tell("registry", &registry.url());
        let s3 = S3::start_at(dir.path(), bucket, ports.s3)?;
        tell("s3", &s3.endpoint());
        let kafka = broker(dir.path())?;
        tell("kafka", &format!("up after {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(Servers { registry, kafka, s3, postgres, dir })
    }

    pub fn endpoints(&self, brokers: String) -> Endpoints {
        Endpoints {
            kafka: brokers,
            registry: self.registry.url(),
            postgres: self.postgres.url(),
            connect: None,
            admin: None,
            s3: Some(Bucket::of(&self.s3)),
        }
    }
}

/// The port of the last start if it is free, so that clients find the registry again.
fn start_registry(dir: &Path, fixed: Option<u16>) -> Result<registry::server::Server, Stop> {
    let file = dir.join("registry.port");
    let kept = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
    let port = fixed.or_else(|| kept.filter(|port| port::is_free(*port))).unwrap_or_else(port::free);
    let server = registry::server::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), &dir.join("registry"))?;
    std::fs::write(&file, format!("{port}\n")).map_err(|error| failed("write", &file, &error))?;
    Ok(server)
}
