//! The input of the table `idadecont`: classes of customers, and how many of each should be in each window.

use std::collections::BTreeMap;
use std::time::Duration;

use apache_avro::types::Value;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use smt_host::registry::wire;
use smt_tests::customers::field;
use smt_tests::{Seen, read_committed, world};

/// As the workshop's stream writes it, with its other columns left away.
const SCHEMA: &str = r#"{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[{"name":"IDADECAT","type":["null","string"],"default":null}]}"#;
pub(crate) const SIZE_MS: i64 = 30_000;

/// One record of the input.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) partition: i32,
    pub(crate) timestamp: i64,
    pub(crate) class: Option<&'static str>,
}

pub(crate) fn class(partition: i32, timestamp: i64, class: &'static str) -> Class {
    Class { partition, timestamp, class: Some(class) }
}

/// Writes them in order, and waits until all are there.
pub(crate) fn write(topic: &str, classes: &[Class]) {
    let id = world().registry().register(&format!("{topic}-value"), SCHEMA).unwrap();
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for class in classes {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        match class.class {
            None => value.push(0),
            Some(text) => {
                value.extend([2, (text.len() * 2) as u8]);
                value.extend(text.as_bytes());
            }
        }
        let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(class.partition);
        let mut record = record.timestamp(class.timestamp).payload(value.as_slice());
        while let Err((error, back)) = producer.send(record) {
            assert!(error.to_string().contains("QueueFull"), "{error}");
            producer.poll(Duration::from_millis(10));
            record = back;
        }
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

/// By class and window start: how many, and the greatest timestamp.
pub(crate) type Table = BTreeMap<(String, i64), (i64, i64)>;

/// What the table should hold.
pub(crate) fn model<'a>(classes: impl IntoIterator<Item = &'a Class>) -> Table {
    let mut table = Table::new();
    for Class { timestamp, class, .. } in classes {
        let Some(class) = class else { continue };
        let start = timestamp.div_euclid(SIZE_MS) * SIZE_MS;
        let (count, greatest) = table.entry((class.to_string(), start)).or_insert((0, i64::MIN));
        *count += 1;
        *greatest = (*greatest).max(*timestamp);
    }
    table
}

/// One record of the output: key and window start, count.
pub(crate) fn row(seen: &Seen) -> ((String, i64), i64) {
    let (key, start) = seen.key.as_deref().unwrap().split_last_chunk::<8>().unwrap();
    let Value::Long(count) = field(seen, "CONTAGEM") else { panic!("{seen:?}") };
    ((String::from_utf8(key.to_vec()).unwrap(), i64::from_be_bytes(*start)), count)
}

/// What the table holds: the last record of each key. Counts never fall on the way.
pub(crate) fn table(topic: &str) -> Table {
    let mut table = Table::new();
    for seen in read_committed(topic) {
        let (key, count) = row(&seen);
        let before = table.insert(key.clone(), (count, seen.timestamp_ms.unwrap()));
        assert!(before.is_none_or(|(before, _)| before < count), "{key:?} {before:?} {count}");
    }
    table
}

/// A present that begins a window.
pub(crate) fn present() -> i64 {
    world().begun_ms.div_euclid(SIZE_MS) * SIZE_MS
}
