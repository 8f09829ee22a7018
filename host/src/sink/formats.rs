//! Which files a connector writes for a record, and in which format each.

use super::format::{AvroCodec, Compression, Format, Json, ParquetCodec, View};
use crate::connect::avro::Metadata;
use crate::connector_file::Values;
use crate::exit::Stop;

/// A format, and what its files' names end in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kind {
    pub(super) format: Format,
    pub(super) extension: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formats {
    pub(super) value: Kind,
    /// `store.kafka.keys`
    pub(super) key: Option<Kind>,
    /// `store.kafka.headers`
    pub(super) headers: Option<Kind>,
    pub(super) compression: Compression,
}

impl Formats {
    /// In the order in which a record's files are written.
    pub(super) fn of(&self, part: View) -> Option<&Kind> {
        match part {
            View::Value => Some(&self.value),
            View::Key => self.key.as_ref(),
            View::Headers => self.headers.as_ref(),
        }
    }
}

pub(super) fn parse(values: &Values) -> Result<Formats, Stop> {
    values.required("format.class")?;
    let compression = compression(values)?;
    let kind = |key: &str| {
        let format = format(values, key)?;
        if compression != Compression::None && !matches!(format, Format::Json(_) | Format::Bytes { .. }) {
            return Err(Stop::usage(format!("s3.compression.type is gzip, and {key} compresses inside of its files"))
                .hint("use avro.codec or parquet.codec, or JsonFormat"));
        }
        Ok(Kind { extension: format.extension(compression), format })
    };
    let stored = |switch: &str, key: &str| values.boolean(switch, false)?.then(|| kind(key)).transpose();
    Ok(Formats {
        value: kind("format.class")?,
        key: stored("store.kafka.keys", "keys.format.class")?,
        headers: stored("store.kafka.headers", "headers.format.class")?,
        compression,
    })
}

fn compression(values: &Values) -> Result<Compression, Stop> {
    let gzip = values.choice("s3.compression.type", &[("none", false), ("gzip", true)])?;
    let level = values.number("s3.compression.level", -1, -1..=9)?;
    let level = u32::try_from(level).ok();
    Ok(if gzip { Compression::Gzip { level } } else { Compression::None })
}

fn format(values: &Values, key: &str) -> Result<Format, Stop> {
    let class = values.get(key).unwrap_or("io.confluent.connect.s3.format.avro.AvroFormat").trim();
    let metadata = Metadata {
        connect: values.boolean("connect.meta.data", true)?,
        enhanced: values.boolean("enhanced.avro.schema.support", true)?,
    };
    Ok(match class.rsplit('.').next().unwrap_or_default() {
        "JsonFormat" => Format::Json(Json {
            numeric_decimals: values.choice("json.decimal.format", &[("BASE64", false), ("NUMERIC", true)])?,
            null_as_default: values.boolean("replace.null.with.default", true)?,
        }),
        "AvroFormat" => Format::Avro { codec: avro_codec(values)?, metadata },
        "ParquetFormat" => Format::Parquet { codec: parquet_codec(values)?, metadata },
        "ByteArrayFormat" => Format::Bytes {
            extension: values.get("format.bytearray.extension").unwrap_or(".bin").to_owned(),
            separator: unescaped(values.get("format.bytearray.separator").unwrap_or("\n")).into_bytes(),
        },
        _ => {
            const PACKAGE: &str = "io.confluent.connect.s3.format";
            return Err(Stop::usage(format!(
                "{key} is {class:?}; allowed: {PACKAGE}.json.JsonFormat, {PACKAGE}.avro.AvroFormat, \
                 {PACKAGE}.parquet.ParquetFormat, {PACKAGE}.bytearray.ByteArrayFormat"
            )));
        }
    })
}

fn avro_codec(values: &Values) -> Result<AvroCodec, Stop> {
    let codecs = [
        ("null", AvroCodec::Null),
        ("deflate", AvroCodec::Deflate),
        ("snappy", AvroCodec::Snappy),
        ("bzip2", AvroCodec::Bzip2),
    ];
    values.choice("avro.codec", &codecs)
}

fn parquet_codec(values: &Values) -> Result<ParquetCodec, Stop> {
    let codecs = [
        ("snappy", ParquetCodec::Snappy),
        ("none", ParquetCodec::None),
        ("gzip", ParquetCodec::Gzip),
        ("brotli", ParquetCodec::Brotli),
        ("lz4", ParquetCodec::Lz4),
        ("zstd", ParquetCodec::Zstd),
    ];
    values.choice("parquet.codec", &codecs)
}

/// Java's escapes, as far as a separator has a use for them.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        match (next, next == '\\') {
            (_, true) => match rest.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (plain, false) => out.push(plain),
        }
    }
    out
}
