//! The text of the schemas the derives write.

use smt_plugin::{AvroEnum, AvroRecord, AvroSchema, Date, Decimal, TimeMillis, TimestampMicros, schema_of};

#[derive(AvroRecord)]
struct Inner {
    #[avro(rename = "Other", default = -3, doc = "With \"quotes\"")]
    number: i32,
}

#[derive(AvroRecord)]
#[avro(namespace = "n.s", rename_all = "camelCase")]
struct Outer {
    first_one: Inner,
    second_one: Option<Inner>,
    #[avro(default = "x")]
    r#type: String,
}

#[derive(AvroRecord)]
#[avro(connect)]
struct Connected {
    price: Decimal<9, 2>,
    at: TimeMillis,
    micros: TimestampMicros,
}

#[test]
fn a_named_type_is_written_once_and_then_referred_to() {
    assert_eq!(
        schema_of::<Outer>(),
        concat!(
            r#"{"type":"record","name":"Outer","namespace":"n.s","fields":[{"name":"firstOne","type":"#,
            r#"{"type":"record","name":"Inner","fields":["#,
            r#"{"name":"Other","type":"int","doc":"With \"quotes\"","default":-3}]}},"#,
            r#"{"name":"secondOne","type":["null","n.s.Inner"],"default":null},"#,
            r#"{"name":"type","type":"string","default":"x"}]}"#
        )
    );
}

#[test]
fn connect_metadata_stands_where_confluents_converter_puts_it() {
    assert_eq!(
        schema_of::<Connected>(),
        concat!(
            r#"{"type":"record","name":"Connected","fields":[{"name":"price","type":{"type":"bytes","scale":2,"#,
            r#""precision":9,"connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"9"},"#,
            r#""connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}},"#,
            r#"{"name":"at","type":{"type":"int","connect.version":1,"#,
            r#""connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}},"#,
            r#"{"name":"micros","type":{"type":"long","logicalType":"timestamp-micros"}}],"connect.name":"Connected"}"#
        )
    );
}

#[derive(AvroRecord)]
struct Hashes {
    #[avro(fixed = "Short")]
    short: [u8; 16],
    #[avro(fixed = "Long")]
    long: Option<[u8; 16]>,
    #[avro(fixed = "Short")]
    again: Vec<[u8; 16]>,
    plain: [u8; 16],
    plain_again: [u8; 16],
    other: [u8; 107],
}

#[test]
fn a_fixed_is_called_what_its_field_says_or_after_its_size_and_written_once() {
    assert_eq!(
        schema_of::<Hashes>(),
        concat!(
            r#"{"type":"record","name":"Hashes","fields":["#,
            r#"{"name":"short","type":{"type":"fixed","name":"Short","size":16}},"#,
            r#"{"name":"long","type":["null",{"type":"fixed","name":"Long","size":16}],"default":null},"#,
            r#"{"name":"again","type":{"type":"array","items":"Short"}},"#,
            r#"{"name":"plain","type":{"type":"fixed","name":"fixed_16","size":16}},"#,
            r#"{"name":"plain_again","type":"fixed_16"},"#,
            r#"{"name":"other","type":{"type":"fixed","name":"fixed_107","size":107}}]}"#
        )
    );
}

#[derive(AvroEnum)]
enum Level {
    Low,
    High,
}

#[derive(AvroRecord)]
struct Defaults {
    #[avro(default = 1_000)]
    long: i64,
    #[avro(default = -0.5)]
    double: f64,
    #[avro(default = 1)]
    float: f32,
    #[avro(default = true)]
    flag: bool,
    #[avro(default = "\u{1}\"\n")]
    text: String,
    #[avro(default = "High")]
    level: Level,
    #[avro(default = 0)]
    date: Date,
}

#[test]
fn defaults_of_every_kind_are_taken_by_apache_avro() {
    let schema = apache_avro::Schema::parse_str(Defaults::TEXT).expect("a valid schema");
    let json = serde_json::from_str::<serde_json::Value>(Defaults::TEXT).expect("JSON");
    let defaults = json["fields"].as_array().expect("fields").iter().map(|field| field["default"].to_string());
    assert_eq!(defaults.collect::<Vec<_>>(), ["1000", "-0.5", "1", "true", r#""\u0001\"\n""#, r#""High""#, "0"]);
    assert!(matches!(schema, apache_avro::Schema::Record(_)));
}

#[test]
fn the_compilers_text_and_the_one_written_at_run_time_are_one() {
    assert_eq!(Outer::TEXT, schema_of::<Outer>());
    assert_eq!(Connected::TEXT, schema_of::<Connected>());
    assert_eq!(schema_of::<Vec<(&str, Option<i64>)>>(), r#"{"type":"map","values":["null","long"]}"#);
}
