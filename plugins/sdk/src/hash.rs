//! A hash that never changes: sketches kept for months are merged with new ones.

use std::hash::{BuildHasherDefault, Hasher};

/// FNV-1a, its bits mixed at the end as murmur3 mixes them.
#[derive(Clone, Copy)]
pub(crate) struct Fnv64(u64);

/// For maps keyed by short byte strings.
pub(crate) type Fnv = BuildHasherDefault<Fnv64>;

impl Default for Fnv64 {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv64 {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = Fnv64::default();
    hasher.write(bytes);
    hasher.finish()
}
