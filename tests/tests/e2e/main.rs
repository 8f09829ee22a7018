//! The end-to-end tests, in one binary so that they share one broker and one registry.
#![allow(clippy::unwrap_used)]

mod breaker;
mod courier;
mod dead_letters;
mod demo;
mod flow;
mod kept;
mod keys;
mod mistakes;
mod open_windows;
mod rebalance;
mod reset;
mod restart;
mod signals;
mod sizes;
