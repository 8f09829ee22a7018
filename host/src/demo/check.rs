//! The demo's own audit: what is in the table against what is in the topics, read as a consumer would.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use comfy_table::Table;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::exit::{Exit, Stop};
use crate::kafka::{Settings, topics};
use crate::pipeline::Delivery;
use crate::registry::Registry;

/// What the table says must have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub rows: u64,
    pub jovens: u64,
}

/// Counts the customers; none where there is no table yet.
pub fn table_rows(url: &str) -> Result<Expected, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::start(format!("runtime: {error}")))?;
    runtime.block_on(query(url)).map_err(|error| Stop::dependency(format!("the embedded Postgres: {error}")))
}

async fn query(url: &str) -> Result<Expected, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    let exists = client.query_one("SELECT to_regclass('public.customers') IS NOT NULL", &[]).await?.get::<_, bool>(0);
    let mut expected = Expected { rows: 0, jovens: 0 };
    if exists {
        let sql = "SELECT count(*), count(*) FILTER (WHERE nascimento >= DATE '2000-01-01') FROM customers";
        let row = client.query_one(sql, &[]).await?;
        expected = Expected { rows: row.get::<_, i64>(0) as u64, jovens: row.get::<_, i64>(1) as u64 };
    }
    drop(client);
    connection.await.ok();
    Ok(expected)
}

/// Compares table and topics, prints both, and fails on a difference.
pub fn all(postgres: &str, settings: &Settings, registry: &Registry, delivery: Delivery) -> Result<(), Stop> {
    let expected = table_rows(postgres)?;
    let lines = [
        ("postgres-customers", "all rows of the table", expected.rows),
        ("jovens", "nascimento >= 2000-01-01", expected.jovens),
        ("idadeclass", "all rows of the table", expected.rows),
    ];
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(["topic", "what", "expected", "committed", ""]);
    let mut wrong = Vec::new();
    let mut sample = Vec::new();
    for (topic, what, expected) in lines {
        let found = read(settings, topic, if topic == "jovens" { 3 } else { 0 })?;
        let doubled = delivery == Delivery::AtLeastOnce && found.records > expected;
        let verdict = match found.records == expected {
            true => "ok",
            false if doubled => "ok: at least once",
            false => "DIFFERENT",
        };
        if verdict == "DIFFERENT" {
            wrong.push(format!("{topic}: expected {expected}, found {}", found.records));
        }
        table.add_row([topic, what, &expected.to_string(), &found.records.to_string(), verdict]);
        sample.extend(found.sample);
    }
    println!("{table}\n");
    show(&sample, registry);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Stop::new(Exit::CheckFailed, format!("the topics do not hold what the table does: {}", wrong.join("; "))))
}

fn show(sample: &[Vec<u8>], registry: &Registry) {
    for value in sample {
        println!("jovens  {}", super::sample::json(registry, value).unwrap_or_else(|| "(not Avro)".to_owned()));
    }
}

struct Found {
    records: u64,
    sample: Vec<Vec<u8>>,
}

/// Reads a topic from its beginning to its end, committed records only.
fn read(settings: &Settings, topic: &str, sample_max: usize) -> Result<Found, Stop> {
    let shape = topics::shape(settings, topic)?.ok_or_else(|| Stop::start(format!("topic {topic} does not exist")))?;
    let consumer: BaseConsumer = settings
        .consumer("smt-demo-check", crate::kafka::From::Earliest)
        .create()
        .map_err(|error| topics::bad_client(&error))?;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..shape.partitions {
        partitions
            .add_partition_offset(topic, partition, Offset::Beginning)
            .map_err(|error| topics::away(settings, &error))?;
    }
    consumer.assign(&partitions).map_err(|error| topics::away(settings, &error))?;
    let deadline = Instant::now() + Duration::from_secs(60);
    // One end may be told twice, before and after a transaction marker.
    let (mut found, mut ended) = (Found { records: 0, sample: Vec::new() }, BTreeSet::new());
    while ended.len() < shape.partitions as usize {
        if Instant::now() > deadline {
            return Err(Stop::dependency(format!("topic {topic} could not be read to its end within 60 s")));
        }
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                found.records += 1;
                if found.sample.len() < sample_max {
                    found.sample.push(message.payload().unwrap_or_default().to_vec());
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(error)) => return Err(topics::away(settings, &error)),
            None => {}
        }
    }
    Ok(found)
}
