//! The test double: an accumulator is the ids of its records in order, so that a record lost, counted twice or merged
//! the wrong way round is seen.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;
use smt_host::guest::{Batch, Column, Failure, Finished, Folded, FoldedPiece, Guilty, LoadError, Partials, Rejection};
use smt_host::window::{Fault, Functions};

use super::{Kind, Record, Workload};

/// Record values are a kind, an id and a key.
#[derive(Debug, Clone, Copy)]
pub struct Ids;

impl Workload for Ids {
    type Functions = Ids;

    fn functions(&self) -> Ids {
        Ids
    }

    fn key(&self, rng: &mut StdRng) -> Vec<u8> {
        ["", "JOVEM", "ADULTO", "ação"][rng.random_range(0..4)].into()
    }

    fn kind(&self, rng: &mut StdRng) -> Kind {
        match rng.random_range(0..40) {
            0 => Kind::Rejected,
            1 => Kind::Guilty,
            _ => Kind::Good,
        }
    }

    fn value(&self, record: &Record) -> Vec<u8> {
        [&[record.kind as u8], record.id.to_be_bytes().as_slice(), &record.key].concat()
    }

    /// Ids of one partition ascend within what was folded in one pane; here all that is asked is each once.
    fn is_right(&self, output: &[u8], records: &[&Record]) -> bool {
        let mut ids: Vec<&[u8]> = output.chunks(4).collect();
        ids.sort_unstable();
        let mut expected: Vec<_> = records.iter().map(|record| record.id.to_be_bytes()).collect();
        expected.sort_unstable();
        ids == expected
    }
}

impl Functions for Ids {
    fn partial(&mut self, batch: &Batch) -> Result<Folded, LoadError> {
        let values = entries(&batch.values);
        let mut folded = Folded::default();
        let mut first = 0;
        for (input, value) in values.iter().enumerate() {
            if value[0] == Kind::Guilty as u8 {
                let failure = Failure::Trap { message: "simulated".into(), backtrace: String::new() };
                folded.guilty.push(Guilty { input, failure });
                folded.pieces.push(fold(first, &values[first..input]));
                first = input + 1;
            }
        }
        folded.pieces.push(fold(first, &values[first..]));
        Ok(folded)
    }

    fn merge(&mut self, left: &Column, right: &Column) -> Result<Column, Fault> {
        let (left, right) = (entries(left), entries(right));
        assert_eq!(left.len(), right.len());
        Ok(column(left.iter().zip(&right).map(|(left, right)| [*left, *right].concat())))
    }

    fn finish(&mut self, starts: &[i64], ends: &[i64], keys: &Column, sums: &Column) -> Result<Finished, Fault> {
        assert_eq!((starts.len(), keys.lengths.len()), (ends.len(), sums.lengths.len()));
        let inputs = (0..keys.lengths.len() as u32).collect();
        // Half of them as "the accumulator's own bytes".
        let mut values = Column { data: Vec::new(), lengths: Vec::new() };
        for (at, sum) in entries(sums).into_iter().enumerate() {
            if at % 2 == 0 {
                values.lengths.push(-2);
            } else {
                values.data.extend_from_slice(sum);
                values.lengths.push(sum.len() as i32);
            }
        }
        Ok(Finished { inputs, values })
    }
}

fn fold(first: usize, values: &[&[u8]]) -> FoldedPiece {
    let mut order: Vec<&[u8]> = Vec::new();
    let mut sums: BTreeMap<&[u8], Vec<u8>> = BTreeMap::new();
    let (mut groups, mut rejections) = (Vec::new(), Vec::new());
    for (input, value) in values.iter().enumerate() {
        if value[0] == Kind::Rejected as u8 {
            rejections.push(Rejection { input: input as u32, reason: "simulated".into() });
            groups.push(-1);
            continue;
        }
        let key = &value[5..];
        sums.entry(key).or_default().extend_from_slice(&value[1..5]);
        let group = order.iter().position(|known| *known == key).unwrap_or_else(|| {
            order.push(key);
            order.len() - 1
        });
        groups.push(group as i32);
    }
    let accumulators = column(order.iter().map(|key| sums[key].clone()));
    let keys = column(order.iter().map(|key| key.to_vec()));
    FoldedPiece { first, len: values.len(), partials: Partials { keys, accumulators, groups, rejections } }
}

fn entries(column: &Column) -> Vec<&[u8]> {
    let mut rest = column.data.as_slice();
    let mut next = |&length: &i32| {
        let (entry, after) = rest.split_at(length as usize);
        rest = after;
        entry
    };
    column.lengths.iter().map(&mut next).collect()
}

fn column(entries: impl Iterator<Item = Vec<u8>>) -> Column {
    let mut column = Column { data: Vec::new(), lengths: Vec::new() };
    for entry in entries {
        column.lengths.push(entry.len() as i32);
        column.data.extend(entry);
    }
    column
}
