//! The end-to-end tests, in one binary so that they share one broker and one registry.
#![allow(clippy::unwrap_used)]

mod breaker;
mod courier;
mod dead_letters;
mod demo;
mod flow;
mod mistakes;
mod rebalance;
mod restart;
mod signals;
mod sizes;
