//! Where Kafka, the registry and Connect are: as options say, as a platform's directory says, or where the workshop has
//! them. Contacts nothing.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::build;
use super::options::Cluster;
use crate::config::{Config, RegistryOptions};
use crate::exit::Stop;
use crate::kafka::Settings;
use crate::registry::Registry;

const FILE: &str = "endpoints.json";

#[derive(clap::Args, Debug, Clone)]
pub struct Addresses {
    #[command(flatten)]
    cluster: Cluster,
    /// The directory of a demo or platform: its endpoints.json says where everything is [default: here, if there is one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The same, with the registry: all that a command which only looks has to know.
#[derive(clap::Args, Debug, Clone)]
pub struct Platform {
    #[command(flatten)]
    addresses: Addresses,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// What `Platform` comes to.
#[derive(Debug)]
pub struct Found {
    pub kafka: Settings,
    pub registry: Registry,
    /// Connect's address, where the directory tells it.
    pub connect: Option<String>,
}

/// The part of endpoints.json that is of use here; what is not running is null.
#[derive(Deserialize, Default, Debug)]
struct Endpoints {
    kafka: Option<String>,
    registry: Option<String>,
    connect: Option<String>,
}

impl Platform {
    pub fn find(&self) -> Result<Found, Stop> {
        let mut config = Config::default();
        config.registry.override_by(&self.registry.registry());
        let connect = self.addresses.apply(&mut config)?;
        Ok(Found { kafka: build::kafka(&config)?, registry: Registry::new(config.registry.resolve()?), connect })
    }
}

impl Addresses {
    /// Options win over the directory, and that over what `config` says already. Gives Connect's address, if it is told.
    pub(super) fn apply(&self, config: &mut Config) -> Result<Option<String>, Stop> {
        let file_says = config.kafka.brokers.is_some();
        self.cluster.apply(config);
        let given = self.cluster.kafka.brokers.is_some();
        let endpoints = match &self.dir {
            Some(dir) => read(dir)?,
            None if given || file_says || !config.registry.url.is_empty() || !Path::new(FILE).is_file() => {
                Endpoints::default()
            }
            None => read(Path::new("."))?,
        };
        if !given && endpoints.kafka.is_some() {
            config.kafka.brokers = endpoints.kafka;
        }
        if config.registry.url.is_empty() {
            config.registry.url.extend(endpoints.registry.and_then(|url| url.parse().ok()));
        }
        Ok(endpoints.connect)
    }
}

fn read(dir: &Path) -> Result<Endpoints, Stop> {
    let file = dir.join(FILE);
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Stop::usage(format!("{} cannot be read: {error}", file.display()))
            .hint("--dir is the directory that a demo or platform was started with, while it is up")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Stop::usage(format!("{} does not say where things are: {error}", file.display()))
            .hint("a demo or platform writes it when it is up; was it changed since?")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        platform: Platform,
    }

    fn find(endpoints: &str, args: &[&str]) -> Result<(String, String), Stop> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), endpoints).unwrap();
        let line = Line::parse_from([&["x", "--dir", dir.path().to_str().unwrap()], args].concat());
        let found = line.platform.find()?;
        Ok((found.kafka.brokers, found.connect.unwrap_or_default()))
    }

    #[test]
    fn a_directory_says_where_things_are_and_options_win_over_it() {
        let all = r#"{"kafka":"h:1","registry":"http://h:2","connect":"http://h:3","s3":{"url":"x"}}"#;
        for (endpoints, args, kafka, connect) in [
            (all, &[][..], "h:1", "http://h:3"),
            (all, &["--brokers", "b:9"], "b:9", "http://h:3"),
            (r#"{"kafka":"h:1","connect":null}"#, &[], "h:1", ""),
            ("{}", &[], "localhost:9092", ""),
        ] {
            assert_eq!(find(endpoints, args).unwrap(), (kafka.to_owned(), connect.to_owned()), "{endpoints} {args:?}");
        }
    }

    #[test]
    fn a_directory_that_says_nothing_is_a_mistake() {
        let said = find("[", &[]).unwrap_err().to_string();
        assert!(said.contains("endpoints.json does not say"), "{said}");
        let line = Line::parse_from(["x", "--dir", "/nowhere"]);
        let said = line.platform.find().unwrap_err().to_string();
        assert!(said.contains("/nowhere/endpoints.json cannot be read"), "{said}");
    }
}
