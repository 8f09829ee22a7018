//! Some rows of a batch, copied. It never runs while a batch falls into one bucket.

use super::columns;
use crate::guest::{Batch, Column, Headers, Positions};

pub(super) fn select(batch: &Batch, rows: &[usize]) -> Batch {
    Batch {
        values: column(&batch.values, rows),
        timestamps: rows.iter().map(|&row| batch.timestamps[row]).collect(),
        keys: batch.keys.as_ref().map(|keys| column(keys, rows)),
        headers: batch.headers.as_ref().map(|h| headers(h, rows)),
        positions: batch.positions.as_ref().map(|p| Positions {
            topic: p.topic.clone(),
            partition: p.partition,
            offsets: rows.iter().map(|&row| p.offsets[row]).collect(),
        }),
    }
}

/// `rows` ascend, so one pass does.
fn column(column: &Column, rows: &[usize]) -> Column {
    let mut picked = columns::empty();
    let mut entries = column.lengths.iter().zip(columns::entries(column)).enumerate();
    for &row in rows {
        match entries.find(|(at, _)| *at == row) {
            Some((_, (_, Some(entry)))) => columns::push(&mut picked, entry),
            Some((_, (length, None))) => picked.lengths.push(*length),
            None => break,
        }
    }
    picked
}

fn headers(headers: &Headers, rows: &[usize]) -> Headers {
    let mut ends = Vec::with_capacity(headers.counts.len());
    let mut end = 0;
    for count in &headers.counts {
        end += *count as usize;
        ends.push(end);
    }
    let picked: Vec<usize> = rows.iter().flat_map(|&row| ends[row] - headers.counts[row] as usize..ends[row]).collect();
    Headers {
        counts: rows.iter().map(|&row| headers.counts[row]).collect(),
        names: column(&headers.names, &picked),
        values: column(&headers.values, &picked),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_all_that_is_theirs() {
        let names = Column { data: b"abc".to_vec(), lengths: vec![1, 1, 1] };
        let whole = Batch {
            values: Column { data: b"oneTHREE4".to_vec(), lengths: vec![3, -1, 5, 1] },
            timestamps: vec![1, 2, 3, 4],
            keys: Some(Column { data: b"kK".to_vec(), lengths: vec![1, 0, -1, 1] }),
            headers: Some(Headers { counts: vec![1, 0, 2, 0], names: names.clone(), values: names }),
            positions: Some(Positions { topic: "t".into(), partition: 0, offsets: vec![7, 8, 9, 11] }),
        };
        let some = select(&whole, &[1, 2]);
        assert_eq!((some.values.data.as_slice(), some.values.lengths), (&b"THREE"[..], vec![-1, 5]));
        assert_eq!((some.timestamps, some.positions.unwrap().offsets), (vec![2, 3], vec![8, 9]));
        assert_eq!(some.keys.unwrap(), Column { data: vec![], lengths: vec![0, -1] });
        let headers = some.headers.unwrap();
        assert_eq!((headers.counts, headers.names.data), (vec![0, 2], b"bc".to_vec()));
        assert_eq!(select(&whole, &[0, 1, 2, 3]), whole);
    }
}
