//! (b) CPU time of whole processes, user and system, over the same million records of a real Kafka.

use std::process::{Command, Stdio};

use smt_plugin::schema_of;
use smt_tests::{World, plugin};

use super::{bare, customers, report};

const RECORDS: usize = 1_000_000;
const ROUNDS: usize = 5;
pub(crate) const INPUT: &str = "bench-customers";

pub(crate) fn run(world: &World) {
    println!("  producing {RECORDS} customers");
    customers::topic_once(world, INPUT, RECORDS);
    let (mut host_round, mut bare_round) = (0, 0);
    let (host, bare) = report::alternate(
        ROUNDS,
        || {
            host_round += 1;
            host_seconds(world, "jovens", INPUT, &format!("bench-load-{host_round}"), RECORDS)
        },
        || {
            bare_round += 1;
            bare_seconds(world, bare_round)
        },
    );
    report::row(&["", "bare loop", "smt-host", "ratio"]);
    report::row(&["CPU-s / million", &format!("{bare:.2}"), &format!("{host:.2}"), &format!("{:.2}", host / bare)]);
}

/// CPU time of the release host with one plugin over a whole topic, per million records.
pub(crate) fn host_seconds(world: &World, name: &str, input: &str, output: &str, records: usize) -> f64 {
    world.topic(output, 2);
    let mut command = Command::new(smt_tests::release_host());
    command.args(["--plugin".as_ref(), plugin(name).as_os_str()]);
    command.args(["--input", input, "--until-end", "--output", output, "--group", output]);
    command.args(["--brokers", &world.kafka.brokers(), "--registry", &world.registry_server.url()]);
    command.args(["--state-dir".as_ref(), world.dir.path().join("bench-state").as_os_str()]);
    cpu_seconds(command.env("SMT_LOG", "error"), records)
}

fn bare_seconds(world: &World, round: usize) -> f64 {
    let topic = format!("bench-bare-{round}");
    world.topic(&topic, 2);
    let schema = schema_of::<jovens::Jovem<'_>>();
    let id = world.registry().register("bench-bare-value", &schema).expect("registered").to_string();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([bare::ARGUMENT, &world.kafka.brokers(), INPUT, &topic, &topic, &RECORDS.to_string(), &id]);
    cpu_seconds(&mut command, RECORDS)
}

/// Of one child, per million records.
fn cpu_seconds(command: &mut Command, records: usize) -> f64 {
    let before = children_ticks();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it starts");
    assert!(status.success(), "{command:?}: {status}");
    let seconds = (children_ticks() - before) as f64 / 100.0;
    seconds * 1e6 / records as f64
}

/// CPU time of all children that have ended, in hundredths of a second (proc(5): cutime and cstime).
fn children_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    // The name, second, is in parentheses and may hold spaces.
    let after_name = stat.rsplit_once(')').expect("a name").1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    [13, 14].into_iter().map(|field: usize| fields[field].parse::<u64>().expect("a number")).sum()
}
