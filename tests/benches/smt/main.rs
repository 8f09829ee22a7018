//! What the sandbox and the host cost, as ratios measured in one run: `make bench`.
//!
//! Machines differ and are shared, so each figure is a ratio to the same work done without smt-host, alternating, as
//! medians of five. Nothing here passes or fails.

mod bare;
mod customers;
mod latency;
mod load;
mod report;
mod sandbox;
mod sinks;
mod windows;

use smt_tests::world;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // The bare loop runs as a child of its own, so that its CPU time can be told from ours.
    if let [first, rest @ ..] = arguments.as_slice()
        && first == bare::ARGUMENT
    {
        return bare::run(rest);
    }
    let wanted = |name: &str| {
        let mut names = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
        names.peek().is_none() || names.any(|argument| argument == name)
    };
    if wanted("sandbox") {
        report::heading("(a) jovens through the sandbox ÷ the same function compiled in", "target ≤ 1.5 at 1,000");
        sandbox::run();
    }
    if wanted("load") {
        report::heading(
            "(b) CPU-seconds of smt-host running jovens exactly once ÷ a bare rdkafka loop",
            "target ≤ 2.0",
        );
        load::run(world());
    }
    if wanted("latency") {
        report::heading("(c) produce to visible at 1,000 records/s, read_committed", "target p99 ≤ 60 ms");
        latency::run(world());
    }
    if wanted("windows") {
        report::heading("(d) idadecont, 30-second windows ÷ the stateless path", "target ≤ 1.3");
        windows::run(world());
    }
    if wanted("sinks") {
        report::heading("(e) S3 sinks, 2 partitions into the embedded S3", "target ≥ 250,000 records/s/core, ≤ 200 MB");
        sinks::run(world());
    }
}
