//! Windows against a short model: random schedules of records, clock, commits, crashes and moves.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Signal, getpid, kill_process};
use smt_host::guest::Engine;
use smt_tests::simulation::{self, Classes, Ids, Kafka, Scenario, Words};

/// Names a directory: this process is to die there.
const DIES_IN: &str = "SMT_SIMULATION_DIES_IN";

/// `SEED` runs one schedule alone.
fn check(seeds: Range<u64>, run: impl Fn(Scenario) -> Result<Kafka, String>) {
    let one = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
    let seeds = one.map_or(seeds, |seed: u64| seed..seed + 1);
    let (mut outputs, mut late, mut dead) = (0, 0, 0);
    for seed in seeds {
        let scenario = Scenario::from_seed(seed);
        match catch_unwind(AssertUnwindSafe(|| run(scenario.clone()))) {
            Ok(Ok(kafka)) => {
                (outputs, late, dead) =
                    (outputs + kafka.outputs.len(), late + kafka.late.len(), dead + kafka.dead.len());
            }
            Ok(Err(wrong)) => panic!("SEED={seed}: {wrong}\n{scenario:?}"),
            Err(_) => panic!("SEED={seed} panicked\n{scenario:?}"),
        }
    }
    println!("{outputs} outputs, {late} late records, {dead} dead letters");
}

fn engine() -> Engine {
    Engine::new(None).expect("an engine")
}

#[test]
fn whatever_happens_results_are_those_of_the_model() {
    check(0..2000, |scenario| simulation::check(&Ids, scenario));
}

#[test]
fn whatever_happens_the_workshops_table_is_that_of_the_model() {
    let classes = Classes::new(&engine());
    check(10_000..11_200, |scenario| simulation::check(&classes, scenario));
}

#[test]
fn whatever_happens_a_plugin_with_many_keys_that_rejects_records_counts_as_the_model() {
    let words = Words::rejecting(&engine());
    check(20_000..20_500, |scenario| simulation::check(&words, scenario));
}

#[test]
fn whatever_happens_a_plugin_that_traps_counts_all_other_records() {
    let words = Words::trapping(&engine());
    check(30_000..30_100, |scenario| simulation::check(&words, scenario));
}

#[test]
fn whatever_happens_a_store_on_disk_is_opened_again_as_the_log_has_it() {
    check(40_000..40_020, |scenario| {
        let dir = tempfile::tempdir().expect("a directory");
        simulation::check_on_disk(&Ids, scenario, dir.path())
    });
}

#[test]
fn a_store_whose_process_is_killed_in_mid_commit_is_brought_up_to_date_from_the_log() {
    const NAME: &str = "a_store_whose_process_is_killed_in_mid_commit_is_brought_up_to_date_from_the_log";
    if let Ok(dir) = std::env::var(DIES_IN) {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).expect("SEED is a number");
        die(seed, Path::new(&dir));
    }
    check(50_000..50_005, |scenario| {
        let dir = tempfile::tempdir().expect("a directory");
        let this = std::env::current_exe().expect("this program");
        let killed = (Command::new(this).args(["--exact", NAME]).env(DIES_IN, dir.path()))
            .env("SEED", scenario.seed.to_string())
            .output()
            .expect("a child");
        assert_eq!(signal(&killed.status), Some(Signal::KILL.as_raw()), "{killed:?}");
        simulation::check_after_kill(&Ids, scenario, dir.path())
    });
}

fn signal(status: &std::process::ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(status)
}

/// The kill comes while the stores take the last commit, a little before or after.
fn die(seed: u64, dir: &Path) -> ! {
    simulation::run_until_killed(&Ids, Scenario::from_seed(seed), dir, || {
        let delay = Duration::from_micros(StdRng::seed_from_u64(seed).random_range(0..1000));
        std::thread::spawn(move || {
            std::thread::sleep(delay);
            kill_process(getpid(), Signal::KILL)
        });
    });
    loop {
        std::thread::park();
    }
}
