//! A steady load of numbered records, and the proof that each of them arrived once and in order.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use smt_host::kafka::Settings;

use crate::{Seen, ends, eventually, read_committed_of};

/// So many records go to each partition in each tick.
const RECORDS_A_TICK: usize = 20;
const TICK: Duration = Duration::from_millis(20);

/// Writes `0`, `1`, … to each partition until it is stopped. A broker that is away is waited for.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Load {
    pub fn start(settings: &Settings, topic: &str, partitions: i32) -> Load {
        let producer: BaseProducer = settings.idempotent().set("linger.ms", "5").create().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (topic, asked) = (topic.to_owned(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut written = 0;
            while !asked.load(Ordering::Acquire) {
                for number in written..written + RECORDS_A_TICK {
                    (0..partitions).for_each(|partition| send(&producer, &topic, partition, &number.to_string()));
                }
                written += RECORDS_A_TICK;
                producer.poll(TICK);
            }
            producer.flush(Duration::from_secs(60)).unwrap();
            written
        });
        Load { stop, thread }
    }

    /// How many records each partition has got.
    pub fn stop(self) -> usize {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap()
    }
}

fn send(producer: &BaseProducer, topic: &str, partition: i32, value: &str) {
    let mut record = BaseRecord::<'_, [u8], [u8]>::to(topic).partition(partition).payload(value.as_bytes());
    while let Err((error, back)) = producer.send(record) {
        assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
        producer.poll(Duration::from_millis(10));
        record = back;
    }
}

/// Waits until every partition of an output has got some more committed records: all of them are taken care of.
pub fn moves_on(settings: &Settings, topic: &str, partitions: i32) {
    let committed = || ends(settings, topic, partitions, "read_committed");
    let mut before = None;
    eventually(&format!("{topic} moves on"), Duration::from_secs(60), || {
        before = before.take().or_else(committed);
        // More than markers.
        let some_more = |(before, now): (&i64, i64)| now > before + 50;
        committed().zip(before.as_ref()).is_some_and(|(now, before)| before.iter().zip(now).all(some_more))
    });
}

/// How many members a group has whose partitions are all handed out.
pub fn members(settings: &Settings, group: &str) -> usize {
    let consumer: BaseConsumer = settings.client("tests").create().unwrap();
    let list = consumer.fetch_group_list(Some(group), Duration::from_secs(5));
    let settled = |groups: rdkafka::groups::GroupList| {
        groups.groups().iter().find(|found| found.state() == "Stable").map(|found| found.members().len())
    };
    list.ok().and_then(settled).unwrap_or(0)
}

/// The output holds what the input holds, record by record and in order; the input, the whole load. The load has no
/// transactions: around a broker's restart a producer's retry may write a batch of it twice (librdkafka issue 4953),
/// and then this batch is two batches, which a host has to copy once each.
pub fn assert_exactly_once(settings: &Settings, input: &str, output: &str, partitions: i32, records: usize) {
    let (given, made) = (read_committed_of(settings, input), read_committed_of(settings, output));
    for partition in 0..partitions {
        let (given, made) = (numbers(&given, partition), numbers(&made, partition));
        let (given_times, made_times) = (times(&given, records), times(&made, records));
        let missing = given_times.iter().filter(|times| **times == 0).count();
        assert_eq!(missing, 0, "{input}-{partition} lacks {missing} of {records} records of the load");
        let count = |wanted: fn(&usize, &usize) -> bool| {
            given_times.iter().zip(&made_times).filter(|(given, made)| wanted(given, made)).count()
        };
        let (lost, doubled) = (count(|given, made| made < given), count(|given, made| made > given));
        let wrong: Vec<usize> = (0..records).filter(|number| given_times[*number] != made_times[*number]).collect();
        let places = |number: &usize| (*number, offsets_of(&given, *number), offsets_of(&made, *number));
        let which = (wrong.first().map(places), wrong.last().map(places));
        assert_eq!(
            (lost, doubled),
            (0, 0),
            "{output}-{partition}, {records} records: (lost, doubled); first and last, read at and written at {which:?}"
        );
        let in_order = given.iter().map(|(number, _)| number).eq(made.iter().map(|(number, _)| number));
        assert!(in_order, "{output} partition {partition}: out of order");
    }
}

/// The numbers of a partition, each with its offset.
fn numbers(seen: &[Seen], partition: i32) -> Vec<(usize, i64)> {
    let number = |value: &Option<Vec<u8>>| std::str::from_utf8(value.as_deref().unwrap()).unwrap().parse().unwrap();
    seen.iter().filter(|seen| seen.partition == partition).map(|seen| (number(&seen.value), seen.offset)).collect()
}

/// How many times each of `0..records` is there.
fn times(numbers: &[(usize, i64)], records: usize) -> Vec<usize> {
    let mut times = vec![0; records];
    numbers.iter().for_each(|(number, _)| times[*number] += 1);
    times
}

fn offsets_of(numbers: &[(usize, i64)], wanted: usize) -> Vec<i64> {
    numbers.iter().filter(|(number, _)| *number == wanted).map(|(_, offset)| *offset).collect()
}
