//! What stands between the exported functions and an aggregate: grouping, folding, merging, finishing.
//!
//! It never sees a store, a clock or a window's neighbours: those are the host's.

mod fold;
mod grouping;
pub mod testing;

use crate::accumulator::Accumulator;
use crate::bindings::aggregator::{Finished, Grouping};
use crate::bindings::types::{Column, Description, Format, SettingValue, Wants, Wiring};
use crate::codec::{Decode, decode_record};
use crate::column::View;
use crate::emit::{IntoEmitted, Reject, Target};
use crate::emitter::Emitter;
use crate::key::Key;
use crate::plugin::log_panics;
use crate::schema::schema_of;
use crate::settings::Settings;
use std::ops::Range;
use std::sync::OnceLock;

pub use fold::partial;

/// A group's key and, with windows, the window it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<K> {
    pub key: K,
    /// Milliseconds since the epoch; the end is the next window's.
    pub window: Option<Range<i64>>,
}

/// Counts, sums, keeps: the type is what is known of one group so far, and starts from `Default`.
///
/// Written with the attribute `aggregate`, which fills in `Settings` where there are none, and the parameter `settings`
/// where a function does without.
pub trait Aggregate: Accumulator {
    type Input<'a>: Decode<'a>;
    /// `&'a str`, `String`, `i32`, `i64`, `&'a [u8]`, `Vec<u8>` or `Avro<Record>`.
    type Key<'a>: Key<'a>;
    /// A record, or any nesting of `Option` and `Vec` around one.
    type Output: IntoEmitted;
    type Settings: Settings;

    /// Where a setting decides about window, grace or emission; unasked it is what the attribute says.
    fn grouping(_settings: &Self::Settings, declared: Grouping) -> Result<Grouping, String> {
        Ok(declared)
    }

    /// A record refused here becomes a dead letter. It is asked before anything is added, so that nothing is half added.
    fn check(_input: &Self::Input<'_>, _settings: &Self::Settings) -> Result<(), Reject> {
        Ok(())
    }

    /// A record without a key is in no group.
    fn key<'a>(input: &'a Self::Input<'_>, settings: &Self::Settings) -> Option<Self::Key<'a>>;

    fn add(&mut self, input: &Self::Input<'_>, settings: &Self::Settings);

    fn finish(&self, group: &Group<Self::Key<'_>>, settings: &Self::Settings) -> Self::Output;
}

/// Implemented by the `aggregate` attribute.
pub trait Plugin: Aggregate {
    const NAME: &'static str;
    const VERSION: &'static str;
    const SUMMARY: &'static str;
    const TOPIC: &'static str;

    fn declared() -> Grouping;
}

/// What the host configured, kept for the calls that follow.
pub type Configured<A> = OnceLock<(Grouping, <A as Aggregate>::Settings)>;

pub fn describe<A: Plugin>() -> Description {
    Description {
        name: A::NAME.to_owned(),
        version: A::VERSION.to_owned(),
        summary: A::SUMMARY.to_owned(),
        settings: A::Settings::declare(),
    }
}

pub fn configure<A: Plugin>(store: &Configured<A>, values: &[SettingValue]) -> Result<Wiring, String> {
    log_panics();
    let settings = A::Settings::parse(values)?;
    let grouping = grouping_for::<A>(&settings)?;
    let wiring = wiring::<A>()?;
    store.set((grouping, settings)).map_err(|_| "configured twice".to_owned())?;
    Ok(wiring)
}

pub fn grouping_for<A: Plugin>(settings: &A::Settings) -> Result<Grouping, String> {
    let grouping = A::grouping(settings, A::declared())?;
    grouping.check()?;
    Ok(Grouping { key: A::Key::format(), ..grouping })
}

pub fn wiring<A: Plugin>() -> Result<Wiring, String> {
    let outputs = A::Output::outputs(Target { name: A::NAME, topic: A::TOPIC });
    if outputs.len() != 1 {
        return Err(format!("{}: {} outputs; an aggregate has exactly one", A::NAME, outputs.len()));
    }
    let input = Format::Avro(schema_of::<A::Input<'_>>());
    Ok(Wiring { input, key: None, wants: Wants::empty(), outputs })
}

pub fn merge<A: Aggregate>(left: &Column, right: &Column) -> Column {
    let mut merged = Column { data: Vec::with_capacity(left.data.len()), lengths: Vec::new() };
    for (older, newer) in View::of(left).zip(View::of(right)) {
        let mut sum = decoded::<A>(older);
        sum.merge(&decoded(newer));
        push(&sum, &mut merged);
    }
    merged
}

pub fn finish<A: Aggregate>(
    settings: &A::Settings,
    starts: &[i64],
    ends: &[i64],
    keys: &Column,
    accumulators: &Column,
) -> Finished {
    let mut out = Emitter::default();
    for (group, (key, accumulator)) in (0u32..).zip(View::of(keys).zip(View::of(accumulators))) {
        let key = A::Key::read(key.unwrap_or_default())
            .unwrap_or_else(|error| panic!("a group's key is not of this plugin: {error}"));
        let bounds = starts.get(group as usize).zip(ends.get(group as usize));
        let group_of = Group { key, window: bounds.map(|(&start, &end)| start..end) };
        let rows = decoded::<A>(accumulator).finish(&group_of, settings);
        if let Err(Reject(reason)) = out.record(group, |out| rows.emit(out)) {
            panic!("a group cannot be rejected when it is finished: {reason}");
        }
    }
    // Keys and timestamps are the host's to set here.
    let emitted = out.finish(&[]);
    Finished { inputs: emitted.inputs, values: emitted.values }
}

/// The host hands back only what this plugin wrote; anything else is another build's, and must not be counted on.
fn decoded<A: Aggregate>(bytes: Option<&[u8]>) -> A {
    decode_record(bytes.unwrap_or_default())
        .unwrap_or_else(|error| panic!("an accumulator of another build; raise `version` in #[aggregate(..)]: {error}"))
}

fn push<A: Aggregate>(accumulator: &A, column: &mut Column) {
    let start = column.data.len();
    accumulator.encode(&mut column.data);
    column.lengths.push((column.data.len() - start) as i32);
}
