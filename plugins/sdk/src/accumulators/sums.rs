//! Count, sum and mean.

use super::transparent;
use crate::Accumulator;
use crate::codec::{Decode, Encode};
use crate::logical::Decimal;

/// How many.
pub type Count = Sum<i64>;

impl Count {
    /// One more.
    pub fn increment(&mut self) {
        self.add(1);
    }
}

/// How much. Whole numbers wrap around, as Java's do: the one way in which order never matters.
/// Sums of fractions are equal within rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum<T>(T);

/// What can be summed.
pub trait Summand: Copy + Default + Encode + for<'a> Decode<'a> {
    fn plus(self, other: Self) -> Self;
}

impl Summand for i32 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Summand for i64 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Summand for f64 {
    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl<const PRECISION: u32, const SCALE: u32> Summand for Decimal<PRECISION, SCALE> {
    fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl<T: Summand> Sum<T> {
    pub fn add(&mut self, value: T) {
        self.0 = self.0.plus(value);
    }

    pub fn get(&self) -> T {
        self.0
    }
}

transparent!(Sum<T> as T);

impl<T: Summand> Accumulator for Sum<T> {
    fn merge(&mut self, newer: &Self) {
        self.add(newer.0);
    }
}

/// The arithmetic mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Accumulator)]
pub struct Mean {
    sum: Sum<f64>,
    count: Count,
}

impl Mean {
    pub fn add(&mut self, value: f64) {
        self.sum.add(value);
        self.count.increment();
    }

    /// Of nothing there is none.
    pub fn get(&self) -> Option<f64> {
        (self.count.get() != 0).then(|| self.sum.get() / self.count.get() as f64)
    }
}
