//! Names in a schema are unique and Avro's.

use smt_plugin::AvroRecord;

#[derive(AvroRecord)]
struct Twice {
    name: String,
    #[avro(rename = "name")]
    other: String,
}

#[derive(AvroRecord)]
#[avro(rename_all = "camelCase")]
struct Folded {
    first_name: String,
    firstName: String,
}

#[derive(AvroRecord)]
struct Hyphenated {
    #[avro(rename = "first-name")]
    first_name: String,
}

#[derive(AvroRecord)]
#[avro(namespace = "org..example")]
struct Spaced {
    name: String,
}

fn main() {}
