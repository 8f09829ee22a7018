//! What a signal does to a busy host.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use smt_tests::host::{Running, command, run};
use smt_tests::load::{Load, assert_exactly_once, members, moves_on};
use smt_tests::{eventually, plugin, produce, read_committed, world};

#[test]
fn a_busy_host_ends_in_order_within_five_seconds() {
    for (name, signal) in [("sigterm", Signal::TERM), ("sigint", Signal::INT)] {
        let world = world();
        let settings = world.settings();
        let output = format!("{name}-out");
        world.topic(name, 2);
        world.topic(&output, 2);
        let file = plugin("faults");
        let args = ["--plugin", file.to_str().unwrap(), "--input", name, "--output", &output, "--group", name];
        let load = Load::start(&settings, name, 2);
        let mut host = Running::start(command(world, &args).stderr(Stdio::null()));
        moves_on(&settings, &output, 2);
        host.signal(signal);
        assert_eq!(host.code_within(Duration::from_secs(5)), Some(0), "{name}");
        // It has left the group: nobody waits for its session to time out.
        assert_eq!(members(&settings, name), 0, "{name}");
        let records = load.stop();
        run(world, &[args.as_slice(), &["--until-end"]].concat());
        assert_exactly_once(&settings, name, &output, 2, records);
    }
}

fn options(name: &str) -> [String; 10] {
    let (file, output, dead) = (plugin("faults"), format!("{name}-out"), format!("{name}-dead"));
    let file = file.to_str().unwrap();
    ["--plugin", file, "--input", name, "--group", name, "--output", &output, "--dead-letter-topic", &dead]
        .map(str::to_owned)
}

/// A host whose plugin spins on the first batch. Each record costs its full budget: the batch would take long.
fn spinning(name: &str) -> Running {
    let world = world();
    world.topic(name, 1);
    produce(name, 0, &vec![Some(b"FAULT".to_vec()); 90]);
    let options = options(name);
    let args = [&options.each_ref().map(String::as_str)[..], &["--set", "fault=spin"]].concat();
    let host = Running::start(command(world, &args).stderr(Stdio::null()));
    eventually("the group", Duration::from_secs(30), || members(&world.settings(), name) == 1);
    let before = host.cpu();
    eventually("the plugin spins", Duration::from_secs(30), || host.cpu() > before + Duration::from_millis(500));
    host
}

#[test]
fn a_host_whose_plugin_spins_ends_in_order_within_five_seconds_and_leaves_the_batch_for_later() {
    let mut host = spinning("spin-signal");
    host.signal(Signal::TERM);
    assert_eq!(host.code_within(Duration::from_secs(5)), Some(0));
    assert_eq!(members(&world().settings(), "spin-signal"), 0);
    // Neither blamed nor committed: they are all read again, here by a mended plugin.
    assert!(read_committed("spin-signal-dead").is_empty());
    let options = options("spin-signal");
    run(world(), &[&options.each_ref().map(String::as_str)[..], &["--until-end"]].concat());
    assert_eq!(read_committed("spin-signal-out").len(), 90);
}

#[test]
fn a_second_signal_ends_a_host_that_is_held_up_at_once() {
    let mut host = spinning("second-signal");
    host.signal(Signal::TERM);
    // Of another kind: two of one kind can become one.
    host.signal(Signal::INT);
    assert_eq!(host.code_within(Duration::from_secs(1)), Some(130));
}
