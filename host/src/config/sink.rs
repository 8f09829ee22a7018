//! `[[sink]]`: an S3 sink beside the pipelines.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Properties;

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sink {
    /// Kafka Connect's file.
    pub config: PathBuf,
    /// Its keys that are set here.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub set: Properties,
}
