//! A broker that goes and comes back under load: in order, by a crash, or silent for a while.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use smt_host::platform::kafka::Kafka;
use smt_tests::host::{Running, command, run};
use smt_tests::load::{Load, assert_exactly_once, moves_on};
use smt_tests::{World, eventually, plugin};

const PARTITIONS: i32 = 2;

/// Lines of the host's log that say so.
fn said(log: &Path, what: &str) -> usize {
    std::fs::read_to_string(log).unwrap().lines().filter(|line| line.contains(what)).count()
}

#[test]
fn a_broker_restarted_under_load_costs_no_record_and_is_told_of() {
    let mut world = World::start();
    let settings = world.settings();
    let (input, output) = ("restart-in", "restart-out");
    world.topic(input, PARTITIONS);
    world.topic(output, PARTITIONS);
    let file = plugin("faults");
    let args = ["--plugin", file.to_str().unwrap(), "--input", input, "--output", output];
    let log = world.dir.path().join("host.log");
    let load = Load::start(&settings, input, PARTITIONS);
    let mut host = Running::start(command(&world, &args).stderr(File::create(&log).unwrap()));
    moves_on(&settings, output, PARTITIONS);
    for (times, end) in [(1, Kafka::stop as fn(&mut Kafka)), (2, Kafka::kill9)] {
        end(&mut world.kafka);
        eventually("the host misses its broker", Duration::from_secs(30), || said(&log, "Kafka is away") >= times);
        world.kafka.restart().unwrap();
        moves_on(&settings, output, PARTITIONS);
        assert!(host.ended().is_none());
        eventually("the host says that it goes on", Duration::from_secs(10), || said(&log, "Kafka is back") >= times);
        // One line each; on a starved machine a broker that has just come may seem to go once more.
        let lines = said(&log, "Kafka is away");
        assert!((times..=2 * times).contains(&lines), "{lines} lines after {times} outages");
    }
    let records = load.stop();
    host.signal(Signal::TERM);
    assert_eq!(host.code_within(Duration::from_secs(5)), Some(0));
    run(&world, &[&args[..], &["--until-end"]].concat());
    assert_exactly_once(&settings, input, output, PARTITIONS, records);
}

/// Requests reach it, and no answer comes: not every one of them keeps to the time that it was given.
#[test]
fn a_host_whose_broker_falls_silent_says_so_and_ends_in_time_without_harm() {
    let world = World::start();
    let settings = world.settings();
    let (input, output) = ("silent-in", "silent-out");
    world.topic(input, PARTITIONS);
    world.topic(output, PARTITIONS);
    let file = plugin("faults");
    let args = ["--plugin", file.to_str().unwrap(), "--input", input, "--output", output];
    let log = world.dir.path().join("host.log");
    let load = Load::start(&settings, input, PARTITIONS);
    let mut host = Running::start(command(&world, &args).stderr(File::create(&log).unwrap()));
    moves_on(&settings, output, PARTITIONS);
    let broker = Pid::from_raw(world.kafka.id() as i32).unwrap();
    kill_process(broker, Signal::STOP).unwrap();
    eventually("the host misses its broker", Duration::from_secs(20), || said(&log, "Kafka is away") >= 1);
    host.signal(Signal::TERM);
    let code = host.code_within(Duration::from_secs(5));
    kill_process(broker, Signal::CONT).unwrap();
    assert_eq!(code, Some(0));
    let records = load.stop();
    run(&world, &[&args[..], &["--until-end"]].concat());
    assert_exactly_once(&settings, input, output, PARTITIONS, records);
}
