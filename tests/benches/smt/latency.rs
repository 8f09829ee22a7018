//! (c) From produce to visible for a `read_committed` reader, at a steady thousand records a second.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::kafka::From;
use smt_host::registry::wire;
use smt_tests::{World, plugin};

use super::{customers, report};

const RECORDS: usize = 20_000;
/// The first ones join groups and fill caches.
const WARM_UP: usize = 3_000;
const APART: Duration = Duration::from_millis(1);

pub(crate) fn run(world: &World) {
    report::row(&["", "p50 ms", "p99 ms"]);
    show("no host between", &measure(world, "bench-latency-direct", "bench-latency-direct"));
    let (input, output) = ("bench-latency-input", "bench-latency-output");
    world.topic(input, 2);
    world.topic(output, 2);
    let mut host = start_host(world, input, output);
    let through = measure(world, input, output);
    host.kill().expect("it runs");
    host.wait().expect("it ends");
    show("through jovens", &through);
}

fn show(what: &str, latencies_ms: &[f64]) {
    let at = |share: f64| format!("{:.1}", latencies_ms[(latencies_ms.len() as f64 * share) as usize]);
    report::row(&[what, &at(0.5), &at(0.99)]);
}

fn start_host(world: &World, input: &str, output: &str) -> Child {
    let mut command = Command::new(smt_tests::release_host());
    command.args(["--plugin".as_ref(), plugin("jovens").as_os_str()]);
    command.args(["--input", input, "--output", output, "--group", output]);
    command.args(["--brokers", &world.kafka.brokers(), "--registry", &world.registry_server.url()]);
    command.args(["--state-dir".as_ref(), world.dir.path().join("bench-state").as_os_str()]);
    command.env("SMT_LOG", "error").stdin(Stdio::null()).spawn().expect("it starts")
}

/// Sorted latencies in milliseconds; every record is young, so each one arrives.
fn measure(world: &World, input: &str, output: &str) -> Vec<f64> {
    world.topic(input, 2);
    let id = world.registry().register(&format!("{input}-value"), &customers::schema()).expect("registered");
    let begun = Instant::now();
    let sent: Vec<AtomicU64> = (0..RECORDS).map(|_| AtomicU64::new(0)).collect();
    let mut latencies = thread::scope(|scope| {
        let reader = scope.spawn(|| read(world, output, begun, &sent));
        produce(world, input, id, begun, &sent);
        reader.join().expect("the reader ends")
    });
    latencies.sort_by(f64::total_cmp);
    latencies
}

fn produce(world: &World, topic: &str, id: u32, begun: Instant, sent: &[AtomicU64]) {
    let mut config = world.settings().idempotent();
    let producer: BaseProducer = config.set("linger.ms", "0").create().expect("a producer");
    let first = Instant::now();
    for (i, sent) in sent.iter().enumerate() {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        customers::encode(i, true, &mut value);
        thread::sleep((first + APART * i as u32).saturating_duration_since(Instant::now()));
        sent.store(begun.elapsed().as_micros() as u64, Relaxed);
        customers::send(&producer, topic, (i % 2) as i32, Some(&(i as u32).to_be_bytes()), &value);
        producer.poll(Duration::ZERO);
    }
    producer.flush(Duration::from_secs(30)).expect("delivered");
}

fn read(world: &World, topic: &str, begun: Instant, sent: &[AtomicU64]) -> Vec<f64> {
    let consumer: BaseConsumer =
        world.settings().consumer("bench-reader", From::Earliest).create().expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    for partition in 0..2 {
        partitions.add_partition_offset(topic, partition, Offset::Beginning).expect("a partition");
    }
    consumer.assign(&partitions).expect("assigned");
    let (mut latencies, mut seen) = (Vec::with_capacity(RECORDS), 0);
    let deadline = Instant::now() + Duration::from_secs(120);
    while seen < RECORDS {
        assert!(Instant::now() < deadline, "{seen} of {RECORDS} records arrived within two minutes");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let now = begun.elapsed().as_micros() as u64;
                let key = message.key().expect("the key is inherited").try_into().expect("four bytes");
                let number = u32::from_be_bytes(key) as usize;
                seen += 1;
                if number >= WARM_UP {
                    latencies.push(now.saturating_sub(sent[number].load(Relaxed)) as f64 / 1000.0);
                }
            }
            None | Some(Err(KafkaError::PartitionEOF(_))) => {}
            Some(Err(error)) => panic!("{error}"),
        }
    }
    latencies
}
