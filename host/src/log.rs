//! Log lines on stderr. What is logged is the other modules' business.

use std::io::IsTerminal;

use crate::exit::Stop;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Once in a process.
pub fn start(format: Format) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SMT_LOG").unwrap_or_else(|_| {
        let default = "info,rdkafka=off,librdkafka=off,s3s=off,wasmtime=warn,fjall=warn,lsm_tree=warn";
        tracing_subscriber::EnvFilter::new(default)
    });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        Format::Human => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => builder.json().init(),
    }
}

/// Why the command ends.
pub fn stop(format: Format, stop: &Stop) {
    match format {
        Format::Human => eprintln!("error: {stop}"),
        Format::Json => tracing::error!(exit = stop.exit as u8, hint = stop.hint, "{}", stop.what),
    }
}
