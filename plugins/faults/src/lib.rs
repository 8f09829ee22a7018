//! A plugin that misbehaves on request, to test the host with. Written on the bare bindings: what it does is what the
//! SDK keeps others from doing.
//!
//! The setting `fault` says what happens to a record whose value contains `FAULT`; all others pass unchanged.

mod fault;
mod plugin;
#[cfg(test)]
mod tests;

pub use fault::{Fault, transform};
pub use plugin::Faults;
