//! Formats of the files a sink writes: what Confluent's format classes write, in one growing buffer.
//!
//! Nothing here knows names, rotation or S3: data go in one by one, bytes come out.

/// Object container files.
mod avro;
/// JSON lines.
mod json;
/// Parquet.
mod parquet;
/// Lines and raw bytes, compressed or not.
mod stream;
#[cfg(test)]
mod tests;
/// Keys and headers.
mod view;

use std::sync::Arc;

use self::avro::AvroFile;
use self::parquet::ParquetFile;
use self::stream::Stream;
pub use self::view::View;
use crate::connect::avro::Metadata;
use crate::connect::{Datum, Reason, Schema, Value};

/// What `format.class`, `keys.format.class` or `headers.format.class` name, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    Json(Json),
    Avro {
        codec: AvroCodec,
        metadata: Metadata,
    },
    Parquet {
        codec: ParquetCodec,
        metadata: Metadata,
    },
    /// The separator follows each record (`format.bytearray.separator`, default a line feed).
    Bytes {
        extension: String,
        separator: Vec<u8>,
    },
}

impl Format {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Format::Json(_) => "json",
            Format::Avro { .. } => "avro",
            Format::Parquet { .. } => "parquet",
            Format::Bytes { .. } => "bytes",
        }
    }
}

/// `json.decimal.format` and `replace.null.with.default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json {
    /// Decimals as numbers, not as base64.
    pub numeric_decimals: bool,
    /// A missing optional value is written as its default.
    pub null_as_default: bool,
}

impl Default for Json {
    fn default() -> Json {
        Json { numeric_decimals: false, null_as_default: true }
    }
}

/// `avro.codec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AvroCodec {
    #[default]
    Null,
    Deflate,
    Snappy,
    Bzip2,
}

/// `parquet.codec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParquetCodec {
    None,
    #[default]
    Snappy,
    Gzip,
    Brotli,
    Lz4,
    Zstd,
}

/// `s3.compression.type` and `s3.compression.level`, for JSON and bytes; Avro and Parquet compress inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    #[default]
    None,
    Gzip {
        /// 1 to 9, or zlib's default.
        level: Option<u32>,
    },
}

impl Format {
    /// With its dot: `.json.gz`, `.avro`, `.snappy.parquet`.
    pub fn extension(&self, compression: Compression) -> String {
        let gz = if compression == Compression::None { "" } else { ".gz" };
        match self {
            Format::Json(_) => format!(".json{gz}"),
            Format::Avro { .. } => ".avro".into(),
            Format::Parquet { codec, .. } => format!("{}.parquet", codec.extension()),
            Format::Bytes { extension, .. } => format!("{extension}{gz}"),
        }
    }

    /// A file whose first record this will be (it is not appended yet): Avro and Parquet take their schema from it.
    pub fn open(&self, compression: Compression, first: &Datum) -> Result<FileWriter, Reason> {
        let schema = || {
            let why = || Reason::record("data without a schema, which Avro and Parquet files must have: use JSON");
            first.schema.as_ref().ok_or_else(why)
        };
        Ok(FileWriter(match self {
            Format::Json(json) => File::Json(*json, Stream::new(compression)),
            Format::Avro { codec, metadata } => File::Avro(Box::new(AvroFile::new(schema()?, *codec, *metadata)?)),
            Format::Parquet { codec, metadata } => {
                File::Parquet(Box::new(ParquetFile::new(schema()?, *codec, *metadata)?))
            }
            Format::Bytes { separator, .. } => File::Bytes(separator.clone(), Stream::new(compression)),
        }))
    }
}

/// One file being written.
#[derive(Debug)]
pub struct FileWriter(File);

#[derive(Debug)]
enum File {
    Json(Json, Stream),
    Bytes(Vec<u8>, Stream),
    Avro(Box<AvroFile>),
    Parquet(Box<ParquetFile>),
}

impl FileWriter {
    /// A datum that fails leaves the file as it was.
    pub fn append(&mut self, datum: &Datum) -> Result<(), Reason> {
        match &mut self.0 {
            File::Json(json, stream) => stream.append(|out| json.line(datum, out)),
            File::Bytes(separator, stream) => stream.append(|out| bytes(datum, separator, out)),
            File::Avro(file) => file.append(datum),
            File::Parquet(file) => file.append(datum),
        }
    }

    /// How many bytes this file holds in memory, ready or not.
    pub fn buffered(&self) -> usize {
        match &self.0 {
            File::Json(_, stream) | File::Bytes(_, stream) => stream.buffered(),
            File::Avro(file) => file.buffered(),
            File::Parquet(file) => file.buffered(),
        }
    }

    /// The bytes that are ready and were not taken before.
    pub fn take(&mut self) -> Vec<u8> {
        match &mut self.0 {
            File::Json(_, stream) | File::Bytes(_, stream) => stream.take(),
            File::Avro(file) => file.take(),
            File::Parquet(file) => file.take(),
        }
    }

    /// The rest of the file.
    pub fn finish(self) -> Result<Vec<u8>, Reason> {
        match self.0 {
            File::Json(_, stream) | File::Bytes(_, stream) => stream.finish(),
            File::Avro(file) => file.finish(),
            File::Parquet(file) => file.finish(),
        }
    }
}

/// As ByteArrayConverter: bytes, and nothing else.
fn bytes(datum: &Datum, separator: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    match &datum.value {
        Value::Bytes(bytes) => out.extend_from_slice(bytes),
        // Connect's task would fail; an empty line is what a missing value is.
        Value::Null => {}
        other => {
            let what = other.kind();
            return Err(Reason::record(format!(
                "a {what}, where the bytes format takes bytes: use ByteArrayConverter"
            )));
        }
    }
    out.extend_from_slice(separator);
    Ok(())
}

/// A file has one schema; that another one opens another file is the caller's to see to.
fn same_schema(file: &Arc<Schema>, datum: &Datum) -> Result<(), Reason> {
    match &datum.schema {
        Some(schema) if Arc::ptr_eq(file, schema) || **file == **schema => Ok(()),
        _ => Err(Reason::record("the record's schema is not the file's")),
    }
}
