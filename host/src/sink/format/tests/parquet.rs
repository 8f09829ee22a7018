//! Parquet files, read back by the parquet crate's own record reader.

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field as Read;
use ::parquet::schema::printer::print_schema;

use super::*;
use crate::connect::logical;

fn format(codec: ParquetCodec) -> Format {
    Format::Parquet { codec, metadata: Metadata::default() }
}

fn open(bytes: Vec<u8>) -> SerializedFileReader<bytes::Bytes> {
    SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap()
}

fn rows(bytes: Vec<u8>) -> Vec<serde_json::Value> {
    let reader = open(bytes);
    reader.get_row_iter(None).unwrap().map(|row| json(&Read::Group(row.unwrap()))).collect()
}

fn json(field: &Read) -> serde_json::Value {
    match field {
        Read::Int(value) => (*value).into(),
        Read::Date(value) => format!("day {value}").into(),
        Read::Double(value) => (*value).into(),
        Read::Str(text) => text.as_str().into(),
        Read::Group(row) => {
            let columns = row.get_column_iter().map(|(name, field)| (name.clone(), json(field)));
            serde_json::Value::Object(columns.collect())
        }
        Read::ListInternal(list) => list.elements().iter().map(json).collect(),
        Read::MapInternal(map) => {
            let entries =
                map.entries().iter().map(|(key, value)| (json(key).as_str().unwrap().to_string(), json(value)));
            serde_json::Value::Object(entries.collect())
        }
        Read::Null => serde_json::Value::Null,
        other => other.to_string().into(),
    }
}

fn schema_of(bytes: Vec<u8>) -> String {
    let mut out = Vec::new();
    print_schema(&mut out, open(bytes).metadata().file_metadata().schema());
    String::from_utf8(out).unwrap()
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn every_codec_holds_the_same_rows() {
    let data = customers();
    let expected = rows(file(&format(ParquetCodec::None), Compression::None, &data));
    assert_eq!(expected.len(), data.len());
    assert_eq!(expected[0]["nome"], "Nome 0 é 東京 😀");
    for codec in [ParquetCodec::Snappy, ParquetCodec::Gzip, ParquetCodec::Brotli, ParquetCodec::Lz4, ParquetCodec::Zstd]
    {
        assert_eq!(rows(file(&format(codec), Compression::None, &data)), expected, "{codec:?}");
    }
}

#[test]
fn the_layout_is_parquet_avros() {
    let bytes = file(&format(ParquetCodec::Snappy), Compression::None, &customers());
    let metadata = open(bytes.clone()).metadata().file_metadata().key_value_metadata().unwrap().clone();
    let avro = metadata.iter().find(|entry| entry.key == "parquet.avro.schema").unwrap();
    assert!(avro.value.as_ref().unwrap().starts_with("{\"type\":\"record\",\"name\":\"customers\""));
    expect_test::expect![[r#"
        message customers {
          OPTIONAL BYTE_ARRAY nome (STRING);
          OPTIONAL BYTE_ARRAY sexo (STRING);
          OPTIONAL BYTE_ARRAY endereco (STRING);
          OPTIONAL BYTE_ARRAY telefone (STRING);
          OPTIONAL BYTE_ARRAY email (STRING);
          OPTIONAL BYTE_ARRAY foto (STRING);
          OPTIONAL INT32 nascimento (DATE);
          OPTIONAL BYTE_ARRAY profissao (STRING);
          OPTIONAL INT64 dt_update (TIMESTAMP(MILLIS,true));
        }
    "#]]
    .assert_eq(&schema_of(bytes));
}

#[test]
fn nested_values_come_back() {
    let int = || Schema::new(Kind::Int32);
    let inner = Schema::new(Kind::Struct(vec![field("x", int()), field("y", Schema::new(Kind::String).optional())]));
    let list = |item: Schema| Schema::new(Kind::Array(Arc::new(item)));
    let map = |key: Schema, value: Schema| Schema::new(Kind::Map(Arc::new(key), Arc::new(value)));
    let schema = structure(vec![
        field("inner", inner.optional()),
        field("list", list(int())),
        field("lists", list(list(int())).optional()),
        field("map", map(Schema::new(Kind::String), Schema::new(Kind::Float64).optional())),
        field("pairs", map(int(), Schema::new(Kind::String))),
        field("day", Schema::new(Kind::Int32).named(logical::DATE)),
    ]);
    let ints = |values: &[i32]| Value::Array(values.iter().map(|value| Value::Int32(*value)).collect());
    let full = datum(
        &schema,
        vec![
            Value::Struct(vec![Value::Int32(1), Value::Null]),
            ints(&[1, 2, 3]),
            Value::Array(vec![ints(&[4]), ints(&[]), ints(&[5, 6])]),
            Value::Map(vec![(text("a"), Value::Float64(0.5)), (text("b"), Value::Null)]),
            Value::Map(vec![(Value::Int32(7), text("seven"))]),
            Value::Int32(1),
        ],
    );
    let empty = datum(
        &schema,
        vec![Value::Null, ints(&[]), Value::Null, Value::Map(vec![]), Value::Map(vec![]), Value::Int32(0)],
    );
    let bytes = file(&format(ParquetCodec::None), Compression::None, &[full, empty]);
    expect_test::expect![[r#"
        message a.b.Row {
          OPTIONAL group inner {
            REQUIRED INT32 x;
            OPTIONAL BYTE_ARRAY y (STRING);
          }
          REQUIRED group list (LIST) {
            REPEATED INT32 array;
          }
          OPTIONAL group lists (LIST) {
            REPEATED group array (LIST) {
              REPEATED INT32 array;
            }
          }
          REQUIRED group map (MAP) {
            REPEATED group key_value {
              REQUIRED BYTE_ARRAY key (STRING);
              OPTIONAL DOUBLE value;
            }
          }
          REQUIRED group pairs (LIST) {
            REPEATED group array {
              REQUIRED INT32 key;
              REQUIRED BYTE_ARRAY value (STRING);
            }
          }
          REQUIRED INT32 day (DATE);
        }
    "#]]
    .assert_eq(&schema_of(bytes.clone()));
    let rows = rows(bytes);
    // This reader wraps the items of a list of the old structure once more, but for a list in a list; pyarrow does not.
    let expected = serde_json::json!([
        {
            "inner": {"x": 1, "y": null}, "list": [[1, 2, 3]], "lists": [[4], [], [5, 6]],
            "map": {"a": 0.5, "b": null}, "pairs": [[{"key": 7, "value": "seven"}]], "day": "day 1",
        },
        {"inner": null, "list": [], "lists": null, "map": {}, "pairs": [], "day": "day 0"},
    ]);
    assert_eq!(serde_json::Value::Array(rows), expected);
}

#[test]
fn lists_have_three_levels_where_items_may_be_null() {
    let schema =
        structure(vec![field("list", Schema::new(Kind::Array(Arc::new(Schema::new(Kind::String).optional()))))]);
    let row = datum(&schema, vec![Value::Array(vec![text("a"), Value::Null, text("b")])]);
    let bytes = file(&format(ParquetCodec::None), Compression::None, &[row]);
    assert!(schema_of(bytes.clone()).contains("REPEATED group list"), "{}", schema_of(bytes));
    assert_eq!(rows(bytes), [serde_json::json!({"list": ["a", null, "b"]})]);
}

#[test]
fn the_edge_cases_are_taken_in() {
    let data = edge();
    let rows = rows(file(&format(ParquetCodec::Snappy), Compression::None, &data));
    assert_eq!(rows.len(), data.len());
    assert_eq!(rows[0]["nested"]["x"], 1);
    assert_eq!(rows[0]["un"], serde_json::Value::Null);
}

#[test]
fn row_groups_bound_what_is_held() {
    let schema = structure(vec![field("a", Schema::new(Kind::Bytes))]);
    let big = datum(&schema, vec![Value::Bytes(vec![7; 1 << 20].into())]);
    let mut open_file = format(ParquetCodec::None).open(Compression::None, &big).unwrap();
    let mut bytes = Vec::new();
    for _ in 0..40 {
        open_file.append(&big).unwrap();
        bytes.extend(open_file.take());
        assert!(open_file.buffered() < 18 << 20);
    }
    bytes.extend(open_file.finish().unwrap());
    let reader = open(bytes);
    assert_eq!(reader.num_row_groups(), 3);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 40);
}

#[test]
fn what_parquet_cannot_hold_is_said() {
    let schema = Arc::new(Schema::new(Kind::String));
    let key = Datum { schema: Some(schema), value: text("k") };
    let error = format(ParquetCodec::None).open(Compression::None, &key).unwrap_err();
    assert!(error.to_string().contains("a Parquet file holds structs, not STRING"), "{error}");
    let empty = structure(vec![field("e", Schema::new(Kind::Struct(vec![])))]);
    let row = datum(&empty, vec![Value::Struct(vec![])]);
    let error = format(ParquetCodec::None).open(Compression::None, &row).unwrap_err();
    assert!(error.to_string().contains("e: a struct without fields"), "{error}");
}

#[test]
fn a_record_that_does_not_fit_leaves_the_file_as_it_was() {
    let schema = structure(vec![field("a", Schema::new(Kind::Int32)), field("b", Schema::new(Kind::String))]);
    let good = datum(&schema, vec![Value::Int32(1), text("x")]);
    let mut open_file = format(ParquetCodec::None).open(Compression::None, &good).unwrap();
    open_file.append(&good).unwrap();
    assert!(open_file.append(&datum(&schema, vec![Value::Int32(2), Value::Null])).is_err());
    open_file.append(&good).unwrap();
    assert_eq!(rows(open_file.finish().unwrap()), vec![serde_json::json!({"a": 1, "b": "x"}); 2]);
}
