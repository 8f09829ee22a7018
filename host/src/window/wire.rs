//! Record formats, byte by byte. Integers are big-endian; every format begins with its version, 1.
//!
//! ```text
//! repartition value   1 | 0 | count u64 | greatest timestamp i64 | accumulator          partial, no windows
//!                     1 | 1 | pane start i64 | first open window's start i64
//!                           | count u64 | greatest timestamp i64 | accumulator          partial of a pane
//!                     1 | 2 | times                                                     marker
//! changelog key       1 | window start i64, sign bit flipped (0 without windows) | key  group
//!                     2                                                                 times
//! changelog value     1 | count u64 | greatest timestamp i64 | accumulator              group
//!                     1 | has watermark u8 | watermark i64 | times                      times
//! times               n u32 | n × (topic length u16 | topic | partition i32 | stream time i64)
//! output key          key | window start i64, as Java's TimeWindowedSerializer writes it
//! ```
//!
//! The record's key is the group's key for a partial, null for a marker. Store keys are changelog keys: with the sign
//! bit flipped, the order of bytes is the order of window starts. Decoding never panics, whatever the bytes.

use super::time::{EVENT_TIME_MAX, SourcePartition};

const VERSION: u8 = 1;
const UNWINDOWED: u8 = 0;
const PANE: u8 = 1;
const MARKER: u8 = 2;
/// Prefixes of changelog keys.
const GROUP: u8 = 1;
/// The changelog key of the stream times.
pub const TIMES_KEY: &[u8] = &[2];
const SIGN: u64 = 1 << 63;

/// What a repartition record says.
#[derive(Debug, Clone, PartialEq)]
pub enum Repartition<'a> {
    Partial(Partial<'a>),
    /// Stream times of source partitions, after all the partials that belong before them.
    Marker(Vec<(SourcePartition, i64)>),
}

/// What some records of one pane add to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial<'a> {
    /// `None` without windows.
    pub pane: Option<Pane>,
    pub entry: Entry<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pane {
    pub start: i64,
    /// The start of the earliest window that was still open for these records.
    pub first_open: i64,
}

/// A group's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// How many records.
    pub count: u64,
    /// Their greatest timestamp.
    pub greatest: i64,
    pub accumulator: &'a [u8],
}

/// Why bytes are not of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it ends too early")]
    Short,
    #[error("version {0} is not known; this build reads version {VERSION}")]
    Version(u8),
    #[error("it is of the unknown kind {0}")]
    Kind(u8),
    #[error("the time {0} is out of range")]
    Time(i64),
    #[error("it names a topic in bytes that are not UTF-8")]
    Topic,
    #[error("{0} bytes follow its end")]
    Trailing(usize),
}

pub fn encode_partial(partial: &Partial<'_>, to: &mut Vec<u8>) {
    match partial.pane {
        None => to.extend([VERSION, UNWINDOWED]),
        Some(pane) => {
            to.extend([VERSION, PANE]);
            to.extend(pane.start.to_be_bytes());
            to.extend(pane.first_open.to_be_bytes());
        }
    }
    encode_rest(&partial.entry, to);
}

pub fn encode_marker(times: &[(SourcePartition, i64)]) -> Vec<u8> {
    let mut to = vec![VERSION, MARKER];
    encode_times(times.iter().map(|(source, time)| (source, *time)), &mut to);
    to
}

pub fn decode_repartition(value: &[u8]) -> Result<Repartition<'_>, Unreadable> {
    let mut from = Reader(value);
    from.version()?;
    let pane = match from.byte()? {
        MARKER => return Ok(Repartition::Marker(from.times()?)),
        UNWINDOWED => None,
        PANE => Some(Pane { start: from.time()?, first_open: from.time()? }),
        kind => return Err(Unreadable::Kind(kind)),
    };
    Ok(Repartition::Partial(Partial { pane, entry: from.rest()? }))
}

/// The changelog's and the store's key of a group; the start is 0 without windows.
pub fn group_key(start: i64, key: &[u8]) -> Vec<u8> {
    let mut to = Vec::with_capacity(9 + key.len());
    to.push(GROUP);
    to.extend(flipped(start));
    to.extend_from_slice(key);
    to
}

/// A group's window start and key; `None` if it is another kind of key.
pub fn parse_group_key(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (start, key) = bytes.strip_prefix(&[GROUP])?.split_first_chunk::<8>()?;
    Some((unflipped(*start), key))
}

/// Where the groups of windows from this start on begin in the store.
pub(super) fn group_bound(start: i64) -> Vec<u8> {
    group_key(start, b"")
}

/// Eight bytes whose order is the order of the numbers.
pub(super) fn flipped(start: i64) -> [u8; 8] {
    ((start as u64) ^ SIGN).to_be_bytes()
}

pub(super) fn unflipped(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ SIGN) as i64
}

pub fn encode_entry(entry: &Entry<'_>) -> Vec<u8> {
    let mut to = Vec::with_capacity(17 + entry.accumulator.len());
    to.push(VERSION);
    encode_rest(entry, &mut to);
    to
}

pub fn decode_entry(value: &[u8]) -> Result<Entry<'_>, Unreadable> {
    let mut from = Reader(value);
    from.version()?;
    from.rest()
}

pub(super) fn encode_meta<'a>(
    watermark: Option<i64>,
    times: impl ExactSizeIterator<Item = (&'a SourcePartition, i64)>,
) -> Vec<u8> {
    let mut to = vec![VERSION, u8::from(watermark.is_some())];
    to.extend(watermark.unwrap_or(0).to_be_bytes());
    encode_times(times, &mut to);
    to
}

type Meta = (Option<i64>, Vec<(SourcePartition, i64)>);

pub(super) fn decode_meta(value: &[u8]) -> Result<Meta, Unreadable> {
    let mut from = Reader(value);
    from.version()?;
    let known = from.byte()? != 0;
    let watermark = from.time()?;
    Ok((known.then_some(watermark), from.times()?))
}

/// The key of an output record.
pub fn output_key(key: &[u8], start: Option<i64>) -> Vec<u8> {
    let mut to = Vec::with_capacity(key.len() + 8);
    to.extend_from_slice(key);
    if let Some(start) = start {
        to.extend(start.to_be_bytes());
    }
    to
}

fn encode_rest(entry: &Entry<'_>, to: &mut Vec<u8>) {
    to.extend(entry.count.to_be_bytes());
    to.extend(entry.greatest.to_be_bytes());
    to.extend_from_slice(entry.accumulator);
}

fn encode_times<'a>(times: impl ExactSizeIterator<Item = (&'a SourcePartition, i64)>, to: &mut Vec<u8>) {
    to.extend((times.len() as u32).to_be_bytes());
    for (source, time) in times {
        to.extend((source.topic.len() as u16).to_be_bytes()); // Kafka's topic names have at most 249 bytes
        to.extend_from_slice(source.topic.as_bytes());
        to.extend(source.partition.to_be_bytes());
        to.extend(time.to_be_bytes());
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn version(&mut self) -> Result<(), Unreadable> {
        match self.byte()? {
            VERSION => Ok(()),
            other => Err(Unreadable::Version(other)),
        }
    }

    fn byte(&mut self) -> Result<u8, Unreadable> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(Unreadable::Short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn time(&mut self) -> Result<i64, Unreadable> {
        let time = i64::from_be_bytes(self.array()?);
        let range = -2 * EVENT_TIME_MAX..=2 * EVENT_TIME_MAX;
        if range.contains(&time) { Ok(time) } else { Err(Unreadable::Time(time)) }
    }

    fn rest(mut self) -> Result<Entry<'a>, Unreadable> {
        let count = u64::from_be_bytes(self.array()?);
        Ok(Entry { count, greatest: self.time()?, accumulator: self.0 })
    }

    fn times(mut self) -> Result<Vec<(SourcePartition, i64)>, Unreadable> {
        let count = u32::from_be_bytes(self.array()?);
        let mut times = Vec::new(); // not with_capacity: the count may be garbage
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes(self.array()?));
            let (topic, rest) = self.0.split_at_checked(length).ok_or(Unreadable::Short)?;
            self.0 = rest;
            let topic = std::str::from_utf8(topic).map_err(|_| Unreadable::Topic)?;
            let partition = i32::from_be_bytes(self.array()?);
            times.push((SourcePartition::new(topic, partition), self.time()?));
        }
        if self.0.is_empty() { Ok(times) } else { Err(Unreadable::Trailing(self.0.len())) }
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
