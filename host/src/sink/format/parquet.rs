//! Parquet files, laid out as parquet-avro lays them out: the Avro schema in the metadata, lists in its old structure
//! unless items may be null.
//!
//! Values are taken apart into columns as they come; a row group is written when they hold enough bytes.

/// Values of a row group, column by column.
mod columns;
/// A schema's layout, and how a value is taken apart by it.
mod layout;

use std::sync::Arc;

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use self::columns::Column;
use self::layout::Layout;
use super::ParquetCodec;
use crate::connect::avro::{Metadata, Writer};
use crate::connect::{Datum, Reason, Schema, Value};

/// What bounds the memory of an open file.
const ROW_GROUP_BYTES: usize = 16 * 1024 * 1024;
const PAGE_BYTES: usize = 64 * 1024;

pub(super) struct ParquetFile {
    schema: Arc<Schema>,
    layout: Layout,
    columns: Vec<Column>,
    writer: SerializedFileWriter<Vec<u8>>,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("schema", &self.schema.name).finish_non_exhaustive()
    }
}

impl ParquetFile {
    pub(super) fn new(schema: &Arc<Schema>, codec: ParquetCodec, metadata: Metadata) -> Result<ParquetFile, Reason> {
        let avro = Writer::compile(schema, metadata)?.text();
        let (layout, columns, message) = Layout::of(schema, metadata).map_err(Reason::Record)?;
        let metadata = vec![
            KeyValue::new("parquet.avro.schema".to_string(), avro),
            KeyValue::new("writer.model.name".to_string(), "avro".to_string()),
        ];
        let properties = WriterProperties::builder()
            .set_compression(codec.compression())
            .set_data_page_size_limit(PAGE_BYTES)
            .set_key_value_metadata(Some(metadata));
        let writer = SerializedFileWriter::new(Vec::new(), message, Arc::new(properties.build())).map_err(failed)?;
        Ok(ParquetFile { schema: schema.clone(), layout, columns, writer })
    }

    pub(super) fn append(&mut self, datum: &Datum) -> Result<(), Reason> {
        super::same_schema(&self.schema, datum)?;
        self.append_value(&datum.value)?;
        if self.columns_bytes() >= ROW_GROUP_BYTES {
            self.end_row_group()?;
        }
        Ok(())
    }

    fn append_value(&mut self, value: &Value) -> Result<(), Reason> {
        let taken = self.layout.take_apart(value, &mut self.columns);
        for column in &mut self.columns {
            if taken.is_ok() { column.keep() } else { column.take_back() }
        }
        taken.map_err(Reason::Record)
    }

    fn columns_bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }

    fn end_row_group(&mut self) -> Result<(), Reason> {
        if self.columns.iter().all(Column::is_empty) {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column().map_err(failed)? {
                column.write(writer).map_err(failed)?;
            }
        }
        group.close().map(drop).map_err(failed)
    }

    pub(super) fn buffered(&self) -> usize {
        self.columns_bytes() + self.writer.inner().len()
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        // A vector takes everything.
        self.writer.flush().ok();
        std::mem::take(self.writer.inner_mut())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, Reason> {
        self.end_row_group()?;
        self.writer.into_inner().map_err(failed)
    }
}

fn failed(error: parquet::errors::ParquetError) -> Reason {
    Reason::record(format!("the Parquet file cannot be written: {error}"))
}

impl ParquetCodec {
    /// As parquet-mr's CompressionCodecName.
    pub(super) fn extension(self) -> &'static str {
        match self {
            ParquetCodec::None => "",
            ParquetCodec::Snappy => ".snappy",
            ParquetCodec::Gzip => ".gz",
            ParquetCodec::Brotli => ".br",
            ParquetCodec::Lz4 => ".lz4hadoop",
            ParquetCodec::Zstd => ".zstd",
        }
    }

    fn compression(self) -> Compression {
        match self {
            ParquetCodec::None => Compression::UNCOMPRESSED,
            ParquetCodec::Snappy => Compression::SNAPPY,
            ParquetCodec::Gzip => Compression::GZIP(GzipLevel::default()),
            ParquetCodec::Brotli => Compression::BROTLI(BrotliLevel::default()),
            ParquetCodec::Lz4 => Compression::LZ4,
            ParquetCodec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        }
    }
}
