//! Customers as they stand on the topic, written and read by the apache-avro crate: the host's own codec is what is
//! tested.
// The names of apache-avro that are short; their replacements are builders.
#![allow(clippy::unwrap_used, deprecated)]

use apache_avro::types::Value;
use smt_host::registry::{Registry, wire};

use crate::{Seen, world};

/// The table's schema as the source connector registers it.
pub const CUSTOMERS: &str = r#"{"type":"record","name":"customers","fields":[{"name":"nome","type":["null","string"],"default":null},{"name":"sexo","type":["null","string"],"default":null},{"name":"endereco","type":["null","string"],"default":null},{"name":"telefone","type":["null","string"],"default":null},{"name":"email","type":["null","string"],"default":null},{"name":"foto","type":["null","string"],"default":null},{"name":"nascimento","type":["null",{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}],"default":null},{"name":"profissao","type":["null","string"],"default":null},{"name":"dt_update","type":["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null}],"connect.name":"customers"}"#;
/// The same with columns removed, reordered, added, and `telefone` of a type that Avro promotes.
pub const EVOLVED: &str = r#"{"type":"record","name":"customers","fields":[{"name":"nascimento","type":["null",{"type":"int","logicalType":"date"}],"default":null},{"name":"cidade","type":["null","string"],"default":null},{"name":"nome","type":["null","string"],"default":null},{"name":"sexo","type":["null","string"],"default":null},{"name":"telefone","type":["null","bytes"],"default":null},{"name":"email","type":["null","string"],"default":null},{"name":"profissao","type":["null","string"],"default":null},{"name":"dt_update","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}]}"#;
/// 2000-01-01 in days.
pub const BOUND: i32 = 10957;

/// One customer in the writer schema given, framed.
pub fn customer(schema: &str, id: u32, name: &str, born: Option<i32>) -> Option<Vec<u8>> {
    let schema = apache_avro::Schema::parse_str(schema).unwrap();
    let text = |text: &str| Value::Union(1, Box::new(Value::String(text.to_owned())));
    let null = || Value::Union(0, Box::new(Value::Null));
    let apache_avro::Schema::Record(record) = &schema else { panic!("a record") };
    let evolved = record.fields.iter().any(|field| field.name == "cidade");
    let field = |field: &str| match field {
        "telefone" if evolved => Value::Union(1, Box::new(Value::Bytes(field.into()))),
        "nome" => text(name),
        "nascimento" => born.map_or_else(null, |days| Value::Union(1, Box::new(Value::Date(days)))),
        "dt_update" => Value::Union(1, Box::new(Value::TimestampMillis(1_618_269_963_655))),
        "profissao" => null(),
        other => text(other),
    };
    let fields = record.fields.iter().map(|f| (f.name.clone(), field(&f.name))).collect();
    let mut framed = Vec::new();
    wire::frame(id, &mut framed);
    framed.extend(apache_avro::to_avro_datum(&schema, Value::Record(fields)).unwrap());
    Some(framed)
}

/// A record's fields, decoded by the apache-avro crate with the schema that its id names; null is `Value::Null`.
pub fn decoded(registry: &Registry, seen: &Seen) -> Vec<(String, Value)> {
    let (id, mut datum) = wire::unframe(seen.value.as_deref().unwrap()).unwrap();
    let schema = apache_avro::Schema::parse_str(&registry.schema(id).unwrap()).unwrap();
    let value = apache_avro::from_avro_datum(&schema, &mut datum, None).unwrap();
    let Value::Record(fields) = value else { panic!("a record") };
    let bare = |value| if let Value::Union(_, inner) = value { *inner } else { value };
    fields.into_iter().map(|(name, value)| (name, bare(value))).collect()
}

pub fn field(seen: &Seen, name: &str) -> Value {
    decoded(&world().registry(), seen).into_iter().find(|(n, _)| n == name).unwrap().1
}

pub fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}
