//! What it costs to find the guilty, and what ends the search early.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use smt_host::guest::{Limits, Runner, Verdict};
use smt_host::shutdown::Shutdown;
use smt_tests::plugin;

use crate::{batch, load};

fn start(fault: &str) -> Runner {
    load(&plugin("faults")).unwrap().configure(&[("fault".into(), fault.into())]).unwrap().start().unwrap()
}

/// Records of which those with these numbers are marked.
fn records(count: usize, marked: impl Fn(usize) -> bool) -> Vec<&'static str> {
    (0..count).map(|number| if marked(number) { "FAULT" } else { "fine" }).collect()
}

fn guilty(verdict: &Verdict) -> Vec<usize> {
    verdict.guilty.iter().map(|guilty| guilty.input).collect()
}

/// CPU time of this thread: a busy machine must not fail a test.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn a_record_of_a_thousand_that_spins_costs_a_fraction_of_a_second_even_in_the_first_batch() {
    for at in [0, 1, 500, 999] {
        let mut runner = start("spin");
        let begun = cpu();
        let verdict = runner.run(&batch(&records(1000, |number| number == at))).unwrap();
        assert_eq!(guilty(&verdict), [at]);
        assert_eq!(verdict.pieces.iter().map(|piece| piece.len).sum::<usize>(), 999);
        // The batch's own budget, by which alone it is known to spin, is not the search's.
        let whole = Duration::from_millis(200) + 1000 * Limits::default().cpu_per_record;
        let search = (cpu() - begun).saturating_sub(whole);
        assert!(search < Duration::from_millis(1000), "record {at}: {search:?}");
    }
}

#[test]
fn the_search_ends_after_so_many_guilty_in_a_row() {
    let stop = Shutdown::new();
    let all = records(1000, |number| number != 3);
    let mut runner = start("trap").giving_up(&stop, 10);
    assert_eq!(guilty(&runner.run(&batch(&all)).unwrap()), [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    let few = records(12, |number| number > 2);
    assert_eq!(guilty(&runner.run(&batch(&few)).unwrap()), (3..12).collect::<Vec<_>>());
}

#[test]
fn a_batch_that_spins_is_given_up_when_stopping_is_asked_for() {
    let stop = Shutdown::new();
    let mut runner = start("spin").giving_up(&stop, usize::MAX);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Wherever the search is: any moment must do.
            std::thread::sleep(Duration::from_millis(500));
            stop.request();
        });
        let begun = Instant::now();
        let given_up = runner.run(&batch(&records(90, |_| true))).err().unwrap();
        assert!(given_up.what.contains("stopping was asked for"), "{given_up}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    });
}
