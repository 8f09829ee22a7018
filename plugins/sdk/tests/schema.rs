//! The text of the schemas the derives write.

use smt_plugin::{AvroRecord, Decimal, TimeMillis, TimestampMicros, schema_of};

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
