//! What the stream keeps, and the schema it writes.
#![allow(clippy::unwrap_used)]

use ::jovens::{Customer, Jovem, jovens};
use smt_plugin::plugin::{Transform, describe, wiring};
use smt_plugin::{Date, TimestampMillis, bindings::types::Format, testing};

const SCHEMA: &str = r#"{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[{"name":"NOME","type":["null","string"],"default":null},{"name":"SEXO","type":["null","string"],"default":null},{"name":"TELEFONE","type":["null","string"],"default":null},{"name":"EMAIL","type":["null","string"],"default":null},{"name":"PROFISSAO","type":["null","string"],"default":null},{"name":"NASCIMENTO","type":["null",{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}],"default":null},{"name":"DT_UPDATE","type":["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null}],"connect.name":"io.confluent.ksql.avro_schemas.KsqlDataSourceSchema"}"#;

fn born(day: Option<i32>) -> Customer<'static> {
    Customer {
        nome: Some("Ana"),
        sexo: Some("F"),
        telefone: None,
        email: Some("ana@example.com"),
        profissao: None,
        nascimento: day.map(Date),
        dt_update: Some(TimestampMillis(1_618_269_960_000)),
    }
}

#[test]
fn the_schema_is_what_ksqldb_registers_byte_for_byte() {
    let outputs = jovens::outputs();
    let [output] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert!(matches!(&output.value, Some(Format::Avro(schema)) if schema == SCHEMA), "{output:?}");
    assert_eq!((output.name.as_str(), output.topic.as_str()), ("jovens", "jovens"));
}

#[test]
fn the_first_day_of_2000_is_kept_and_the_day_before_and_the_unknown_are_not() {
    let outcome = testing::run::<jovens>(&(), 0, &[born(Some(10956)), born(Some(10957)), born(None)]);
    assert_eq!(outcome.emitted.inputs, [1]);
    let expected = jovens(born(Some(10957))).unwrap();
    assert_eq!(testing::emitted::<Jovem<'_>>(&outcome), [expected]);
    assert!(outcome.rejections.is_empty());
}

#[test]
fn a_record_that_cannot_be_read_is_rejected_and_its_neighbour_goes_on() {
    let good = [0, 0, 0, 0, 0, 2, 0xa2, 0xac, 1, 0];
    let outcome = testing::run_bytes::<jovens>(&(), 0, &[vec![2, 40], good.to_vec()]);
    assert_eq!(outcome.rejections.len(), 1);
    assert_eq!(outcome.rejections[0].reason, "length 20 does not fit the record");
    assert_eq!(outcome.emitted.inputs, [1]);
}

#[test]
fn the_plugin_is_described_by_its_crate_and_its_doc_comment() {
    let description = describe::<jovens>();
    assert_eq!(description.name, "jovens");
    assert_eq!(description.version, env!("CARGO_PKG_VERSION"));
    assert!(description.summary.starts_with("Keeps customers born"));
    assert!(wiring::<jovens>().key.is_none());
}
