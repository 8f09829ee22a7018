//! The registers of a HyperLogLog sketch: a short list while few are set, all of them afterwards.
//!
//! Which of the two follows from the registers alone, so equal sketches are equal bytes however they came about.

use crate::reader::DecodeError;

/// `2^PRECISION` registers, each the greatest rank seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Registers<const PRECISION: u32> {
    /// By index, only those that are not zero.
    Sparse(Vec<(u16, u8)>),
    Dense(Vec<u8>),
}

/// Bytes of one listed register: its index and its rank.
const LISTED: usize = 3;

impl<const PRECISION: u32> Registers<PRECISION> {
    /// Indexes are 16 bits; with fewer than 16 registers the estimate means nothing.
    const LEN: usize = {
        assert!(4 <= PRECISION && PRECISION <= 16, "a sketch's precision is 4 to 16");
        1 << PRECISION
    };
    /// Ranks are positions of the first one in what the index leaves of 64 bits, or one beyond.
    pub(super) const MOST: u8 = 65 - PRECISION as u8;
    /// Beyond this many the list would be longer than all registers.
    const LISTED_MOST: usize = (Self::LEN - 1) / LISTED;

    pub(super) fn new() -> Self {
        Self::Sparse(Vec::new())
    }

    pub(super) fn raise(&mut self, index: u16, rank: u8) {
        match self {
            Self::Dense(all) => {
                if let Some(kept) = all.get_mut(usize::from(index)) {
                    *kept = rank.max(*kept);
                }
            }
            Self::Sparse(list) => match list.binary_search_by_key(&index, |&(index, _)| index) {
                Ok(at) => list[at].1 = rank.max(list[at].1),
                Err(at) => {
                    list.insert(at, (index, rank));
                    if list.len() > Self::LISTED_MOST {
                        *self = Self::Dense(Self::dense(list));
                    }
                }
            },
        }
    }

    fn dense(list: &[(u16, u8)]) -> Vec<u8> {
        let mut all = vec![0; Self::LEN];
        for &(index, rank) in list {
            all[usize::from(index)] = rank;
        }
        all
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match other {
            Self::Sparse(list) => list.iter().for_each(|&(index, rank)| self.raise(index, rank)),
            Self::Dense(all) => {
                let set = (0u16..=u16::MAX).zip(all).filter(|&(_, &rank)| rank != 0);
                set.for_each(|(index, &rank)| self.raise(index, rank));
            }
        }
    }

    /// How many registers have each rank.
    pub(super) fn histogram(&self) -> [u32; 65] {
        let mut counts = [0; 65];
        match self {
            Self::Dense(all) => all.iter().for_each(|&rank| counts[usize::from(rank)] += 1),
            Self::Sparse(list) => {
                list.iter().for_each(|&(_, rank)| counts[usize::from(rank)] += 1);
                counts[0] = (Self::LEN - list.len()) as u32;
            }
        }
        counts
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Dense(all) => all.clone(),
            Self::Sparse(list) => list
                .iter()
                .flat_map(|&(index, rank)| {
                    let [high, low] = index.to_be_bytes();
                    [high, low, rank]
                })
                .collect(),
        }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        const INVALID: DecodeError = DecodeError::Logical("sketch of this precision");
        if bytes.len() == Self::LEN {
            return if bytes.iter().all(|&rank| rank <= Self::MOST) {
                Ok(Self::Dense(bytes.to_vec()))
            } else {
                Err(INVALID)
            };
        }
        let (listed, rest) = bytes.as_chunks::<LISTED>();
        let list = listed.iter().map(|&[high, low, rank]| (u16::from_be_bytes([high, low]), rank)).collect::<Vec<_>>();
        let valid = |&(index, rank): &(u16, u8)| usize::from(index) < Self::LEN && (1..=Self::MOST).contains(&rank);
        let good = rest.is_empty()
            && list.len() <= Self::LISTED_MOST
            && list.iter().all(valid)
            && list.is_sorted_by(|(one, _), (next, _)| one < next);
        if good { Ok(Self::Sparse(list)) } else { Err(INVALID) }
    }
}
