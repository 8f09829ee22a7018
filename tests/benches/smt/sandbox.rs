//! (a) The sandbox next to the same function compiled in, over the same batches.

use std::hint::black_box;
use std::time::{Duration, Instant};

use smt_host::guest::{Batch, Column, Engine, Limits, Plugin, Runner};
use smt_plugin::bindings::types as native;

use super::{customers, report};

const ROUNDS: usize = 5;
/// Long enough for thousands of batches.
const ROUND: Duration = Duration::from_millis(300);

pub(crate) fn run() {
    let engine = Engine::new(None).expect("an engine");
    let plugin = Plugin::load(&engine, &smt_tests::plugin("jovens"), Limits::default()).expect("jovens loads");
    let mut runner = plugin.configure(&[]).expect("no settings").start().expect("an instance");
    report::row(&["batch", "native ns", "sandbox ns", "ratio"]);
    for records in [1, 10, 100, 1000] {
        let (data, lengths) = column(records);
        let native = native_batch(&data, &lengths);
        let batch = batch(data, lengths);
        let (native, sandbox) = report::alternate(
            ROUNDS,
            || {
                time(records, || {
                    drop(black_box(smt_plugin::plugin::transform::<jovens::jovens>(&(), black_box(&native))))
                })
            },
            || time(records, || call(&mut runner, &batch)),
        );
        let cells =
            [records.to_string(), format!("{native:.0}"), format!("{sandbox:.0}"), format!("{:.2}", sandbox / native)];
        report::row(&cells.each_ref().map(String::as_str));
    }
}

fn call(runner: &mut Runner, batch: &Batch) {
    let verdict = runner.run(black_box(batch)).expect("an instance");
    assert!(verdict.guilty.is_empty(), "jovens handles every customer");
    black_box(verdict);
}

/// Nanoseconds a record.
fn time(records: usize, mut work: impl FnMut()) -> f64 {
    let (begun, mut batches) = (Instant::now(), 0usize);
    while begun.elapsed() < ROUND {
        // The clock is looked at seldom, so that it costs nothing next to a batch of one.
        for _ in 0..(1000 / records).max(1) {
            work();
            batches += 1;
        }
    }
    begun.elapsed().as_nanos() as f64 / (batches * records) as f64
}

fn column(records: usize) -> (Vec<u8>, Vec<i32>) {
    let (mut data, mut lengths) = (Vec::new(), Vec::new());
    for i in 0..records {
        let before = data.len();
        // The plugin's reader schema: what the host hands over after resolution.
        customers::encode_as_read(i, i % 2 == 0, &mut data);
        lengths.push((data.len() - before) as i32);
    }
    (data, lengths)
}

fn batch(data: Vec<u8>, lengths: Vec<i32>) -> Batch {
    let timestamps = vec![1_764_000_000_000; lengths.len()];
    Batch { values: Column { data, lengths }, timestamps, keys: None, headers: None, positions: None }
}

fn native_batch(data: &[u8], lengths: &[i32]) -> native::Batch {
    let values = native::Column { data: data.to_vec(), lengths: lengths.to_vec() };
    let timestamps = vec![1_764_000_000_000; lengths.len()];
    native::Batch { values, timestamps, keys: None, headers: None, positions: None }
}
