//! Avro object container files: the schema in the head, then blocks that end with the first record past 64,000 bytes.

use apache_avro::{Bzip2Settings, Codec, DeflateSettings};

use super::AvroCodec;
use crate::avro::wire::{put_blob, put_long};
use crate::connect::avro::{Metadata, Writer};
use crate::connect::{Datum, Reason, Schema, Value};
use std::sync::Arc;

/// Java's default sync interval.
const BLOCK_BYTES: usize = 64_000;

#[derive(Debug)]
pub(super) struct AvroFile {
    writer: Writer,
    codec: Codec,
    sync: [u8; 16],
    block: Vec<u8>,
    records: i64,
    ready: Vec<u8>,
}

impl AvroFile {
    pub(super) fn new(schema: &Arc<Schema>, codec: AvroCodec, metadata: Metadata) -> Result<AvroFile, Reason> {
        let writer = Writer::compile(schema, metadata)?;
        let sync: [u8; 16] = rand::random();
        let mut ready = b"Obj\x01".to_vec();
        put_long(&mut ready, 2);
        for (key, value) in [("avro.schema", writer.text().as_str()), ("avro.codec", codec.name())] {
            put_blob(&mut ready, key.as_bytes());
            put_blob(&mut ready, value.as_bytes());
        }
        put_long(&mut ready, 0);
        ready.extend_from_slice(&sync);
        Ok(AvroFile { writer, codec: codec.codec(), sync, block: Vec::new(), records: 0, ready })
    }

    pub(super) fn append(&mut self, datum: &Datum) -> Result<(), Reason> {
        super::same_schema(&self.writer.schema, datum)?;
        self.append_value(&datum.value)
    }

    fn append_value(&mut self, value: &Value) -> Result<(), Reason> {
        let start = self.block.len();
        if let Err(reason) = self.writer.write(value, &mut self.block) {
            self.block.truncate(start);
            return Err(reason);
        }
        self.records += 1;
        if self.block.len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), Reason> {
        if self.records == 0 {
            return Ok(());
        }
        let mut block = std::mem::take(&mut self.block);
        let compressed = self.codec.compress(&mut block);
        compressed.map_err(|error| Reason::record(format!("the block cannot be compressed: {error}")))?;
        put_long(&mut self.ready, self.records);
        put_blob(&mut self.ready, &block);
        self.ready.extend_from_slice(&self.sync);
        self.records = 0;
        block.clear();
        self.block = block;
        Ok(())
    }

    pub(super) fn buffered(&self) -> usize {
        self.block.len() + self.ready.len()
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, Reason> {
        self.end_block()?;
        Ok(self.ready)
    }
}

impl AvroCodec {
    fn name(self) -> &'static str {
        match self {
            AvroCodec::Null => "null",
            AvroCodec::Deflate => "deflate",
            AvroCodec::Snappy => "snappy",
            AvroCodec::Bzip2 => "bzip2",
        }
    }

    fn codec(self) -> Codec {
        match self {
            AvroCodec::Null => Codec::Null,
            AvroCodec::Deflate => Codec::Deflate(DeflateSettings::default()),
            AvroCodec::Snappy => Codec::Snappy,
            AvroCodec::Bzip2 => Codec::Bzip2(Bzip2Settings::default()),
        }
    }
}
