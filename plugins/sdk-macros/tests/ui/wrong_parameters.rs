//! What a transform does not take.

use smt_plugin::{AvroRecord, Context, transform};

#[derive(AvroRecord)]
struct Person {
    name: String,
}

#[transform(topic = "t")]
fn none() -> bool {
    true
}

#[transform(topic = "t")]
fn number(count: u64) -> bool {
    count > 0
}

#[transform(topic = "t")]
fn by_value(person: Person, context: Context<'_>) -> bool {
    context.timestamp > 0
}

#[transform(topic = "t")]
fn generic<T>(person: Person) -> bool {
    true
}

#[transform(topic = "t")]
async fn later(person: Person) -> bool {
    true
}

fn main() {}
