//! The exported component.

mod functions;

use crate::fault::Fault;
use smt_plugin::bindings::aggregator::{self, Emit, Finished, Grouping, Partials, Window};
use smt_plugin::bindings::setup;
use smt_plugin::bindings::types::{Batch, Column, Description, Format, Output, Setting, SettingValue, Wants, Wiring};
use std::sync::OnceLock;

pub(crate) use functions::{finish, merge, partial};

static FAULT: OnceLock<Fault> = OnceLock::new();

pub struct Faults;

fn fault() -> Fault {
    FAULT.get().copied().unwrap_or(Fault::None)
}

impl setup::Guest for Faults {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Counts values, and misbehaves once FAULT is in one.".to_owned(),
            settings: vec![Setting {
                name: "fault".to_owned(),
                summary: format!("One of {}.", Fault::names().join(", ")),
                default: Some("none".to_owned()),
            }],
        }
    }

    fn configure(settings: Vec<SettingValue>) -> Result<Wiring, String> {
        smt_plugin::plugin::log_panics();
        let text = settings.iter().find(|setting| setting.name == "fault").map_or("none", |setting| &setting.value);
        let fault = Fault::parse(text).ok_or_else(|| format!("fault: unknown: {text:?}"))?;
        FAULT.set(fault).map_err(|_| "configured twice".to_owned())?;
        let (name, topic) = (env!("CARGO_PKG_NAME").to_owned(), env!("CARGO_PKG_NAME").to_owned());
        let output = Output { name, topic, value: Some(Format::Bytes), key: None };
        Ok(Wiring { input: Format::Bytes, key: None, wants: Wants::empty(), outputs: vec![output] })
    }
}

/// Ten-second windows, unless it is about them that the plugin lies.
pub(crate) fn grouping(fault: Fault) -> Grouping {
    let (size_ms, advance_ms) = match fault {
        Fault::TrapGrouping => panic!("this plugin was told to trap in grouping-for"),
        Fault::UnevenWindow => (10_000, 3_000),
        Fault::EmptyWindow => (0, 0),
        _ => (10_000, 10_000),
    };
    let window = Window { size_ms, advance_ms, grace_ms: None, retention_ms: None, idle_ms: None };
    let forever = fault == Fault::FinalForever;
    Grouping {
        key: if fault == Fault::AvroKey { Format::Avro("\"string\"".to_owned()) } else { Format::Bytes },
        window: (!forever).then_some(window),
        emit: if forever { Emit::Final } else { Emit::Changes },
        time_field: None,
        partitioned: fault == Fault::Partitioned,
        accumulator_version: 1,
    }
}

impl aggregator::Guest for Faults {
    fn grouping_for() -> Grouping {
        grouping(fault())
    }
    fn partial(batch: Batch) -> Partials {
        partial(fault(), &batch)
    }
    fn merge(left: Column, right: Column) -> Column {
        merge(fault(), &left, &right)
    }
    fn finish(_: Vec<i64>, _: Vec<i64>, _: Column, accumulators: Column) -> Finished {
        finish(fault(), &accumulators)
    }
}

#[cfg(target_family = "wasm")]
smt_plugin::bindings::export_aggregate!(Faults with_types_in smt_plugin::bindings);
