//! Runs an aggregate natively, through the same code as in the sandbox.

use super::{Aggregate, Plugin, finish, grouping_for, merge, partial};
use crate::bindings::aggregator::Grouping;
use crate::bindings::types::{Batch, Column, Rejection, SettingValue};
use crate::codec::{Decode, Encode, decode_record};
use crate::column::View;
use crate::settings::Settings;
use std::marker::PhantomData;
use std::ops::Range;

/// What batches of one window added up to. Groups stand in the order in which they were first seen.
#[derive(Debug, Clone)]
pub struct Folded<A> {
    keys: Vec<Vec<u8>>,
    accumulators: Vec<Vec<u8>>,
    /// Of all batches, in order; their numbers are those of each batch.
    pub rejections: Vec<Rejection>,
    settings: Vec<SettingValue>,
    aggregate: PhantomData<A>,
}

/// Each batch through `partial`, and its groups through `merge` into those of the batches before. Settings are the
/// defaults.
pub fn fold<A: Aggregate>(batches: &[&[impl Encode]]) -> Folded<A> {
    fold_with(&[], batches)
}

/// The same with settings.
pub fn fold_with<A: Aggregate>(settings: &[(&str, &str)], batches: &[&[impl Encode]]) -> Folded<A> {
    let mut folded = Folded::new(filled::<A>(settings));
    batches.iter().for_each(|inputs| folded.add(&inputs.iter().map(encoded).collect::<Vec<_>>()));
    folded
}

fn encoded(input: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    input.encode(&mut bytes);
    bytes
}

/// The grouping these settings give, as the host would hear of it.
pub fn grouping<A: Plugin>(settings: &[(&str, &str)]) -> Result<Grouping, String> {
    grouping_for::<A>(&A::Settings::parse(&filled::<A>(settings))?)
}

/// What is not given is its default, as the host does it.
fn filled<A: Aggregate>(given: &[(&str, &str)]) -> Vec<SettingValue> {
    let value = |name: &str, value: &str| SettingValue { name: name.to_owned(), value: value.to_owned() };
    let mut all = given.iter().map(|(name, text)| value(name, text)).collect::<Vec<_>>();
    for declared in A::Settings::declare() {
        let missing = !given.iter().any(|(name, _)| *name == declared.name);
        all.extend(declared.default.filter(|_| missing).map(|default| value(&declared.name, &default)));
    }
    all
}

impl<A: Aggregate> Folded<A> {
    fn new(settings: Vec<SettingValue>) -> Self {
        let (keys, accumulators, rejections) = (Vec::new(), Vec::new(), Vec::new());
        Self { keys, accumulators, rejections, settings, aggregate: PhantomData }
    }

    fn settings(&self) -> A::Settings {
        A::Settings::parse(&self.settings).unwrap_or_else(|wrong| panic!("these settings do not fit: {wrong}"))
    }

    /// One more batch of records already encoded, be they valid or not.
    pub fn add(&mut self, inputs: &[Vec<u8>]) {
        let timestamps = vec![0; inputs.len()];
        let batch = Batch { values: column(inputs), timestamps, keys: None, headers: None, positions: None };
        let partials = partial::<A>(&self.settings(), &batch);
        for (key, accumulator) in View::of(&partials.keys).zip(View::of(&partials.accumulators)) {
            self.add_group(key.unwrap_or_default(), accumulator.unwrap_or_default());
        }
        self.rejections.extend(partials.rejections);
    }

    fn add_group(&mut self, key: &[u8], newer: &[u8]) {
        match self.keys.iter().position(|known| known == key) {
            Some(group) => {
                let older = &mut self.accumulators[group];
                *older = merge::<A>(&column([&*older]), &column([newer])).data;
            }
            None => {
                self.keys.push(key.to_vec());
                self.accumulators.push(newer.to_vec());
            }
        }
    }

    /// Each group's key, as it will stand on the topic without its window.
    pub fn keys(&self) -> &[Vec<u8>] {
        &self.keys
    }

    /// Each group's accumulator, as the host keeps it.
    pub fn accumulators(&self) -> &[Vec<u8>] {
        &self.accumulators
    }

    /// What `finish` makes of the groups: each row with the number of its group.
    pub fn rows<T: for<'a> Decode<'a>>(&self, window: Option<Range<i64>>) -> Vec<(usize, T)> {
        let each = |bound: Option<i64>| bound.map_or_else(Vec::new, |bound| vec![bound; self.keys.len()]);
        let (starts, ends) = (each(window.as_ref().map(|w| w.start)), each(window.as_ref().map(|w| w.end)));
        let finished = finish::<A>(&self.settings(), &starts, &ends, &column(&self.keys), &column(&self.accumulators));
        let row = |value: Option<&[u8]>| {
            decode_record(value.unwrap_or_default()).expect("a finished value has the type asked for")
        };
        finished.inputs.iter().map(|&group| group as usize).zip(View::of(&finished.values).map(row)).collect()
    }
}

fn column(strings: impl IntoIterator<Item: AsRef<[u8]>>) -> Column {
    let mut all = Column { data: Vec::new(), lengths: Vec::new() };
    for string in strings {
        all.data.extend_from_slice(string.as_ref());
        all.lengths.push(string.as_ref().len() as i32);
    }
    all
}
