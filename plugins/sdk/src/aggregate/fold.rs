//! A batch folded into groups, numbered as they are first seen. Once a group exists, a record allocates nothing.

use super::{Aggregate, push};
use crate::bindings::aggregator::Partials;
use crate::bindings::types::{Batch, Column, Rejection};
use crate::codec::decode_record;
use crate::column::View;
use crate::emit::Reject;
use crate::hash::Fnv;
use crate::key::Key;
use std::collections::HashMap;

pub fn partial<A: Aggregate>(settings: &A::Settings, batch: &Batch) -> Partials {
    let mut fold = Fold::<A>::default();
    let mut rejections = Vec::new();
    let mut groups = Vec::with_capacity(batch.values.lengths.len());
    for (input, value) in (0u32..).zip(View::of(&batch.values)) {
        // A tombstone is not asked for; were one handed over, it would be in no group.
        let group = value.map_or(Ok(LEFT_OUT), |value| fold.add(value, settings));
        groups.push(group.unwrap_or_else(|Reject(reason)| {
            rejections.push(Rejection { input, reason });
            LEFT_OUT
        }));
    }
    let (keys, accumulators) = fold.columns();
    Partials { keys, accumulators, groups, rejections }
}

const LEFT_OUT: i32 = -1;

struct Fold<A> {
    numbers: HashMap<Vec<u8>, i32, Fnv>,
    accumulators: Vec<A>,
    keys: Column,
    /// The bytes of the record's key, reused from record to record.
    key: Vec<u8>,
}

impl<A> Default for Fold<A> {
    fn default() -> Self {
        let keys = Column { data: Vec::new(), lengths: Vec::new() };
        Self { numbers: HashMap::default(), accumulators: Vec::new(), keys, key: Vec::new() }
    }
}

impl<A: Aggregate> Fold<A> {
    /// The number of the group that the record was added to.
    fn add(&mut self, record: &[u8], settings: &A::Settings) -> Result<i32, Reject> {
        let input: A::Input<'_> = decode_record(record).map_err(Reject::new)?;
        A::check(&input, settings)?;
        let Some(key) = A::key(&input, settings) else { return Ok(LEFT_OUT) };
        self.key.clear();
        key.write(&mut self.key);
        let group = match self.numbers.get(self.key.as_slice()) {
            Some(&group) => group,
            None => self.open(),
        };
        if let Some(accumulator) = self.accumulators.get_mut(group as usize) {
            accumulator.add(&input, settings);
        }
        Ok(group)
    }

    fn open(&mut self) -> i32 {
        let group = self.accumulators.len() as i32;
        self.numbers.insert(self.key.clone(), group);
        self.accumulators.push(A::default());
        self.keys.data.extend_from_slice(&self.key);
        self.keys.lengths.push(self.key.len() as i32);
        group
    }

    fn columns(self) -> (Column, Column) {
        let mut accumulators = Column { data: Vec::new(), lengths: Vec::with_capacity(self.accumulators.len()) };
        self.accumulators.iter().for_each(|accumulator| push(accumulator, &mut accumulators));
        (self.keys, accumulators)
    }
}
