//! Two instances under load, killed at random moments.

use std::process::{Command, Stdio};
use std::time::Duration;

use rand::RngExt;
use smt_tests::host::{Running, command, run};
use smt_tests::{ends, eventually, plugin, world};

use super::classes::{Class, SIZE_MS, class, model, present, table, write};

const ROUNDS: i64 = 20;
const RECORDS_A_ROUND: i64 = 2_000;

/// How many offsets the output's partitions span, markers included: grows with each commit.
fn written(topic: &str) -> i64 {
    ends(&world().settings(), topic, 2, "read_uncommitted").map_or(0, |ends| ends.iter().sum())
}

fn host(instance: &str) -> Command {
    let file = plugin("idadecont");
    let args = ["--plugin", file.to_str().unwrap(), "--input", "kill", "--output", "kill-out", "--group", "kill"];
    // A killed one's partitions go to the other after so long.
    let short = ["-X", "session.timeout.ms=2000", "-X", "heartbeat.interval.ms=500", "--commit-interval", "10ms"];
    command(world(), &[&args[..], &short, &["--instance-id", instance]].concat())
}

#[test]
fn twenty_kills_of_two_instances_leave_the_counts_of_the_model() {
    world().topic("kill", 2);
    world().topic("kill-out", 2);
    let start = |instance| Running::start(host(instance).stderr(Stdio::null()));
    let mut rng = rand::rng();
    let mut all: Vec<Class> = Vec::new();
    let mut instances = [start("first"), start("second")];
    for round in 0..ROUNDS {
        let before = written("kill-out");
        let class_of = |i: i64| ["JOVEM", "ADULTO", "IDOSO"][(i % 3) as usize];
        let at = |i: i64| present() + (round / 4) * SIZE_MS + i * 14 % SIZE_MS;
        let classes: Vec<Class> = (0..RECORDS_A_ROUND).map(|i| class((i % 2) as i32, at(i), class_of(i))).collect();
        write("kill", &classes);
        all.extend(classes);
        eventually("the hosts write", Duration::from_secs(60), || written("kill-out") > before + 2);
        // Not a wait for anything: the moment of the kill is meant to be arbitrary.
        std::thread::sleep(Duration::from_millis(rng.random_range(0..60)));
        let (killed, name) = if round % 2 == 0 { (0, "first") } else { (1, "second") };
        instances[killed] = start(name);
    }
    drop(instances);
    run_to_the_end();
    assert_eq!(table("kill-out"), model(&all));
}

fn run_to_the_end() {
    let file = plugin("idadecont");
    let args = ["--plugin", file.to_str().unwrap(), "--input", "kill", "--output", "kill-out", "--group", "kill"];
    run(world(), &[&args[..], &["--instance-id", "first", "--until-end"]].concat());
}
