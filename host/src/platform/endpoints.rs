//! `endpoints.json`: where the servers of a directory are, for other programs.
//!
//! Holds passwords, so it is its owner's alone and never shown.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::dir::failed;
use super::s3::S3;
use crate::exit::Stop;

/// Null where there is none.
#[derive(Clone, Serialize, Deserialize)]
pub struct Endpoints {
    pub kafka: String,
    pub registry: String,
    pub postgres: String,
    pub connect: Option<String>,
    pub admin: Option<String>,
    pub s3: Option<Bucket>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Bucket {
    pub endpoint: String,
    pub bucket: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl Bucket {
    pub fn of(s3: &S3) -> Bucket {
        Bucket {
            endpoint: s3.endpoint(),
            bucket: s3.bucket().to_owned(),
            region: s3.region().to_owned(),
            access_key_id: s3.access_key_id().to_owned(),
            secret_access_key: s3.secret_access_key().to_owned(),
        }
    }
}

/// The file of a directory.
pub fn file(dir: &Path) -> PathBuf {
    dir.join("endpoints.json")
}

impl Endpoints {
    /// None: no servers were started here, or the file is no such file.
    pub fn read(dir: &Path) -> Option<Endpoints> {
        serde_json::from_slice(&std::fs::read(file(dir)).ok()?).ok()
    }

    /// Whole or not at all: others may be reading.
    pub fn write(&self, dir: &Path) -> Result<(), Stop> {
        let (file, fresh) = (file(dir), dir.join("endpoints.json.new"));
        let text = serde_json::to_string_pretty(self).map_err(|error| Stop::start(error.to_string()))?;
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh);
        opened
            .and_then(|mut out| writeln!(out, "{text}"))
            .and_then(|()| std::fs::rename(&fresh, &file))
            .map_err(|error| failed("write", &file, &error))
    }
}
