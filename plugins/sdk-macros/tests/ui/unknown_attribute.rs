//! A misspelt attribute names its neighbour.

use smt_plugin::{AvroRecord, Settings, transform};

#[derive(AvroRecord)]
#[avro(namespce = "org.example")]
struct Person {
    name: String,
}

#[derive(AvroRecord)]
struct Field {
    #[avro(renam = "NAME")]
    name: String,
}

#[derive(AvroRecord)]
#[avro(rename_all = "SCREAMING")]
struct Cased {
    name: String,
}

#[derive(Settings)]
struct Limits {
    #[setting(defalt = "3")]
    most: i64,
}

#[transform(topic = "t", header)]
fn asked(name: &str) -> bool {
    name.is_empty()
}

#[transform(topic = "t", windows = 3)]
fn windowed(name: &str) -> bool {
    name.is_empty()
}

fn main() {}
