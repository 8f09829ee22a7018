//! S3 sinks.

/// Formats of the files a sink writes.
pub mod format;
