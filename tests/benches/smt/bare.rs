//! The least that exactly once costs: a bare rdkafka loop with the same transactions and the same function compiled in.
//!
//! Its client settings are smt-host's own; what it leaves out is everything else: schema look-up and resolution, the
//! sandbox, checks, dead letters, rebalances, faults.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::kafka::{From, Settings};
use smt_host::registry::wire;
use smt_plugin::Encode;

use super::customers::Row;

pub(crate) const ARGUMENT: &str = "bare-loop";
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(20);

/// brokers, input, output, group, records, schema id of the output.
pub(crate) fn run(arguments: &[String]) {
    let [brokers, input, output, group, records, id] = arguments else { panic!("six arguments: {arguments:?}") };
    let (records, id): (usize, u32) = (records.parse().expect("a number"), id.parse().expect("a number"));
    let settings = Settings::new(brokers.as_str());
    let consumer: BaseConsumer = settings.consumer(group, From::Earliest).create().expect("a consumer");
    let producer: BaseProducer = settings.transactional(group).create().expect("a producer");
    producer.init_transactions(TIMEOUT).expect("transactions");
    consumer.subscribe(&[input]).expect("subscribed");
    let (mut read, mut open, mut next) = (0, None::<Instant>, [0i64; 2]);
    let mut value = Vec::new();
    while read < records || open.is_some() {
        match consumer.poll(Duration::from_millis(if open.is_some() { 0 } else { 50 })) {
            Some(Ok(message)) => {
                if open.is_none() {
                    producer.begin_transaction().expect("begun");
                    open = Some(Instant::now());
                }
                read += 1;
                next[message.partition() as usize] = message.offset() + 1;
                let (_, datum) = wire::unframe(message.payload().expect("a value")).expect("framed");
                value.clear();
                wire::frame(id, &mut value);
                if jovem(datum, &mut value) {
                    let timestamp = message.timestamp().to_millis().unwrap_or(0);
                    send(&producer, output, message.partition(), timestamp, &value);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) | None => {
                if read == records && open.take().is_some() {
                    commit(&consumer, &producer, input, next);
                }
            }
            Some(Err(error)) => panic!("{error}"),
        }
        if open.is_some_and(|since| since.elapsed() >= COMMIT_INTERVAL) {
            open = None;
            commit(&consumer, &producer, input, next);
        }
    }
}

fn jovem(datum: &[u8], out: &mut Vec<u8>) -> bool {
    let row: Row<'_> = smt_plugin::decode_record(datum).expect("a customer");
    let Row { nome, sexo, telefone, email, profissao, nascimento, dt_update, .. } = row;
    let customer = jovens::Customer { nome, sexo, telefone, email, profissao, nascimento, dt_update };
    jovens::jovens(customer).map(|jovem| jovem.encode(out)).is_some()
}

fn send(producer: &BaseProducer, topic: &str, partition: i32, timestamp: i64, value: &[u8]) {
    let mut record: BaseRecord<'_, [u8], [u8]> =
        BaseRecord::to(topic).partition(partition).timestamp(timestamp).payload(value);
    while let Err((_, back)) = producer.send(record) {
        producer.poll(Duration::from_millis(5));
        record = back;
    }
}

fn commit(consumer: &BaseConsumer, producer: &BaseProducer, topic: &str, next: [i64; 2]) {
    producer.flush(TIMEOUT).expect("flushed");
    let mut offsets = TopicPartitionList::new();
    for (partition, next) in next.into_iter().enumerate().filter(|(_, next)| *next > 0) {
        offsets.add_partition_offset(topic, partition as i32, Offset::Offset(next)).expect("a partition");
    }
    let group = consumer.group_metadata().expect("a member");
    producer.send_offsets_to_transaction(&offsets, &group, TIMEOUT).expect("offsets");
    producer.commit_transaction(TIMEOUT).expect("committed");
}
