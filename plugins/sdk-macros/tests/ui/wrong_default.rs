//! A default is a value of its field's type.

use smt_plugin::{AvroEnum, AvroRecord};

#[derive(AvroRecord)]
struct Text {
    #[avro(default = "many")]
    count: i32,
}

#[derive(AvroRecord)]
struct TooLarge {
    #[avro(default = 2147483648)]
    count: i32,
}

#[derive(AvroRecord)]
struct Nullable {
    #[avro(default = "nobody")]
    name: Option<String>,
}

#[derive(AvroEnum)]
enum Colour {
    Red,
}

#[derive(AvroRecord)]
struct Symbol {
    #[avro(default = "Blue")]
    colour: Colour,
}

#[derive(AvroRecord)]
struct Expression {
    #[avro(default = 1 + 1)]
    count: i32,
}

fn main() {}
