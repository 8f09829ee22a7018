//! What an aggregate's functions do not take, and what an accumulator is not.

use smt_plugin::{Accumulator, Aggregate, AvroRecord, Group, aggregate};

#[derive(AvroRecord)]
struct Row {
    name: String,
}

#[derive(Default, Accumulator)]
struct Many {}

#[aggregate(topic = "t")]
impl Aggregate for Many {
    type Input<'a> = Row;
    type Key<'a> = &'a str;
    type Output = Row;
    fn key(row: &Row, _: &(), _: i64) -> Option<&str> {
        Some(&row.name)
    }
    fn add(&mut self, _: &Row) {}
    fn finish(&self, group: &Group<&str>) -> Row {
        Row { name: group.key.to_owned() }
    }
}

#[derive(Default, Accumulator)]
struct ByValue {}

#[aggregate(topic = "t")]
impl Aggregate for ByValue {
    type Input<'a> = Row;
    type Key<'a> = String;
    type Output = Row;
    fn key(row: Row) -> Option<String> {
        Some(row.name)
    }
    fn add(&mut self, _: &Row) {}
    fn finish(&self, group: &Group<String>) -> Row {
        Row { name: group.key.clone() }
    }
}

#[derive(Default, Accumulator)]
struct Generic {}

#[aggregate(topic = "t")]
impl<T> Aggregate for Generic {
    type Input<'a> = Row;
}

fn main() {}
