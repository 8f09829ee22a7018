//! How many different values, estimated with HyperLogLog.
//!
//! Own code rather than a crate: sketches are kept and merged for as long as the state lives, so their hash and their
//! bytes are part of the plugin's format, which no crate promises. The estimator is Ertl's "improved raw estimator"
//! (arXiv:1702.01284), which needs no tables of corrections.

use super::registers::Registers;
use crate::accumulator::Accumulator;
use crate::codec::{AvroType, Decode, Encode, put_bytes};
use crate::hash::hash;
use crate::reader::{DecodeError, Reader};
use crate::schema::Node;

/// The standard error is 1.04 / √(2^PRECISION): 1.6 % with 12, in at most 4 KiB; while there are few values, it is
/// three bytes for each and nearly exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distinct<const PRECISION: u32 = 12>(Registers<PRECISION>);

impl<const PRECISION: u32> Default for Distinct<PRECISION> {
    fn default() -> Self {
        Self(Registers::new())
    }
}

impl<const PRECISION: u32> Distinct<PRECISION> {
    /// A text, bytes, or a number's `to_be_bytes()`.
    pub fn add(&mut self, value: impl AsRef<[u8]>) {
        let hash = hash(value.as_ref());
        let index = hash >> (64 - PRECISION);
        // The index is shifted out; a one behind the rest bounds the rank.
        let rest = hash << PRECISION | 1 << (PRECISION - 1);
        self.0.raise(index as u16, rest.leading_zeros() as u8 + 1);
    }

    /// The estimate.
    pub fn get(&self) -> i64 {
        let registers = f64::from(1u32 << PRECISION);
        let counts = self.0.histogram();
        let share = |rank: usize| f64::from(counts[rank]) / registers;
        let most = usize::from(Registers::<PRECISION>::MOST);
        let mut sum = registers * tau(1.0 - share(most));
        for &count in counts[1..most].iter().rev() {
            sum = 0.5 * (sum + f64::from(count));
        }
        sum += registers * sigma(share(0));
        (registers * registers / (2.0 * std::f64::consts::LN_2 * sum)).round() as i64
    }
}

/// What registers that are still zero add.
fn sigma(share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (share, 1.0, share);
    loop {
        power *= power;
        let before = sum;
        sum += power * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// What registers that cannot rise any more take away.
fn tau(share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut sum) = (share, 1.0, 1.0 - share);
    loop {
        root = root.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - root).powi(2) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

impl<const PRECISION: u32> Accumulator for Distinct<PRECISION> {
    fn merge(&mut self, newer: &Self) {
        self.0.merge(&newer.0);
    }
}

impl<const PRECISION: u32> AvroType for Distinct<PRECISION> {
    const NODE: Node = Vec::<u8>::NODE;
}

impl<'a, const PRECISION: u32> Decode<'a> for Distinct<PRECISION> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Registers::from_bytes(input.bytes()?).map(Self)
    }
}

impl<const PRECISION: u32> Encode for Distinct<PRECISION> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(&self.0.bytes(), out);
    }
}
