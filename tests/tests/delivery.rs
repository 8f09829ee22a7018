//! What holds between input and output when something goes wrong on the way.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rustix::process::{Pid, Signal, kill_process};
use smt_host::exit::{Exit, Stop};
use smt_host::guest::{Engine, Limits, Plugin};
use smt_host::kafka::{From, Settings};
use smt_host::pipeline::{self, Delivery, Member, OnError, Progress, Spec, WindowOptions};
use smt_host::registry::{self, Registry, wire};
use smt_host::shutdown::Shutdown;
use smt_tests::{Seen, eventually, plugin, produce, read_committed, world};

const LONG: Duration = Duration::from_secs(60);

/// A pipeline from topic `name` to `name`-out, with dead letters in `name`-dead.
fn spec(name: &str, file: &str, settings: &[(&str, &str)]) -> Spec {
    let engine = Engine::new(Some(&world().dir.path().join("compiled"))).unwrap();
    let settings: Vec<(String, String)> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let configured = Plugin::load(&engine, &plugin(file), Limits::default()).unwrap().configure(&settings).unwrap();
    let output = configured.wiring().outputs[0].name.clone();
    Spec {
        name: name.to_owned(),
        group: name.to_owned(),
        inputs: vec![name.to_owned()],
        members: vec![Member {
            configured,
            topics: vec![(output, format!("{name}-out"))],
            windows: WindowOptions::default(),
        }],
        workers: 1,
        from: From::Earliest,
        delivery: Delivery::ExactlyOnce,
        fail_fast: false,
        commit_interval: Duration::from_millis(100),
        instance_id: "tests".to_owned(),
        store_dir: None,
        until_end: false,
        dead_letter_topic: format!("{name}-dead"),
        on_error: OnError::DeadLetter,
        failures_max: 100,
        create_topics: true,
        kafka: world().settings(),
        registry: world().registry(),
    }
}

/// A pipeline on a thread of its own; stopped when the test ends.
struct Running {
    shutdown: Shutdown,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<Result<(), Stop>>>,
}

impl Running {
    fn start(spec: Spec) -> Running {
        let (shutdown, progress) = (Shutdown::new(), Arc::new(Progress::default()));
        let (token, counters) = (shutdown.clone(), progress.clone());
        let thread = std::thread::spawn(move || pipeline::run(spec, &token, &counters));
        Running { shutdown, progress, thread: Some(thread) }
    }

    fn until_read(&self, records: u64) {
        eventually(&format!("{records} records are read"), LONG, || {
            assert!(!self.thread.as_ref().unwrap().is_finished(), "the pipeline ended");
            Progress::get(&self.progress.records_in) >= records
        });
    }

    fn stop(mut self) -> Result<(), Stop> {
        self.shutdown.request();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

fn texts(prefix: &str, count: usize) -> Vec<Option<Vec<u8>>> {
    (0..count).map(|i| Some(format!("{prefix}{i}").into_bytes())).collect()
}

fn values(seen: &[Seen], partition: i32) -> Vec<Option<Vec<u8>>> {
    seen.iter().filter(|seen| seen.partition == partition).map(|seen| seen.value.clone()).collect()
}

fn committed(group: &str, topic: &str, partition: i32) -> i64 {
    let consumer: BaseConsumer = world().settings().consumer(group, From::Earliest).create().unwrap();
    let mut asked = TopicPartitionList::new();
    asked.add_partition(topic, partition);
    let answer = consumer.committed_offsets(asked, Duration::from_secs(10)).unwrap();
    match answer.elements()[0].offset() {
        Offset::Offset(next) => next,
        _ => 0,
    }
}

/// Where a topic's partition ends for readers of this isolation.
fn end(topic: &str, partition: i32, isolation: &str) -> i64 {
    let mut client = world().settings().client("tests");
    let consumer: BaseConsumer = client.set("isolation.level", isolation).create().unwrap();
    consumer.fetch_watermarks(topic, partition, Duration::from_secs(10)).map_or(0, |(_, high)| high)
}

#[test]
fn at_least_once_delivers_everything_in_order_and_without_transactions() {
    world().topic("alo", 2);
    let input = [texts("a", 3_000), texts("b", 2_000)];
    produce("alo", 0, &input[0]);
    produce("alo", 1, &input[1]);
    let spec = Spec { delivery: Delivery::AtLeastOnce, until_end: true, ..spec("alo", "faults", &[("fault", "none")]) };
    pipeline::run(spec, &Shutdown::new(), &Arc::default()).unwrap();
    let seen = read_committed("alo-out");
    for partition in 0..2 {
        let expected = &input[partition as usize];
        assert_eq!(values(&seen, partition), *expected);
        assert_eq!(committed("alo", "alo", partition), expected.len() as i64);
        assert_eq!(end("alo-out", partition, "read_uncommitted"), expected.len() as i64, "markers take offsets");
    }
}

/// Stops where the plugin fails, with whole groups committed; a mended plugin goes on from there.
fn check_stop(name: &str, change: impl Fn(Spec) -> Spec, dead_max: usize) {
    world().topic(name, 2);
    let good = texts("good", 1_500);
    let bad = texts("FAULT", 60);
    produce(name, 0, &[good.clone(), bad.clone()].concat());
    produce(name, 1, &good);
    let broken = change(spec(name, "faults", &[("fault", "trap")]));
    let stop = pipeline::run(broken, &Shutdown::new(), &Arc::default()).unwrap_err();
    assert_eq!(stop.exit, Exit::Plugin, "{stop}");
    let (out, dead) = (read_committed(&format!("{name}-out")), read_committed(&format!("{name}-dead")));
    assert!(dead.len() <= dead_max, "{} dead letters", dead.len());
    let complete = [values(&out, 0).len() + dead.len(), values(&out, 1).len()];
    assert!(complete[0] >= 500, "the first batches were complete: {complete:?}");
    for partition in 0..2 {
        let next = committed(name, name, partition);
        assert_eq!(next, complete[partition as usize] as i64, "partition {partition} is committed as far as it is out");
    }
    let mended = Spec { until_end: true, ..spec(name, "faults", &[("fault", "none")]) };
    pipeline::run(mended, &Shutdown::new(), &Arc::default()).unwrap();
    let out = read_committed(&format!("{name}-out"));
    let dead: Vec<_> = dead.into_iter().map(|seen| seen.value).collect();
    let expected: Vec<_> = [good.clone(), bad].concat().into_iter().filter(|value| !dead.contains(value)).collect();
    assert_eq!(values(&out, 0), expected);
    assert_eq!(values(&out, 1), good);
}

#[test]
fn the_breaker_stops_with_what_is_complete_committed() {
    check_stop("breaker", |spec| Spec { failures_max: 50, ..spec }, 49);
}

#[test]
fn on_error_stop_stops_with_what_is_complete_committed() {
    check_stop("on-error", |spec| Spec { on_error: OnError::Stop, ..spec }, 0);
}

/// A customer of whom only the name is known; `more` makes another schema of it.
fn schema(more: &str) -> String {
    let nulls = ["sexo", "endereco", "telefone", "email", "foto", "nascimento", "profissao", "dt_update"];
    let fields: Vec<String> = nulls.iter().map(|name| format!(r#"{{"name":"{name}","type":"null"}}"#)).collect();
    format!(
        r#"{{"type":"record","name":"customers","fields":[{{"name":"nome","type":["null","string"]}},{}{more}]}}"#,
        fields.join(",")
    )
}

fn customers(id: u32, names: std::ops::Range<u8>) -> Vec<Option<Vec<u8>>> {
    let one = |number: u8| {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        // Branch 1 of the union, and two characters.
        value.extend([2, 4, b'a' + number / 26, b'a' + number % 26]);
        Some(value)
    };
    names.map(one).collect()
}

#[test]
fn a_registry_that_is_away_in_mid_run_is_waited_for() {
    let world = world();
    world.topic("away", 1);
    let dir = world.dir.path().join("away-registry");
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = registry::server::start(anywhere, &dir).unwrap();
    let address: SocketAddr = server.url().trim_start_matches("http://").parse().unwrap();
    let registry = || Registry::new(registry::Config::new(&server.url()));
    let first = registry().register("away-value", &schema("")).unwrap();
    let second =
        registry().register("away-value", &schema(r#",{"name":"more","type":"null","default":null}"#)).unwrap();
    let running = Running::start(Spec { registry: registry(), ..spec("away", "idadeclass", &[]) });
    produce("away", 0, &customers(first, 0..100));
    running.until_read(100);

    drop(server);
    produce("away", 0, &customers(first, 100..150));
    // What nobody can know of needs no registry to be refused; another unknown id does.
    produce("away", 0, &customers(0, 0..1));
    running.until_read(151);
    produce("away", 0, &customers(second, 150..200));
    produce("away", 0, &customers(9999, 0..1));
    // Longer than one session: a member that did not poll would be out by the time the registry is back.
    let away = Instant::now();
    eventually("the registry is away for a while", LONG, || {
        assert!(!running.thread.as_ref().unwrap().is_finished(), "the pipeline ended");
        away.elapsed() > Duration::from_secs(8)
    });
    assert_eq!(Progress::get(&running.progress.records_in), 151, "the new schema cannot be known");
    let _server = registry::server::start(address, &dir).unwrap();
    running.until_read(202);
    assert_eq!(Progress::get(&running.progress.records_in), 202);
    running.stop().unwrap();
    assert_eq!(read_committed("away-out").len(), 200);
    assert_eq!(read_committed("away-dead").len(), 2);
}

#[test]
fn an_input_topic_that_is_missing_is_waited_for() {
    let running = Running::start(spec("late", "faults", &[("fault", "none")]));
    world().topic("late", 1);
    produce("late", 0, &texts("a", 10));
    running.until_read(10);
    running.stop().unwrap();
    let stop =
        pipeline::run(Spec { fail_fast: true, ..spec("never", "faults", &[]) }, &Shutdown::new(), &Arc::default());
    assert_eq!(stop.unwrap_err().exit, Exit::Start);
}

#[test]
fn waiting_for_a_broker_ends_at_once_when_asked_to_stop() {
    let nowhere = Settings::new("127.0.0.1:1");
    let running = Running::start(Spec { kafka: nowhere, ..spec("nowhere", "faults", &[]) });
    let begun = Instant::now();
    running.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
}

/// Ended when the test fails, too.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_transaction_that_timed_out_while_the_host_stood_still_is_read_again() {
    let world = world();
    world.topic("timeout", 1);
    world.topic("timeout-out", 1);
    let input = texts("a", 60_000);
    produce("timeout", 0, &input);
    let binary = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
    let child = Command::new(binary)
        .arg("--plugin")
        .arg(plugin("faults"))
        .args(["--input", "timeout", "--output", "timeout-out", "--group", "timeout", "--until-end"])
        .args(["-X", "transaction.timeout.ms=2000", "--commit-interval", "200ms"])
        .args(["--brokers", &world.kafka.brokers(), "--registry", &world.registry_server.url()])
        .args(["--state-dir".as_ref(), world.dir.path().join("timeout-state").as_os_str()])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let pid = Pid::from_raw(child.0.id() as i32).unwrap();
    let is_open = || end("timeout-out", 0, "read_uncommitted") > end("timeout-out", 0, "read_committed");
    eventually("it stands still with a transaction open", LONG, || {
        assert_eq!(child.0.try_wait().unwrap(), None, "it was too fast for this test");
        kill_process(pid, Signal::STOP).unwrap();
        let open = is_open();
        if !open {
            kill_process(pid, Signal::CONT).unwrap();
        }
        open
    });
    eventually("the coordinator aborts it", LONG, || !is_open());
    kill_process(pid, Signal::CONT).unwrap();
    let status = child.0.wait().unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(values(&read_committed("timeout-out"), 0), input);
}

#[test]
fn of_two_instances_with_one_id_the_older_stops_and_the_newer_goes_on() {
    world().topic("twins", 2);
    let twin = || Running::start(spec("twins", "faults", &[("fault", "none")]));
    let older = twin();
    produce("twins", 0, &texts("first", 10));
    older.until_read(10);
    let newer = twin();
    let mut written = 10;
    // The older one may learn of it only where it has something to write.
    eventually("the older one is fenced", LONG, || {
        produce("twins", 0, &texts("a", 1));
        produce("twins", 1, &texts("a", 1));
        written += 2;
        older.thread.as_ref().unwrap().is_finished()
    });
    assert_eq!(older.stop().unwrap_err().exit, Exit::Fenced);
    eventually("the newer one has done the rest", LONG, || read_committed("twins-out").len() == written);
    newer.stop().unwrap();
    assert_eq!(read_committed("twins-out").len(), written);
}
