//! What is no accumulator, no key and no function.

use smt_plugin::{Accumulator, Aggregate, AvroRecord, Group, aggregate};

#[derive(AvroRecord)]
struct Row {
    name: String,
}

#[derive(Default, Accumulator)]
struct Unmerged {
    name: String,
}

#[derive(Default, Accumulator)]
struct Floating {}

#[aggregate(topic = "t", tumbling = "30s")]
impl Aggregate for Floating {
    type Input<'a> = Row;
    type Key<'a> = f64;
    type Output = Row;
    fn key(row: &Row) -> Option<f64> {
        Some(row.name.len() as f64)
    }
    fn add(&mut self, _: &Row) {}
    fn finish(&self, _: &Group<f64>) -> Row {
        Row { name: String::new() }
    }
}

fn main() {}
