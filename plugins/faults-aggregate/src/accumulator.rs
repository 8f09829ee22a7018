//! A count that remembers whether a marked record was among those counted, and may hoard bytes.

const MARKER: &[u8] = b"FAULT";
const HOARD: usize = 1 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Accumulator {
    pub(crate) count: u64,
    pub(crate) marked: bool,
    hoarded: usize,
}

pub(crate) fn is_marked(record: &[u8]) -> bool {
    record.windows(MARKER.len()).any(|window| window == MARKER)
}

impl Accumulator {
    pub(crate) fn add(&mut self, record: &[u8], hoard: bool) {
        let marked = is_marked(record);
        self.count += 1;
        self.marked |= marked;
        self.hoarded += if marked && hoard { HOARD } else { 0 };
    }

    pub(crate) fn merge(self, newer: &Self) -> Self {
        Self {
            count: self.count.wrapping_add(newer.count),
            marked: self.marked | newer.marked,
            hoarded: self.hoarded + newer.hoarded,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.count.to_be_bytes().to_vec();
        bytes.push(u8::from(self.marked));
        bytes.resize(bytes.len() + self.hoarded, b'x');
        bytes
    }

    /// One of no bytes has counted nothing.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let Some((count, rest)) = bytes.split_first_chunk() else { return Self::default() };
        let marked = rest.first().is_some_and(|&mark| mark != 0);
        Self { count: u64::from_be_bytes(*count), marked, hoarded: rest.len().saturating_sub(1) }
    }
}
