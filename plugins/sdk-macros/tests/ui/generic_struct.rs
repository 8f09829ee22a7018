//! A schema belongs to one type.

use smt_plugin::AvroRecord;

#[derive(AvroRecord)]
struct Wrapper<T> {
    value: T,
}

#[derive(AvroRecord)]
struct Pair<'a, 'b> {
    left: &'a str,
    right: &'b str,
}

#[derive(AvroRecord)]
struct Tuple(i32, i32);

fn main() {}
