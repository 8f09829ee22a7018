//! Who is counted, and the bytes ksqlDB writes: keys, values and the schema.
#![allow(clippy::unwrap_used)]

use idadecont::{Classified, Contagem, Counted};
use smt_plugin::aggregate::testing::{fold, grouping};
use smt_plugin::aggregate::{finish, wiring};
use smt_plugin::bindings::types::{Column, Format};
use smt_plugin::{Emit, decode_record};

const SCHEMA: &str = r#"{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[{"name":"CONTAGEM","type":["null","long"],"default":null}],"connect.name":"io.confluent.ksql.avro_schemas.KsqlDataSourceSchema"}"#;

fn classified(class: Option<&str>) -> Classified<'_> {
    Classified { idadecat: class }
}

#[test]
fn each_class_is_counted_by_itself_and_no_class_not_at_all() {
    let first = [Some("JOVEM"), None, Some("ADULTO"), Some("JOVEM")].map(classified);
    let second = [Some("ADULTO"), Some("JOVEM")].map(classified);
    let folded = fold::<Contagem>(&[&first, &second]);
    assert_eq!(folded.keys(), [b"JOVEM".as_slice(), b"ADULTO"]);
    let counted = |contagem| Counted { contagem: Some(contagem) };
    assert_eq!(folded.rows(Some(0..30_000)), [(0, counted(3)), (1, counted(2))]);
    assert!(folded.rejections.is_empty());
}

#[test]
fn a_count_of_three_is_the_two_bytes_ksqldb_writes_behind_the_frame() {
    let one = |bytes: &[u8]| Column { data: bytes.to_vec(), lengths: vec![bytes.len() as i32] };
    let finished = finish::<Contagem>(&(), &[0], &[30_000], &one(b"JOVEM"), &one(&[6]));
    assert_eq!(finished.values.data, [0x02, 0x06]);
    assert_eq!(decode_record::<Counted>(&[0x02, 0x06]).unwrap(), Counted { contagem: Some(3) });
}

#[test]
fn the_value_has_one_column_and_the_window_is_of_thirty_seconds() {
    let outputs = wiring::<Contagem>().unwrap().outputs;
    let [output] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert!(matches!(&output.value, Some(Format::Avro(schema)) if schema == SCHEMA), "{output:?}");
    assert_eq!(output.topic, "idadecont");
    let grouping = grouping::<Contagem>(&[]).unwrap();
    let window = grouping.window.unwrap();
    assert_eq!((window.size_ms, window.advance_ms), (30_000, 30_000));
    assert_eq!((window.grace_ms, window.retention_ms, window.idle_ms), (None, None, None), "the host's defaults");
    assert!(matches!(grouping.key, Format::Bytes));
    assert_eq!(grouping.emit, Emit::Changes);
}
