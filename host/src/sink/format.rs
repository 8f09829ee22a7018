//! Formats of the files a sink writes: what Confluent's format classes write, in one growing buffer.
//!
//! Nothing here knows names, rotation or S3: data go in one by one, bytes come out.

use flate2::Compression as Level;

use crate::connect::avro::Metadata;
use crate::connect::{Datum, Reason};

/// What `format.class`, `keys.format.class` or `headers.format.class` name, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    Json(Json),
    Avro { codec: AvroCodec, metadata: Metadata },
    Parquet { codec: ParquetCodec, metadata: Metadata },
    /// The separator follows each record (`format.bytearray.separator`, default a line feed).
    Bytes { extension: String, separator: Vec<u8> },
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

impl Compression {
    fn level(level: Option<u32>) -> Level {
        level.map_or_else(Level::default, Level::new)
    }
}

impl Format {
    /// With its dot: `.json.gz`, `.avro`, `.snappy.parquet`.
    pub fn extension(&self, compression: Compression) -> String {
        let _ = compression;
        String::new()
    }

    /// A file whose first record this will be (it is not appended yet): Avro and Parquet take their schema from it.
    pub fn open(&self, compression: Compression, first: &Datum) -> Result<FileWriter, Reason> {
        let _ = (compression, first, Compression::level(None));
        Err(Reason::record("not yet implemented"))
    }
}

/// One file being written.
#[derive(Debug)]
pub struct FileWriter {
    out: Vec<u8>,
}

impl FileWriter {
    /// A datum that fails leaves the file as it was.
    pub fn append(&mut self, datum: &Datum) -> Result<(), Reason> {
        let _ = datum;
        Ok(())
    }

    /// How many bytes this file holds in memory, ready or not.
    pub fn buffered(&self) -> usize {
        self.out.len()
    }

    /// The bytes that are ready and were not taken before.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The rest of the file.
    pub fn finish(self) -> Result<Vec<u8>, Reason> {
        Ok(self.out)
    }
}
