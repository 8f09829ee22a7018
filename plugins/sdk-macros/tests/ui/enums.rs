//! Which derive is for which enum.

use smt_plugin::{AvroEnum, AvroRecord, Outputs};

#[derive(AvroRecord)]
enum Record {
    A(i32),
}

#[derive(AvroEnum)]
enum Symbols {
    Plain,
    Carrying(i32),
}

#[derive(Outputs)]
enum Bare {
    Nothing,
}

#[derive(Outputs)]
struct Choice {
    value: i32,
}

fn main() {}
