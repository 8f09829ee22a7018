//! Windows against a short model: random schedules of records, clock, commits, crashes and moves.

use smt_tests::simulation::{self, Ids, Scenario};

#[test]
fn whatever_happens_results_are_those_of_the_model() {
    let first = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
    let seeds = first.map_or(0..3000, |seed| seed..seed + 1);
    let (mut outputs, mut late) = (0, 0);
    for seed in seeds {
        let scenario = Scenario::from_seed(seed);
        let checked = std::panic::catch_unwind(|| simulation::check(&Ids, scenario.clone()));
        match checked {
            Ok(Ok(kafka)) => (outputs, late) = (outputs + kafka.outputs.len(), late + kafka.late.len()),
            Ok(Err(wrong)) => panic!("SEED={seed}: {wrong}\n{scenario:?}"),
            Err(_) => panic!("SEED={seed} panicked\n{scenario:?}"),
        }
    }
    println!("{outputs} outputs, {late} late records");
}
