//! What stands between the exported functions and a transform: describing, configuring, going through a batch.

use crate::bindings::transformer::Outcome;
use crate::bindings::types::{Batch, Description, Format, Output, Rejection, SettingValue, Wants, Wiring};
use crate::column::View;
use crate::context::{Context, Contexts};
use crate::emit::Reject;
use crate::emitter::Emitter;
use crate::input::Input;
use crate::settings::Settings;
use std::sync::OnceLock;

/// Implemented by the `transform` attribute, for a type with the function's name.
pub trait Transform {
    type Settings: Settings;
    const NAME: &'static str;
    const VERSION: &'static str;
    const SUMMARY: &'static str;
    /// Keys are handed over only to those who ask.
    const KEYS: bool;

    fn input() -> Format;
    fn wants() -> Wants;
    fn outputs() -> Vec<Output>;
    /// `None` is a tombstone.
    fn run(
        value: Option<&[u8]>,
        context: &Context<'_>,
        settings: &Self::Settings,
        out: &mut Emitter,
    ) -> Result<(), Reject>;
}

pub fn describe<T: Transform>() -> Description {
    Description {
        name: T::NAME.to_owned(),
        version: T::VERSION.to_owned(),
        summary: T::SUMMARY.to_owned(),
        settings: T::Settings::declare(),
    }
}

pub fn wiring<T: Transform>() -> Wiring {
    Wiring { input: T::input(), key: T::KEYS.then_some(Format::Bytes), wants: T::wants(), outputs: T::outputs() }
}

/// For the attribute: flags, and tombstones where the input's type has room for them.
#[doc(hidden)]
pub fn wants<'a, I: Input<'a>>(headers: bool, positions: bool) -> Wants {
    let flag = |on, flag| if on { flag } else { Wants::empty() };
    flag(headers, Wants::HEADERS) | flag(positions, Wants::POSITIONS) | flag(I::TOMBSTONES, Wants::TOMBSTONES)
}

pub fn configure<T: Transform>(store: &OnceLock<T::Settings>, values: &[SettingValue]) -> Result<Wiring, String> {
    log_panics();
    // An instance is configured once; were it twice, the first settings would stay, so say so.
    store.set(T::Settings::parse(values)?).map_err(|_| "configured twice".to_owned())?;
    Ok(wiring::<T>())
}

pub fn transform<T: Transform>(settings: &T::Settings, batch: &Batch) -> Outcome {
    let mut out = Emitter::for_batch(batch);
    let mut rejections = Vec::new();
    let records = View::of(&batch.values).zip(Contexts::of(batch));
    for (input, (value, context)) in (0u32..).zip(records) {
        if let Err(Reject(reason)) = out.record(input, |out| T::run(value, &context, settings, out)) {
            rejections.push(Rejection { input, reason });
        }
    }
    Outcome { emitted: out.finish(&batch.timestamps), rejections }
}

/// A trap says nothing by itself; the host's log gets the message and the place.
#[cfg(target_family = "wasm")]
pub fn log_panics() {
    use crate::bindings::host::{Level, log};
    std::panic::set_hook(Box::new(|panic| log(Level::Error, &panic.to_string())));
}

#[cfg(not(target_family = "wasm"))]
pub fn log_panics() {}
