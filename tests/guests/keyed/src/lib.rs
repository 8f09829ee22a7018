//! Each record's value becomes its key as the plugin was given it, which is also its new key. The setting `format` says
//! in which format keys are asked for and given.

#![allow(clippy::unwrap_used)]

wit_bindgen::generate!({ path: "../../../wit", world: "transform" });

use exports::smt::plugin::transformer::{Emitted, Outcome};
use exports::smt::plugin::{setup, transformer};
use smt::plugin::types::{Batch, Description, Format, Output, Setting, SettingValue, Wants, Wiring};

const SCHEMA: &str = r#"{"type":"record","name":"Id","fields":[{"name":"n","type":"long"},
    {"name":"of","type":"string","default":"a"}]}"#;

struct Keyed;

impl setup::Guest for Keyed {
    fn describe() -> Description {
        let format = Setting { name: "format".into(), summary: "Of keys.".into(), default: None };
        let summary = "Hands keys on.".into();
        Description { name: "keyed".into(), version: "1".into(), summary, settings: vec![format] }
    }

    fn configure(settings: Vec<SettingValue>) -> Result<Wiring, String> {
        let format = match settings[0].value.as_str() {
            "avro" => Format::Avro(SCHEMA.into()),
            "avro-as-json" => Format::AvroAsJson(SCHEMA.into()),
            "json" => Format::Json,
            "bytes" => Format::Bytes,
            other => return Err(format!("format is {other:?}, allowed are avro, avro-as-json, json and bytes")),
        };
        let (value, key) = (Some(Format::Bytes), Some(format.clone()));
        let outputs = vec![Output { name: "out".into(), topic: "keyed".into(), value, key }];
        Ok(Wiring { input: Format::Bytes, key: Some(format), wants: Wants::empty(), outputs })
    }
}

impl transformer::Guest for Keyed {
    fn transform(batch: Batch) -> Outcome {
        let keys = batch.keys.unwrap();
        let inputs = (0..keys.lengths.len() as u32).collect();
        let values = keys.clone();
        let emitted = Emitted { inputs, outputs: None, values, keys: Some(keys), timestamps: None, headers: None };
        Outcome { emitted, rejections: vec![] }
    }
}

export!(Keyed);
