//! The exported component.

use crate::fault::{Fault, transform};
use smt_plugin::bindings::types::{Batch, Description, Format, Output, Setting, SettingValue, Wants, Wiring};
use smt_plugin::bindings::{setup, transformer};
use std::sync::OnceLock;

static FAULT: OnceLock<Fault> = OnceLock::new();

pub struct Faults;

impl setup::Guest for Faults {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Misbehaves on records that contain FAULT.".to_owned(),
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
        let fault = Fault::parse(text).ok_or_else(|| unknown(text))?;
        FAULT.set(fault).map_err(|_| "configured twice".to_owned())?;
        Ok(wiring(fault))
    }
}

/// Names them all, those that begin alike first.
fn unknown(text: &str) -> String {
    let alike = |name: &&str| name.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    let mut names = Fault::names();
    names.sort_by_key(|name| std::cmp::Reverse(alike(name)));
    format!("fault is {text:?}; allowed: {}", names.join(", "))
}

/// The output has no format, so -2 passes the input on; only `bad-schema` claims to write Avro.
fn wiring(fault: Fault) -> Wiring {
    let avro = (fault == Fault::BadSchema).then(|| Format::Avro(r#"{"type":"string"}"#.to_owned()));
    let output = Output { name: "faults".to_owned(), topic: "faults".to_owned(), value: avro, key: None };
    Wiring { input: Format::Bytes, key: None, wants: Wants::empty(), outputs: vec![output] }
}

impl transformer::Guest for Faults {
    fn transform(batch: Batch) -> transformer::Outcome {
        transform(FAULT.get().copied().unwrap_or(Fault::None), &batch)
    }
}

#[cfg(target_family = "wasm")]
smt_plugin::bindings::export_plugin!(Faults with_types_in smt_plugin::bindings);
