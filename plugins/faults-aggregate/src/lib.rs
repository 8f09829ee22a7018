//! An aggregate that misbehaves on request, to test the host with. Written on the bare bindings: what it does is what
//! the SDK keeps others from doing.
//!
//! A record's value up to the first space is its key; each key's records are counted, and a row is the count as text.
//! The setting `fault` says what goes wrong once a record whose value contains `FAULT` is among them.

mod accumulator;
mod fault;
mod plugin;
mod shape;
#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use plugin::Faults;
