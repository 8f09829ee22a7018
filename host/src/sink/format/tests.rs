#![allow(clippy::unwrap_used)]
//! Files as the recorded sink wrote them, and files read back by other readers.

mod avro;
mod json;
mod parquet;

use std::io::Read;
use std::sync::Arc;

use super::*;
use crate::connect::avro::Reader;
use crate::connect::{Field, Kind};

pub(super) fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

pub(super) fn structure(fields: Vec<Field>) -> Arc<Schema> {
    Arc::new(Schema::new(Kind::Struct(fields)).named("a.b.Row"))
}

pub(super) fn datum(schema: &Arc<Schema>, values: Vec<Value>) -> Datum {
    Datum { schema: Some(schema.clone()), value: Value::Struct(values) }
}

/// All that a file has, taken in pieces.
pub(super) fn file(format: &Format, compression: Compression, data: &[Datum]) -> Vec<u8> {
    let mut file = format.open(compression, &data[0]).unwrap();
    let mut bytes = Vec::new();
    for datum in data {
        file.append(datum).unwrap();
        bytes.extend(file.take());
    }
    bytes.extend(file.finish().unwrap());
    bytes
}

/// Framed values in hex, as data of their schema.
pub(super) fn recorded(hex: &str, schema: &str) -> Vec<Datum> {
    let reader = Reader::compile(schema, Some(1)).unwrap();
    let bytes = |line: &str| -> Vec<u8> {
        (0..line.len() / 2).map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap()).collect()
    };
    let read =
        |line: &str| Datum { schema: Some(reader.schema.clone()), value: reader.read(&bytes(line)[5..]).unwrap() };
    hex.lines().map(read).collect()
}

pub(super) fn edge() -> Vec<Datum> {
    recorded(include_str!("testdata/json-edge.hex"), include_str!("testdata/json-edge.avsc"))
}

pub(super) fn customers() -> Vec<Datum> {
    recorded(include_str!("testdata/s3-customers.hex"), include_str!("../../source/testdata/customers.avsc"))
}

fn bytes_format(separator: &[u8]) -> Format {
    Format::Bytes { extension: ".bin".into(), separator: separator.into() }
}

#[test]
fn b1_3_extensions_say_format_and_compression() {
    let gzip = Compression::Gzip { level: None };
    let metadata = Metadata::default();
    let json = Format::Json(Json::default());
    let avro = Format::Avro { codec: AvroCodec::Snappy, metadata };
    let parquet = |codec| Format::Parquet { codec, metadata };
    for (format, compression, expected) in [
        (json.clone(), Compression::None, ".json"),
        (json, gzip, ".json.gz"),
        (avro, Compression::None, ".avro"),
        (parquet(ParquetCodec::Snappy), Compression::None, ".snappy.parquet"),
        (parquet(ParquetCodec::None), Compression::None, ".parquet"),
        (parquet(ParquetCodec::Gzip), Compression::None, ".gz.parquet"),
        (bytes_format(b"\n"), Compression::None, ".bin"),
        (bytes_format(b"\n"), gzip, ".bin.gz"),
    ] {
        assert_eq!(format.extension(compression), expected);
    }
}

#[test]
fn bytes_are_written_as_they_are_with_a_separator_behind_each() {
    let data = [&b"a\nb"[..], b"", b"\xff"].map(|bytes| Datum { schema: None, value: Value::Bytes(bytes.into()) });
    assert_eq!(file(&bytes_format(b"\n"), Compression::None, &data), b"a\nb\n\n\xff\n");
    assert_eq!(file(&bytes_format(b"--"), Compression::None, &data), b"a\nb----\xff--");
    let mut open = bytes_format(b"\n").open(Compression::None, &data[0]).unwrap();
    let text = Datum { schema: None, value: Value::String("x".into()) };
    assert!(open.append(&text).unwrap_err().to_string().contains("ByteArrayConverter"));
    assert_eq!(open.buffered(), 0);
}

#[test]
fn gzip_holds_the_same_bytes() {
    let data: Vec<Datum> = (0..20).flat_map(|_| customers()).collect();
    let json = Format::Json(Json::default());
    let plain = file(&json, Compression::None, &data);
    for level in [None, Some(1), Some(9)] {
        let mut unpacked = Vec::new();
        let packed = file(&json, Compression::Gzip { level }, &data);
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert!(packed.len() * 4 < plain.len() && unpacked == plain, "level {level:?}");
    }
}

#[test]
fn b3_1_a_file_refuses_data_of_another_schema() {
    let metadata = Metadata::default();
    let one = datum(&structure(vec![field("a", Schema::new(Kind::Int32))]), vec![Value::Int32(1)]);
    let other = datum(&structure(vec![field("a", Schema::new(Kind::Int64))]), vec![Value::Int64(1)]);
    for format in
        [Format::Avro { codec: AvroCodec::Null, metadata }, Format::Parquet { codec: ParquetCodec::None, metadata }]
    {
        let mut open = format.open(Compression::None, &one).unwrap();
        assert!(open.append(&other).unwrap_err().to_string().contains("schema"));
        open.append(&one).unwrap();
        let schemaless = Datum { schema: None, value: Value::Int64(1) };
        assert!(format.open(Compression::None, &schemaless).unwrap_err().to_string().contains("JSON"));
    }
}

#[test]
fn b1_4_keys_and_headers_are_in_an_envelope_where_their_format_asks_for_one() {
    let text = |text: &str| Value::String(text.into());
    let key = Datum { schema: Some(Arc::new(Schema::new(Kind::String))), value: text("k") };
    let fields = ["key", "value"].map(|name| field(name, Schema::new(Kind::String)));
    let header = Schema::new(Kind::Struct(fields.into()));
    let headers = Datum {
        schema: Some(Arc::new(Schema::new(Kind::Array(Arc::new(header))))),
        value: Value::Array(vec![Value::Struct(vec![text("a"), text("b")])]),
    };
    let metadata = Metadata::default();
    let json = Format::Json(Json::default());
    let parquet = Format::Parquet { codec: ParquetCodec::None, metadata };
    for (view, datum, line) in [
        (View::Key, key.clone(), "\"k\"\n"),
        (View::Headers, headers.clone(), "{\"headers\":[{\"key\":\"a\",\"value\":\"b\"}]}\n"),
    ] {
        assert_eq!(file(&json, Compression::None, &[json.view(view, datum.clone())]), line.as_bytes());
        assert!(file(&parquet, Compression::None, &[parquet.view(view, datum.clone())]).starts_with(b"PAR1"));
        let avro = Format::Avro { codec: AvroCodec::Null, metadata };
        assert_eq!(avro.view(view, datum.clone()), datum);
        assert_eq!(parquet.view(View::Value, datum.clone()), datum);
    }
    assert_eq!(parquet.view(View::Key, key).schema.unwrap().name.as_deref(), Some("RecordKey"));
}
