//! Members of a group that come, go and die under load.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use smt_tests::host::{Running, command, run};
use smt_tests::load::{Load, assert_exactly_once, members, moves_on};
use smt_tests::{eventually, plugin, world};

const PARTITIONS: i32 = 4;

#[test]
fn instances_that_join_leave_and_are_killed_lose_and_double_nothing() {
    let world = world();
    let settings = world.settings();
    let (input, output, group) = ("rebalance-in", "rebalance-out", "rebalance");
    world.topic(input, PARTITIONS);
    world.topic(output, PARTITIONS);
    let file = plugin("faults");
    let args = |instance: &'static str| {
        let file = file.to_str().unwrap();
        let short_session = ["-X", "session.timeout.ms=2000", "-X", "heartbeat.interval.ms=500"];
        let names = ["--plugin", file, "--input", input, "--output", output, "--group", group];
        [names.as_slice(), &["--instance-id", instance], &short_session].concat()
    };
    let start = |instance| Running::start(command(world, &args(instance)).stderr(Stdio::null()));
    let settled = |count: usize| {
        eventually(&format!("{count} in the group"), Duration::from_secs(30), || members(&settings, group) == count);
        moves_on(&settings, output, PARTITIONS);
    };
    let load = Load::start(&settings, input, PARTITIONS);

    let mut first = start("first");
    settled(1);
    let second = start("second");
    settled(2);
    first.signal(Signal::TERM);
    assert_eq!(first.code_within(Duration::from_secs(5)), Some(0));
    settled(1);
    let third = start("third");
    settled(2);
    drop(second);
    settled(1);

    let records = load.stop();
    drop(third);
    run(world, &[args("third").as_slice(), &["--until-end"]].concat());
    assert_exactly_once(&settings, input, output, PARTITIONS, records);
}
