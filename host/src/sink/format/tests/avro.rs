//! Object container files, read back by apache-avro.

use apache_avro::types::Value as Avro;

use super::*;
use crate::avro::wire::{put_blob, put_long};

fn format(codec: AvroCodec) -> Format {
    Format::Avro { codec, metadata: Metadata::default() }
}

fn read(bytes: &[u8]) -> (String, Vec<Avro>) {
    let reader = apache_avro::Reader::new(bytes).unwrap();
    let schema = serde_json::to_string(reader.writer_schema()).unwrap();
    (schema, reader.map(Result::unwrap).collect())
}

/// The schema as it stands in the head.
fn head(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let start = text.find("{\"type\"").unwrap();
    let mut depth = 0;
    let end = text[start..].find(|character| {
        depth += match character {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0
    });
    text[start..=start + end.unwrap()].to_string()
}

#[test]
fn b7_every_codec_holds_the_same_records() {
    let data: Vec<Datum> = (0..400).flat_map(|_| customers()).collect();
    let (_, plain) = read(&file(&format(AvroCodec::Null), Compression::None, &data));
    assert_eq!(plain.len(), data.len());
    for codec in [AvroCodec::Deflate, AvroCodec::Snappy, AvroCodec::Bzip2] {
        let (_, records) = read(&file(&format(codec), Compression::None, &data));
        assert_eq!(records, plain, "{codec:?}");
    }
}

#[test]
fn b7_the_schema_carries_the_subject_version_and_the_name() {
    let bytes = file(&format(AvroCodec::Null), Compression::None, &customers());
    let expected = include_str!("../../../source/testdata/customers.avsc").trim_end();
    let expected =
        expected.replace("\"connect.name\":\"customers\"", "\"connect.version\":1,\"connect.name\":\"customers\"");
    assert_eq!(head(&bytes), expected);
    assert!(bytes.starts_with(b"Obj\x01\x04\x16avro.schema"));
    assert!(bytes.windows(15).any(|window| window == b"avro.codec\x08null"));
}

#[test]
fn b7_every_type_is_read_back() {
    let data = edge();
    let (schema, records) = read(&file(&format(AvroCodec::Snappy), Compression::None, &data));
    assert_eq!(records.len(), data.len());
    assert!(schema.contains("\"edge\""), "{schema}");
}

/// Lengths of the blocks and their records, by the sync marker.
#[test]
fn b7_a_block_ends_with_the_first_record_past_64000_bytes() {
    let schema = structure(vec![field("a", Schema::new(Kind::Bytes))]);
    // A field of 9,997 bytes and its length of three: 10,000.
    let data: Vec<Datum> = (0..8).map(|_| datum(&schema, vec![Value::Bytes(vec![7; 9_997].into())])).collect();
    let mut file = format(AvroCodec::Null).open(Compression::None, &data[0]).unwrap();
    let head = file.take().len();
    let mut sizes = Vec::new();
    for datum in &data {
        file.append(datum).unwrap();
        sizes.push(file.take().len());
    }
    let mut block = Vec::new();
    put_long(&mut block, 7);
    put_blob(&mut block, &[0; 70_000]);
    assert_eq!(sizes, [0, 0, 0, 0, 0, 0, block.len() + 16, 0]);
    assert!(head > 0 && file.buffered() == 10_000);
    let rest = file.finish().unwrap();
    assert!(rest.len() > 10_000);
}

#[test]
fn a_record_that_does_not_fit_leaves_the_file_as_it_was() {
    let schema = structure(vec![field("a", Schema::new(Kind::Int32)), field("b", Schema::new(Kind::String))]);
    let good = datum(&schema, vec![Value::Int32(1), Value::String("x".into())]);
    let mut open = format(AvroCodec::Null).open(Compression::None, &good).unwrap();
    let mut bytes = open.take();
    open.append(&good).unwrap();
    let error = open.append(&datum(&schema, vec![Value::Int32(1), Value::Null])).unwrap_err();
    assert_eq!(error.to_string(), "b: null where a value is required");
    open.append(&good).unwrap();
    bytes.extend(open.finish().unwrap());
    assert_eq!(read(&bytes).1.len(), 2);
}
