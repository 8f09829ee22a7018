//! What stands between the exported functions and a transform: describing, configuring, going through a batch.

use crate::bindings::transformer::Outcome;
use crate::bindings::types::{Batch, Column, Description, Format, Output, Rejection, SettingValue, Wants, Wiring};
use crate::codec::AvroType;
use crate::emit::{Emitter, Reject, Target};
use crate::schema::schema_of;
use crate::settings::Settings;
use std::sync::OnceLock;

/// What a transform may know of a record besides its value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The key as it stands on its topic, a registry's frame included.
    pub key: Option<&'a [u8]>,
}

/// Implemented by the `transform` attribute, for a type with the function's name.
pub trait Transform {
    type Settings: Settings;
    const NAME: &'static str;
    const VERSION: &'static str;
    const SUMMARY: &'static str;
    /// Keys are handed over only to those who ask.
    const KEYS: bool;

    fn input_schema() -> String;
    fn outputs() -> Vec<Output>;
    fn run(record: &[u8], context: &Context<'_>, settings: &Self::Settings, out: &mut Emitter) -> Result<(), Reject>;
}

pub fn describe<T: Transform>() -> Description {
    Description {
        name: T::NAME.to_owned(),
        version: T::VERSION.to_owned(),
        summary: T::SUMMARY.to_owned(),
        settings: T::Settings::declare(),
    }
}

/// An output of Avro records of this type.
pub fn avro_output<T: AvroType>(target: Target) -> Output {
    let value = Some(Format::Avro(schema_of::<T>()));
    Output { name: target.name.to_owned(), topic: target.topic.to_owned(), value, key: None }
}

pub fn wiring<T: Transform>() -> Wiring {
    Wiring {
        input: Format::Avro(T::input_schema()),
        key: T::KEYS.then_some(Format::Bytes),
        wants: Wants::empty(),
        outputs: T::outputs(),
    }
}

pub fn configure<T: Transform>(store: &OnceLock<T::Settings>, values: &[SettingValue]) -> Result<Wiring, String> {
    log_panics();
    // An instance is configured once; were it twice, the first settings would stay, so say so.
    store.set(T::Settings::parse(values)?).map_err(|_| "configured twice".to_owned())?;
    Ok(wiring::<T>())
}

pub fn transform<T: Transform>(settings: &T::Settings, batch: &Batch) -> Outcome {
    let mut out = Emitter::default();
    let mut rejections = Vec::new();
    let mut values = strings(&batch.values);
    let mut keys = batch.keys.as_ref().map(strings);
    for (input, &timestamp) in (0u32..).zip(&batch.timestamps) {
        let key = keys.as_mut().and_then(Iterator::next).flatten();
        let Some(Some(value)) = values.next() else { continue }; // Tombstones are not asked for.
        let context = Context { timestamp, key };
        if let Err(Reject(reason)) = out.record(input, |out| T::run(value, &context, settings, out)) {
            rejections.push(Rejection { input, reason });
        }
    }
    Outcome { emitted: out.finish(), rejections }
}

/// The strings of a column, null as `None`.
pub(crate) fn strings(column: &Column) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = column.data.as_slice();
    column.lengths.iter().map(move |&length| {
        let (string, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        rest = after;
        Some(string)
    })
}

/// A trap says nothing by itself; the host's log gets the message and the place.
#[cfg(target_family = "wasm")]
pub fn log_panics() {
    use crate::bindings::host::{Level, log};
    std::panic::set_hook(Box::new(|panic| log(Level::Error, &panic.to_string())));
}

#[cfg(not(target_family = "wasm"))]
pub fn log_panics() {}
