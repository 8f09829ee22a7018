//! Customers of about 210 bytes, half of them young, as the source connector writes them.

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use smt_host::registry::wire;
use smt_plugin::{AvroRecord, Date, Encode, TimestampMillis, schema_of};
use smt_tests::World;
use std::sync::Once;
use std::time::Duration;

/// All columns of the workshop's table, in its order.
#[derive(AvroRecord)]
#[avro(name = "customers", connect)]
pub(crate) struct Row<'a> {
    pub nome: Option<&'a str>,
    pub sexo: Option<&'a str>,
    pub endereco: Option<&'a str>,
    pub telefone: Option<&'a str>,
    pub email: Option<&'a str>,
    pub foto: Option<&'a str>,
    pub nascimento: Option<Date>,
    pub profissao: Option<&'a str>,
    pub dt_update: Option<TimestampMillis>,
}

pub(crate) fn schema() -> String {
    schema_of::<Row<'_>>()
}

/// Appends customer `i`; even ones are young.
pub(crate) fn encode(i: usize, young: bool, out: &mut Vec<u8>) {
    let (name, email) = (format!("Maria Conceição Souza {i}"), format!("maria.souza{i}@example.com"));
    let row = Row {
        nome: Some(&name),
        sexo: Some("F"),
        endereco: Some("Avenida Getúlio Vargas, 1431, Belo Horizonte - MG, 30112-021"),
        telefone: Some("(31) 98765-4321"),
        email: Some(&email),
        foto: Some("https://example.com/fotos/0a1b2c3d.jpg"),
        nascimento: Some(Date::ymd(if young { 2004 } else { 1974 }, 5, 17)),
        profissao: Some("Engenheira de dados"),
        dt_update: Some(TimestampMillis(1_764_000_000_000 + i as i64)),
    };
    row.encode(out);
}

/// The topic, unless an earlier part of this run has made it.
pub(crate) fn topic_once(world: &World, name: &str, records: usize) {
    static MADE: Once = Once::new();
    MADE.call_once(|| topic(world, name, records));
}

/// A topic with so many customers, spread over two partitions.
fn topic(world: &World, name: &str, records: usize) {
    world.topic(name, 2);
    let id = world.registry().register(&format!("{name}-value"), &schema()).expect("registered");
    let producer: BaseProducer = world.settings().idempotent().create().expect("a producer");
    let mut value = Vec::new();
    for i in 0..records {
        value.clear();
        wire::frame(id, &mut value);
        encode(i, i % 2 == 0, &mut value);
        // Pairs go to one partition, so that each holds young and old.
        send(&producer, name, (i / 2 % 2) as i32, None, &value);
    }
    producer.flush(Duration::from_secs(60)).expect("delivered");
}

pub(crate) fn send(producer: &BaseProducer, topic: &str, partition: i32, key: Option<&[u8]>, value: &[u8]) {
    let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(partition).payload(value);
    record.key = key;
    while let Err((_, back)) = producer.send(record) {
        producer.poll(Duration::from_millis(5));
        record = back;
    }
}

/// The same in the layout of the plugin's reader schema: what the host hands over after resolution.
pub(crate) fn encode_as_read(i: usize, young: bool, out: &mut Vec<u8>) {
    let mut all = Vec::new();
    encode(i, young, &mut all);
    let row: Row<'_> = smt_plugin::decode_record(&all).expect("just encoded");
    let Row { nome, sexo, telefone, email, profissao, nascimento, dt_update, .. } = row;
    // Its fields are the input's, in the reader's order.
    jovens::Jovem { nome, sexo, telefone, email, profissao, nascimento, dt_update }.encode(out);
}
