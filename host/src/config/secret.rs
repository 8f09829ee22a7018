//! Values that may be secret, or point to where the secret is: `${env:NAME}`, `${file:PATH}`, and Kafka's
//! `${file:PATH:KEY}` for a key of a properties file.
//!
//! A secret is never shown: neither by Debug nor on the way back to a file. A reference is, since it tells nothing.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use super::text;
use crate::exit::Stop;

/// What stands for a secret wherever a configuration is shown.
pub const MASK: &str = "********";

/// A text in which references are replaced when it is used, not before.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Secret(String);

impl Secret {
    /// The content of a file, without the line end that editors add.
    pub fn in_file(path: &Path) -> Secret {
        Secret(format!("${{file:{}}}", path.display()))
    }

    /// The text with its references replaced. `key` names it in messages.
    pub fn resolve(&self, key: &str) -> Result<String, Stop> {
        if self.0 == MASK {
            tracing::warn!("{key} is {MASK}, which --print-config shows in place of a secret");
        }
        let (mut out, mut rest) = (String::new(), self.0.as_str());
        while let Some((before, reference, after)) = split(rest) {
            out.push_str(before);
            out.push_str(&look_up(key, reference)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// As it may be shown: a reference as it stands, anything else masked.
    pub fn masked(&self) -> &str {
        masked(&self.0)
    }

    /// What the references in a text stand for.
    pub(crate) fn references(text: &str) -> impl Iterator<Item = &str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let (_, reference, after) = split(rest)?;
            rest = after;
            Some(reference)
        })
    }

    /// As it was given. Only for what is known to be no secret.
    pub(super) fn plain(&self) -> &str {
        &self.0
    }

    /// File references relative to `dir` from now on.
    pub(super) fn rebase(&mut self, dir: &Path) {
        let (mut out, mut rest) = (String::new(), self.0.as_str());
        while let Some((before, reference, after)) = split(rest) {
            out.push_str(before);
            match reference.strip_prefix("file:") {
                Some(path) => out.push_str(&Secret::in_file(&dir.join(path)).0),
                None => out.push_str(&rest[before.len()..rest.len() - after.len()]),
            }
            rest = after;
        }
        out.push_str(rest);
        self.0 = out;
    }
}

fn masked(text: &str) -> &str {
    match split(text) {
        Some(("", _, "")) => text,
        _ => MASK,
    }
}

/// What stands before the first reference, what it says, and what follows.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let start = ["${env:", "${file:"].iter().filter_map(|kind| text.find(kind)).min()?;
    let (reference, after) = text[start + 2..].split_once('}')?;
    Some((&text[..start], reference, after))
}

fn look_up(key: &str, reference: &str) -> Result<String, Stop> {
    let found = match reference.split_once(':') {
        Some(("file", path)) => in_file(path),
        Some((_, name)) => std::env::var(name).map_err(|_| "is not set, or is not UTF-8".to_owned()),
        None => Err("is neither env nor file".to_owned()),
    };
    found.map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).map_err(|why| {
        Stop::usage(format!("{key} refers to ${{{reference}}}, which {why}"))
            .hint("set the variable or write the file, then start again")
    })
}

/// A whole file, or a key of one.
fn in_file(path: &str) -> Result<String, String> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"));
    match path.rsplit_once(':') {
        Some((file, key)) if !Path::new(path).exists() => {
            let text = read(file)?;
            property(&text, key).ok_or_else(|| format!("has no key {key:?}"))
        }
        _ => read(path),
    }
}

/// The value of a key in Java's properties format, without its escapes and continued lines.
fn property(text: &str, wanted: &str) -> Option<String> {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with(['#', '!']));
    let pairs = lines.filter_map(|line| line.split_once(['=', ':']));
    // The last one wins, as in Java.
    pairs.rev().find(|(key, _)| key.trim() == wanted).map(|(_, value)| value.trim_start().to_owned())
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Secret, Infallible> {
        Ok(Secret(text.to_owned()))
    }
}

impl TryFrom<toml::Value> for Secret {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Secret, String> {
        // Without the value: it may be the secret.
        text(value).map(Secret).map_err(|_| "a text is needed".to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.masked())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.masked())
    }
}

/// librdkafka's properties by name. Those whose names say so are secret.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Properties(pub BTreeMap<String, Secret>);

impl Properties {
    pub fn resolve(&self) -> Result<Vec<(String, String)>, Stop> {
        self.0.iter().map(|(name, value)| Ok((name.clone(), value.resolve(name)?))).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = |name: &str, value| if is_secret(name) { Secret::masked(value) } else { Secret::plain(value) };
        self.0.iter().map(move |(name, value)| (name.as_str(), shown(name, value)))
    }
}

/// Whether a value under this name is one that nobody may see.
pub(crate) fn is_secret(name: &str) -> bool {
    ["password", "secret", "token", "key.pem", "oauthbearer.config", "jaas", "customer.key"]
        .iter()
        .any(|part| name.contains(part))
}

/// `security.protocol` without quotes is a table in a table to TOML, and the same name to us.
impl TryFrom<toml::Table> for Properties {
    type Error = String;

    fn try_from(table: toml::Table) -> Result<Properties, String> {
        let mut all = BTreeMap::new();
        flatten("", table, &mut all)?;
        Ok(Properties(all))
    }
}

fn flatten(prefix: &str, table: toml::Table, all: &mut BTreeMap<String, Secret>) -> Result<(), String> {
    for (key, value) in table {
        let name = format!("{prefix}{key}");
        match value {
            toml::Value::Table(inner) => flatten(&format!("{name}."), inner, all)?,
            value => {
                let value = Secret::try_from(value).map_err(|wrong| format!("property {name:?}: {wrong}"))?;
                all.insert(name, value);
            }
        }
    }
    Ok(())
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.shown())
    }
}

/// An address of a registry, whose user and password may stand in it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Url(pub Secret);

impl Url {
    fn masked(&self) -> String {
        let url = self.0.plain();
        let start = url.find("://").map_or(0, |at| at + 3);
        let authority = &url[start..url[start..].find('/').map_or(url.len(), |at| start + at)];
        let Some((credentials, _)) = authority.rsplit_once('@') else { return url.to_owned() };
        let password = credentials.find(':').map_or(start, |at| start + at + 1);
        let end = start + credentials.len();
        format!("{}{}{}", &url[..password], masked(&url[password..end]), &url[end..])
    }
}

impl FromStr for Url {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Url, Infallible> {
        text.trim().parse().map(Url)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.masked())
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
