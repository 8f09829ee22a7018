//! A partition with many open keys that moves from one live instance to another.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use smt_tests::host::{Running, command};
use smt_tests::load::members;
use smt_tests::{eventually, plugin, produce, read_committed, world};

const KEYS: usize = 100_000;

fn host(instance: &str) -> (Command, PathBuf) {
    let file = plugin("faults-aggregate");
    let args = ["--plugin", file.to_str().unwrap(), "--input", "moves", "--output", "moves-out", "--group", "moves"];
    let log = world().dir.path().join(format!("moves-{instance}.log"));
    let mut command = command(world(), &[&args[..], &["--instance-id", instance]].concat());
    command.stderr(File::create(&log).unwrap());
    (command, log)
}

fn said(log: &Path, what: &str) -> Vec<String> {
    let log = std::fs::read_to_string(log).unwrap();
    log.lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
}

fn until_end(instance: &str) -> PathBuf {
    let (mut command, log) = host(instance);
    assert!(command.arg("--until-end").status().unwrap().success(), "{:?}", said(&log, ""));
    log
}

#[test]
fn a_partition_moves_with_all_its_open_keys() {
    world().topic("moves", 2);
    let half = |partition: usize| {
        (0..KEYS / 2).map(|i| Some(format!("key{} x", i * 2 + partition).into_bytes())).collect::<Vec<_>>()
    };
    let write = || (0..2).for_each(|partition| produce("moves", partition as i32, &half(partition)));
    write();
    until_end("first");

    let (mut first, log) = host("first");
    let first = Running::start(&mut first);
    eventually("the first is back", Duration::from_secs(30), || !said(&log, "partitions assigned").is_empty());
    let (mut second, joined) = host("second");
    let second = Running::start(&mut second);
    eventually("two in the group", Duration::from_secs(30), || members(&world().settings(), "moves") == 2);
    write();
    eventually("the second has its state", Duration::from_secs(60), || !said(&joined, "state restored").is_empty());
    println!("{:?}", said(&joined, "state restored"));
    for mut instance in [first, second] {
        instance.signal(Signal::TERM);
        assert_eq!(instance.code_within(Duration::from_secs(20)), Some(0));
    }
    assert_eq!(said(&log, "state restored").len(), 0, "what is on disk need not be restored");
    until_end("first");

    let mut last = std::collections::HashMap::new();
    for seen in read_committed("moves-out") {
        last.insert(seen.key.unwrap(), seen.value.unwrap());
    }
    assert_eq!(last.len(), KEYS);
    assert_eq!(last.values().filter(|count| *count != b"2").count(), 0, "each key was written twice");
}
