//! What cannot be emitted.

use smt_plugin::{AvroRecord, Reject, transform};

#[derive(AvroRecord)]
struct Person {
    name: String,
}

#[transform(topic = "t")]
fn nothing(person: Person) {
    drop(person);
}

#[transform(topic = "t")]
fn number(person: Person) -> u64 {
    person.name.len() as u64
}

#[transform(topic = "t")]
fn other_error(person: Person) -> Result<Person, std::fmt::Error> {
    Ok(person)
}

#[transform(topic = "t")]
fn opaque(person: Person) -> impl Into<Person> {
    person
}

fn main() {}
