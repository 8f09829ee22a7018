//! An input that stands in the partitions of its groups' keys: no topic between, and as exact.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::RngExt;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;
use smt_host::exit::Exit;
use smt_host::kafka::{partition, topics};
use smt_host::pipeline::{Progress, Spec, WindowOptions};
use smt_tests::host::{Running, binary, command};
use smt_tests::{ends, eventually, plugin, produce, read_committed, world};

use super::pipeline::{spec, store, to_the_end};

const PARTITIONS: i32 = 2;
const ROUNDS: usize = 5;

fn partitioned(name: &str) -> Spec {
    spec(name, "faults-aggregate", &[("fault", "partitioned")], WindowOptions::default())
}

/// So many records of each of ten keys, where their keys belong.
fn write(topic: &str, each: usize) {
    for at in 0..PARTITIONS {
        let here =
            (0..10).map(|key| format!("k{key}")).filter(|key| partition::of_key(key.as_bytes(), PARTITIONS) == at);
        let texts: Vec<_> = here.flat_map(|key| vec![Some(format!("{key} x").into_bytes()); each]).collect();
        produce(topic, at, &texts);
    }
}

/// By key, the counts of all its windows.
fn counts(topic: &str) -> BTreeMap<String, u64> {
    let mut last = BTreeMap::new();
    for seen in read_committed(topic) {
        let key = seen.key.unwrap();
        assert_eq!(partition::of_key(&key[..key.len() - 8], PARTITIONS), seen.partition);
        last.insert(key, String::from_utf8(seen.value.unwrap()).unwrap().parse::<u64>().unwrap());
    }
    let mut sums = BTreeMap::new();
    for (key, count) in last {
        *sums.entry(String::from_utf8_lossy(&key[..key.len() - 8]).into_owned()).or_default() += count;
    }
    sums
}

fn check(name: &str, each: u64) {
    let expected: BTreeMap<_, _> = (0..10).map(|key| (format!("k{key}"), each)).collect();
    assert_eq!(counts(&format!("{name}-out")), expected, "{name}");
    let between = format!("{name}-faults-aggregate-repartition");
    assert!(topics::shape(&world().settings(), &between).unwrap().is_none(), "{between} is there");
}

#[test]
fn counts_go_on_after_a_restart_with_and_without_the_local_copy() {
    for (keep, workers) in [(true, 1), (false, 1), (true, 2), (false, 2)] {
        let name = format!("placed-{keep}-{workers}");
        world().topic(&name, PARTITIONS);
        for round in 1..=3 {
            write(&name, 5);
            to_the_end(Spec { workers, ..partitioned(&name) }).unwrap();
            check(&name, 5 * round);
            if !keep {
                std::fs::remove_dir_all(store(&name)).unwrap();
            }
        }
    }
}

#[test]
fn open_windows_are_seen_from_outside_by_what_stands_beside_the_inputs_offsets() {
    world().topic("placed-seen", PARTITIONS);
    write("placed-seen", 3);
    to_the_end(partitioned("placed-seen")).unwrap();
    let brokers = world().kafka.brokers();
    let args = ["windows", "--group", "placed-seen", "--brokers", &brokers, "--json"];
    let output = binary().args(args).output().unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let plugin = &seen["plugins"][0];
    assert_eq!((&plugin["plugin"], &plugin["windows"]["size-ms"]), (&"faults-aggregate".into(), &10_000.into()));
    let sum = |what: &str| plugin["open"].as_array().unwrap().iter().map(|open| open[what].as_u64().unwrap()).sum();
    assert_eq!((sum("records"), plugin["inputs"].as_array().map(Vec::len)), (30u64, Some(2)), "{seen}");
    let open =
        |time: i64| WindowOptions { grace: Some(Duration::from_millis(time as u64)), ..WindowOptions::default() };
    // Without grace partition 0 closes what it has as soon as its own time allows; the other has nothing to say.
    let spec = || spec("placed-own", "faults-aggregate", &[("fault", "partitioned")], open(0));
    world().topic("placed-own", PARTITIONS);
    write("placed-own", 3);
    to_the_end(spec()).unwrap();
    later("placed-own", 0);
    let progress = to_the_end(spec()).unwrap();
    assert!(Progress::get(&progress.windows_closed) >= 1);
}

/// A record of a minute later, of a key of that partition.
fn later(topic: &str, at: i32) {
    let key =
        (0..).map(|key| format!("l{key}")).find(|key| partition::of_key(key.as_bytes(), PARTITIONS) == at).unwrap();
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    let (value, time) = (format!("{key} x"), world().begun_ms + 60_000);
    producer.send(BaseRecord::<(), _>::to(topic).partition(at).payload(&value).timestamp(time)).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_record_that_is_not_where_its_key_belongs_ends_the_pipeline_and_is_not_counted() {
    world().topic("misplaced", PARTITIONS);
    let run = || to_the_end(partitioned("misplaced"));
    write("misplaced", 1);
    run().unwrap();
    let belongs = partition::of_key(b"k1", PARTITIONS);
    produce("misplaced", 1 - belongs, &[Some(b"k1 x".to_vec())]);
    let stop = run().unwrap_err();
    assert_eq!(stop.exit, Exit::Plugin);
    let says = format!("key \"k1\", in misplaced-{}, is of partition {belongs}", 1 - belongs);
    assert!(stop.what.contains(&says), "{stop}");
    check("misplaced", 1);
}

#[test]
fn state_is_refused_where_the_input_stood_in_the_groups_partitions_and_does_not_any_more_or_the_other_way() {
    for (name, before, now, says) in [
        ("was-placed", "partitioned", "none", "stood where its groups are"),
        ("now-placed", "none", "partitioned", "the group has no offset of its own in topic now-placed"),
    ] {
        world().topic(name, PARTITIONS);
        write(name, 1);
        let run = |fault| to_the_end(spec(name, "faults-aggregate", &[("fault", fault)], WindowOptions::default()));
        run(before).unwrap();
        let stop = run(now).unwrap_err();
        assert!(stop.exit == Exit::Start && stop.what.contains(says), "{stop}");
    }
}

#[test]
fn several_inputs_cannot_be_where_the_groups_are() {
    let two = Spec { inputs: vec!["one".to_owned(), "other".to_owned()], ..partitioned("one") };
    let stop = to_the_end(two).unwrap_err();
    assert_eq!(stop.exit, Exit::Usage);
    assert!(stop.what.contains("only one topic can be; it reads one, other"), "{stop}");
}

fn host(instance: &str) -> Command {
    let file = plugin("faults-aggregate");
    let args = ["--plugin", file.to_str().unwrap(), "--set", "fault=partitioned", "--input", "placed-kill"];
    let names = ["--output", "placed-kill-out", "--group", "placed-kill", "--instance-id", instance];
    let short = ["-X", "session.timeout.ms=2000", "-X", "heartbeat.interval.ms=500", "--commit-interval", "10ms"];
    command(world(), &[&args[..], &names, &short].concat())
}

#[test]
fn kills_of_two_instances_leave_every_count_right_and_a_reset_counts_all_again() {
    world().topic("placed-kill", PARTITIONS);
    world().topic("placed-kill-out", PARTITIONS);
    let written = || {
        ends(&world().settings(), "placed-kill-out", PARTITIONS, "read_uncommitted").map_or(0, |ends| ends.iter().sum())
    };
    let start = |instance| Running::start(host(instance).stderr(Stdio::null()));
    let mut rng = rand::rng();
    let mut instances = [start("first"), start("second")];
    for round in 0..ROUNDS {
        let before: i64 = written();
        write("placed-kill", 100);
        eventually("the hosts write", Duration::from_secs(60), || written() > before + 2);
        // Not a wait for anything: the moment of the kill is meant to be arbitrary.
        std::thread::sleep(Duration::from_millis(rng.random_range(0..60)));
        let (killed, name) = if round % 2 == 0 { (0, "first") } else { (1, "second") };
        instances[killed] = start(name);
    }
    drop(instances);
    let each = 100 * ROUNDS as u64;
    let to_the_end = || assert!(host("first").arg("--until-end").status().unwrap().success());
    to_the_end();
    check("placed-kill", each);
    // What was counted is gone, so the same comes out once more.
    let (before, dir) = (read_committed("placed-kill-out").len(), world().dir.path().join("state"));
    let (brokers, dir) = (world().kafka.brokers(), dir.to_str().unwrap());
    let args = ["reset", "--group", "placed-kill", "--brokers", &brokers, "--state-dir", dir, "--yes"];
    eventually("no member is left", Duration::from_secs(30), || binary().args(args).output().unwrap().status.success());
    to_the_end();
    assert!(read_committed("placed-kill-out").len() > before);
    check("placed-kill", each);
}
