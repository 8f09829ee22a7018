//! What a user wants run: the configuration file, and the options that win over it.
//!
//! Each thing that can be said in both is said once here: a field is an option, an environment variable and a key of
//! the file. Nothing here starts or contacts anything; defaults are filled in where pipelines are made of it (`run`).

/// `[[pipeline]]`.
mod pipeline;
/// Numbers with their unit.
mod quantity;
/// From a file's text, with messages that say where and what is allowed.
mod read;
/// The registry on the command line.
mod registry_options;
/// Values that may be secret.
mod secret;
/// `[[sink]]`.
mod sink;
#[cfg(test)]
mod tests;
/// A plugin's windows.
mod window;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use crate::exit::Stop;
use crate::{log, registry};

pub use pipeline::{Limits, Pipeline, Plugin};
pub use quantity::{Count, Size, Time};
pub use registry_options::RegistryOptions;
pub(crate) use secret::is_secret;
pub use secret::{MASK, Properties, Secret, Url};
pub use sink::Sink;
pub use window::{Idle, Window};

/// A whole configuration file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    pub state_dir: Option<PathBuf>,
    pub instance_id: Option<String>,
    pub log_format: Option<log::Format>,
    pub fail_fast: Option<bool>,
    pub kafka: Kafka,
    pub registry: Registry,
    pub pipeline: Vec<Pipeline>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sink: Vec<Sink>,
}

/// How the cluster is reached.
#[derive(clap::Args, Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kafka {
    /// Kafka brokers, comma-separated [default: localhost:9092]
    #[arg(long, env = "SMT_BROKERS", value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    #[arg(skip)]
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

/// How the Schema Registry is reached.
#[derive(clap::Args, Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Registry {
    /// Schema Registry addresses, comma-separated, tried in turn [default: http://localhost:8081]
    #[arg(long = "registry", env = "SMT_REGISTRY", hide_env_values = true, value_name = "URL", value_delimiter = ',')]
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub url: Vec<Url>,
    /// User at the registry (basic authentication)
    #[arg(long = "registry-user", env = "SMT_REGISTRY_USER", value_name = "NAME")]
    pub user: Option<String>,
    /// Password of that user; better by ${env:NAME} or --registry-password-file
    #[arg(long = "registry-password", env = "SMT_REGISTRY_PASSWORD", hide_env_values = true, value_name = "SECRET")]
    pub password: Option<Secret>,
    /// Bearer token for the registry; better by ${env:NAME} or --registry-token-file
    #[arg(long = "registry-token", env = "SMT_REGISTRY_TOKEN", hide_env_values = true, value_name = "SECRET")]
    pub token: Option<Secret>,
    /// Certificates (PEM) to trust at the registry, instead of the well-known ones
    #[arg(long = "registry-ca-file", env = "SMT_REGISTRY_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Our own certificate (PEM) for the registry
    #[arg(long = "registry-cert-file", env = "SMT_REGISTRY_CERT_FILE", value_name = "FILE")]
    pub cert_file: Option<PathBuf>,
    /// Its private key (PEM, without passphrase)
    #[arg(long = "registry-key-file", env = "SMT_REGISTRY_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl Config {
    /// Reads a file. Relative paths in it start from its own directory.
    pub fn load(file: &Path) -> Result<Config, Stop> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Stop::usage(format!("configuration file {} cannot be read: {error}", file.display()))
                .hint("check the path given with --config; host/smt-host.example.toml is one to start from")
        })?;
        let mut config = read::config(&text, file)?;
        config.rebase(file.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Relative paths start from `dir` from now on.
    pub fn rebase(&mut self, dir: &Path) {
        let Registry { url, user: _, password, token, ca_file, cert_file, key_file } = &mut self.registry;
        let plugins = self.pipeline.iter_mut().flat_map(|pipeline| &mut pipeline.plugin);
        let (files, settings): (Vec<_>, Vec<_>) = plugins.map(|p| (&mut p.file, &mut p.settings)).unzip();
        let (connectors, set): (Vec<_>, Vec<_>) =
            self.sink.iter_mut().map(|sink| (&mut sink.config, &mut sink.set)).unzip();
        for path in
            [&mut self.state_dir, ca_file, cert_file, key_file].into_iter().flatten().chain(files).chain(connectors)
        {
            *path = dir.join(&*path);
        }
        let properties = settings.into_iter().chain(set).chain([&mut self.kafka.properties]);
        let secrets = properties.flat_map(|properties| properties.0.values_mut());
        for secret in secrets.chain(url.iter_mut().map(|url| &mut url.0)).chain(password).chain(token) {
            secret.rebase(dir);
        }
    }
}

impl Kafka {
    pub fn override_by(&mut self, over: &Kafka) {
        set(&mut self.brokers, &over.brokers);
        self.properties.0.extend(over.properties.0.clone());
    }
}

impl Registry {
    pub fn override_by(&mut self, over: &Registry) {
        // Another way to be let in takes the place of the one before.
        match (&over.password, &over.token) {
            (None, Some(_)) => (self.user, self.password) = (None, None),
            (Some(_), None) => self.token = None,
            _ => {}
        }
        set_list(&mut self.url, &over.url);
        set(&mut self.user, &over.user);
        set(&mut self.password, &over.password);
        set(&mut self.token, &over.token);
        set(&mut self.ca_file, &over.ca_file);
        set(&mut self.cert_file, &over.cert_file);
        set(&mut self.key_file, &over.key_file);
    }

    /// With the default address, if none was given.
    pub fn complete(&mut self) {
        if self.url.is_empty() {
            self.url.extend("http://localhost:8081".parse::<Url>());
        }
    }

    /// With secrets in place and certificates read.
    pub fn resolve(&self) -> Result<registry::Config, Stop> {
        let mut registry = self.clone();
        registry.complete();
        let urls = registry.url.iter().map(|url| url.0.resolve("the registry's url")).collect::<Result<Vec<_>, _>>()?;
        let urls = urls.join(",");
        urls.split(',').filter(|url| !url.trim().is_empty()).try_for_each(check_url)?;
        let mut config = registry::Config::new(&urls);
        config.bearer_token = self.token.as_ref().map(|token| token.resolve("the registry's token")).transpose()?;
        config.basic_auth = match (&self.user, &self.password) {
            (Some(user), Some(password)) => Some((user.clone(), password.resolve("the registry's password")?)),
            (None, None) => config.basic_auth,
            (Some(user), None) => return Err(half(&format!("has user {user:?} and no password"))),
            (None, Some(_)) => return Err(half("has a password and no user")),
        };
        if config.bearer_token.is_some() && config.basic_auth.is_some() {
            return Err(Stop::usage("the registry has a token and a user with password")
                .hint("keep one: the token for bearer, user and password for basic authentication"));
        }
        config.tls = registry::Tls::read(&self.ca_file, &self.cert_file, &self.key_file)?;
        Ok(config)
    }
}

/// What stands before an @ is not shown: it may be a password.
fn check_url(url: &str) -> Result<(), Stop> {
    let url = url.trim();
    let place = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if place.is_some_and(|place| !place.is_empty()) {
        return Ok(());
    }
    let shown = url.rsplit_once('@').map_or(url, |(_, shown)| shown);
    Err(Stop::usage(format!("the registry's url {shown:?} is none of http:// or https://"))
        .hint("it looks like http://localhost:8081; several have commas between them"))
}

fn half(what: &str) -> Stop {
    Stop::usage(format!("the registry {what}"))
        .hint("give both: `user` and `password` of [registry], or --registry-user and --registry-password-file")
}

/// What was given wins.
fn set<T: Clone>(value: &mut Option<T>, over: &Option<T>) {
    if over.is_some() {
        value.clone_from(over);
    }
}

fn set_list<T: Clone>(value: &mut Vec<T>, over: &[T]) {
    if !over.is_empty() {
        *value = over.to_vec();
    }
}

/// `"a"` or `["a", "b"]`.
fn one_or_many<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let many = match toml::Value::deserialize(deserializer)? {
        many @ toml::Value::Array(_) => many,
        one => toml::Value::Array(vec![one]),
    };
    many.try_into().map_err(|_| serde::de::Error::custom("a text or a list of texts is needed"))
}

/// A value where a text is meant: users leave the quotes of numbers and booleans away.
fn text(value: toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Array(_) | toml::Value::Table(_) => Err(format!("{value} is no text")),
        other => Ok(other.to_string()),
    }
}
