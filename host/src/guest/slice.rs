//! Parts of a batch, for bisection. It never copies the whole.

use std::borrow::Cow;
use std::ops::Range;

use super::{Batch, Column, Headers, Positions};

/// The records of `part`; copied, unless they are all.
pub(super) fn batch(batch: &Batch, part: Range<usize>) -> Cow<'_, Batch> {
    if part.len() == batch.timestamps.len() {
        return Cow::Borrowed(batch);
    }
    Cow::Owned(Batch {
        values: copy(&batch.values, part.clone()),
        timestamps: batch.timestamps[part.clone()].to_vec(),
        keys: batch.keys.as_ref().map(|keys| copy(keys, part.clone())),
        headers: batch.headers.as_ref().map(|h| headers(h, part.clone())),
        positions: batch.positions.as_ref().map(|p| Positions {
            topic: p.topic.clone(),
            partition: p.partition,
            offsets: p.offsets[part].to_vec(),
        }),
    })
}

/// The entries of `part`; copied, unless they are all.
pub(super) fn column(column: &Column, part: Range<usize>) -> Cow<'_, Column> {
    if part.len() == column.lengths.len() { Cow::Borrowed(column) } else { Cow::Owned(copy(column, part)) }
}

fn copy(column: &Column, part: Range<usize>) -> Column {
    let start = bytes(&column.lengths[..part.start]);
    let end = start + bytes(&column.lengths[part.clone()]);
    Column { data: column.data[start..end].to_vec(), lengths: column.lengths[part].to_vec() }
}

fn headers(headers: &Headers, part: Range<usize>) -> Headers {
    let start = count(&headers.counts[..part.start]);
    let end = start + count(&headers.counts[part.clone()]);
    Headers {
        counts: headers.counts[part].to_vec(),
        names: copy(&headers.names, start..end),
        values: copy(&headers.values, start..end),
    }
}

fn bytes(lengths: &[i32]) -> usize {
    lengths.iter().filter_map(|&l| usize::try_from(l).ok()).sum()
}

fn count(counts: &[u32]) -> usize {
    counts.iter().map(|&c| c as usize).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_its_own_bytes_and_headers() {
        let names = Column { data: b"abc".to_vec(), lengths: vec![1, 1, 1] };
        let whole = Batch {
            values: Column { data: b"oneTHREE".to_vec(), lengths: vec![3, -1, 5] },
            timestamps: vec![1, 2, 3],
            keys: None,
            headers: Some(Headers { counts: vec![1, 0, 2], names: names.clone(), values: names }),
            positions: Some(Positions { topic: "t".into(), partition: 0, offsets: vec![7, 8, 9] }),
        };
        let part = batch(&whole, 1..3).into_owned();
        assert_eq!((part.values.data.as_slice(), part.values.lengths), (&b"THREE"[..], vec![-1, 5]));
        assert_eq!((part.timestamps, part.positions.unwrap().offsets), (vec![2, 3], vec![8, 9]));
        let headers = part.headers.unwrap();
        assert_eq!((headers.counts, headers.names.data), (vec![0, 2], b"bc".to_vec()));
    }
}
