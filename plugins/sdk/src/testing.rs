//! Runs a transform natively, through the same code as in the sandbox.

use crate::bindings::transformer::Outcome;
use crate::bindings::types::{Batch, Column, SettingValue};
use crate::codec::{Decode, Encode, decode_record};
use crate::plugin::{self, Transform};
use crate::settings::Settings;

/// Encodes the inputs as one batch, all with this timestamp, and transforms it.
pub fn run<T: Transform>(settings: &T::Settings, timestamp: i64, inputs: &[impl Encode]) -> Outcome {
    let encoded = inputs.iter().map(|input| {
        let mut bytes = Vec::new();
        input.encode(&mut bytes);
        bytes
    });
    run_bytes::<T>(settings, timestamp, &encoded.collect::<Vec<_>>())
}

/// The same for records already encoded, be they valid or not.
pub fn run_bytes<T: Transform>(settings: &T::Settings, timestamp: i64, inputs: &[Vec<u8>]) -> Outcome {
    let values = Column { data: inputs.concat(), lengths: inputs.iter().map(|input| input.len() as i32).collect() };
    let timestamps = vec![timestamp; inputs.len()];
    plugin::transform::<T>(settings, &Batch { values, timestamps, keys: None, headers: None, positions: None })
}

/// Settings from texts, as the host hands them over.
pub fn settings<S: Settings>(texts: &[(&str, &str)]) -> Result<S, String> {
    let value = |(name, value): &(&str, &str)| SettingValue { name: (*name).to_owned(), value: (*value).to_owned() };
    S::parse(&texts.iter().map(value).collect::<Vec<_>>())
}

/// The emitted values decoded, in order.
pub fn emitted<'a, T: Decode<'a>>(outcome: &'a Outcome) -> Vec<T> {
    let Column { data, lengths } = &outcome.emitted.values;
    let mut rest = data.as_slice();
    let decode = |&length: &i32| {
        let (value, after) = rest.split_at(length as usize);
        rest = after;
        decode_record(value).expect("an emitted value has the type asked for")
    };
    lengths.iter().map(decode).collect()
}
