//! Who is called what, and the schema it is written with.

use ::idadeclass::{Classified, Customer, idadeclass};
use smt_plugin::plugin::Transform;
use smt_plugin::{Date, bindings::types::Format, testing};

const SCHEMA: &str = r#"{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[{"name":"NOME","type":["null","string"],"default":null},{"name":"TELEFONE","type":["null","string"],"default":null},{"name":"EMAIL","type":["null","string"],"default":null},{"name":"PROFISSAO","type":["null","string"],"default":null},{"name":"IDADECAT","type":["null","string"],"default":null},{"name":"DT_UPDATE","type":["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null}],"connect.name":"io.confluent.ksql.avro_schemas.KsqlDataSourceSchema"}"#;

fn born(day: Option<i32>) -> Customer<'static> {
    Customer {
        nome: Some("Ana"),
        telefone: None,
        email: None,
        profissao: Some("Médica"),
        nascimento: day.map(Date),
        dt_update: None,
    }
}

#[test]
fn the_young_are_jovem_and_all_others_adulto_the_unknown_among_them() {
    let outcome = testing::run::<idadeclass>(&(), 0, &[born(Some(10956)), born(Some(10957)), born(None)]);
    let classes = testing::emitted::<Classified<'_>>(&outcome).into_iter().map(|row| row.idadecat);
    assert_eq!(classes.collect::<Vec<_>>(), [Some("ADULTO"), Some("JOVEM"), Some("ADULTO")]);
}

#[test]
fn the_schema_has_the_columns_of_the_select_in_its_order() {
    let outputs = idadeclass::outputs();
    let [output] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert!(matches!(&output.value, Some(Format::Avro(schema)) if schema == SCHEMA), "{output:?}");
    assert_eq!(output.topic, "idadeclass");
}
