//! Where Kafka's jars are, and the class-data archive that halves the broker's start.
//!
//! Never fetches anything: that is `make setup`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::exit::Stop;

/// The version that `setup/pom.xml` names.
pub const KAFKA_VERSION: &str = "4.3.1";

/// A folder with the jars of a Kafka broker.
#[derive(Debug, Clone)]
pub struct Jars {
    folder: PathBuf,
}

impl Jars {
    /// `SMT_KAFKA_JARS`, else `KAFKA_HOME/libs`, else the set-up's cache.
    pub fn find() -> Result<Jars, Stop> {
        Jars::find_with(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn find_with(variable: impl Fn(&str) -> Option<OsString>) -> Result<Jars, Stop> {
        // A folder that was asked for by name is taken or refused, never passed over.
        if let Some(folder) = variable("SMT_KAFKA_JARS") {
            return Jars::at(folder.into(), "SMT_KAFKA_JARS");
        }
        if let Some(home) = variable("KAFKA_HOME") {
            return Jars::at(Path::new(&home).join("libs"), "KAFKA_HOME");
        }
        let cache = match (variable("SMT_CACHE"), variable("HOME")) {
            (Some(cache), _) => PathBuf::from(cache),
            (None, Some(home)) => Path::new(&home).join(".cache/smt-host"),
            (None, None) => return Err(missing("no Kafka jars: neither SMT_CACHE nor HOME is set".into())),
        };
        Jars::at(cache.join("kafka").join(KAFKA_VERSION), "the set-up's cache")
    }

    fn at(folder: PathBuf, from: &str) -> Result<Jars, Stop> {
        let jars = Jars { folder };
        if jars.has("kafka_2.") && jars.has("kafka-clients-") {
            return Ok(jars);
        }
        Err(missing(format!("no Kafka jars in {} ({from})", jars.folder.display())))
    }

    fn has(&self, prefix: &str) -> bool {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return false };
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(prefix) && name.ends_with(".jar")
        })
    }

    /// For `java -cp`: the JVM itself expands the star.
    pub fn class_path(&self) -> OsString {
        let mut path = self.folder.clone().into_os_string();
        path.push(OsStr::new("/*"));
        path
    }

    /// The set-up's archive, if it was made.
    pub fn archive(&self) -> Option<PathBuf> {
        Some(self.folder.join("kafka.jsa")).filter(|path| path.is_file())
    }

    /// The set-up's formatted data directory, if it was made: copying it is a second faster than formatting.
    pub fn formatted(&self) -> Option<PathBuf> {
        Some(self.folder.join("formatted")).filter(|path| path.join("meta.properties").is_file())
    }
}

fn missing(what: String) -> Stop {
    Stop::start(what).hint("run `make setup`, or set SMT_KAFKA_JARS to a folder with the jars of a Kafka broker")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_named_folder_comes_before_the_cache() {
        let base = tempfile::tempdir().unwrap();
        for jar in ["kafka_2.13-1.jar", "kafka-clients-1.jar"] {
            std::fs::write(base.path().join(jar), "").unwrap();
        }
        let named = |name: &str| (name == "SMT_KAFKA_JARS").then(|| base.path().as_os_str().to_owned());
        assert_eq!(Jars::find_with(named).unwrap().folder, base.path());
    }

    #[test]
    fn missing_jars_say_what_to_run() {
        let base = tempfile::tempdir().unwrap();
        let cache = |name: &str| (name == "SMT_CACHE").then(|| base.path().as_os_str().to_owned());
        let stop = Jars::find_with(cache).unwrap_err();
        assert!(stop.to_string().contains("make setup"), "{stop}");
    }
}
