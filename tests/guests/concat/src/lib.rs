//! An aggregator whose accumulators are texts: merging appends them, so that they tell who was merged with whom, in
//! which order. A record is `key:text`. Some letters in a text make a function fail; see `Fault`.

#![allow(clippy::unwrap_used)]

wit_bindgen::generate!({ path: "../../../wit", world: "aggregate" });

use exports::smt::plugin::aggregator::{Emit, Finished, Grouping, Partials, Window};
use exports::smt::plugin::{aggregator, setup};
use smt::plugin::host;
use smt::plugin::types::{Batch, Column, Description, Format, Output, Rejection, Setting, SettingValue, Wants, Wiring};

struct Concat;

static SETTINGS: std::sync::OnceLock<Vec<SettingValue>> = std::sync::OnceLock::new();

fn setting(name: &str) -> &'static str {
    let all = SETTINGS.get().unwrap();
    &all.iter().find(|s| s.name == name).unwrap().value
}

impl setup::Guest for Concat {
    fn describe() -> Description {
        let setting = |name: &str, default: &str| Setting {
            name: name.into(),
            summary: name.into(),
            default: Some(default.into()),
        };
        let settings = vec![setting("size-ms", "30"), setting("advance-ms", "10"), setting("outputs", "1")];
        Description { name: "concat".into(), version: "1".into(), summary: "Appends texts.".into(), settings }
    }

    fn configure(settings: Vec<SettingValue>) -> Result<Wiring, String> {
        SETTINGS.set(settings).map_err(|_| "configured twice".to_string())?;
        let output = Output { name: "out".into(), topic: "out".into(), value: Some(Format::Bytes), key: None };
        let outputs = vec![output; setting("outputs").parse().unwrap()];
        Ok(Wiring { input: Format::Bytes, key: None, wants: Wants::empty(), outputs })
    }
}

/// What goes wrong where a text holds this letter.
struct Fault;

impl Fault {
    const TRAP_IN_PARTIAL: char = 'P';
    const TRAP_IN_MERGE: char = 'M';
    const TRAP_IN_FINISH: char = 'F';
    const NULL_FROM_MERGE: char = 'N';
    const OUT_OF_RANGE_FROM_FINISH: char = 'O';
    const ENDLESS_MERGE: char = 'E';
    /// A merge of more than two pairs traps: none of them is guilty.
    const ALONE_IN_MERGE: char = 'A';
}

impl aggregator::Guest for Concat {
    fn grouping_for() -> Grouping {
        let window = Window {
            size_ms: setting("size-ms").parse().unwrap(),
            advance_ms: setting("advance-ms").parse().unwrap(),
            grace_ms: Some(5),
            retention_ms: None,
            idle_ms: None,
        };
        Grouping {
            key: Format::Bytes,
            window: Some(window),
            emit: Emit::Changes,
            time_field: None,
            partitioned: false,
            accumulator_version: 3,
        }
    }

    fn partial(batch: Batch) -> Partials {
        let (mut keys, mut texts) = (Vec::<String>::new(), Vec::<String>::new());
        let (mut groups, mut rejections) = (Vec::new(), Vec::new());
        for (input, record) in strings(&batch.values).enumerate() {
            let Some((key, text)) = record.split_once(':') else {
                groups.push(-1);
                if !record.is_empty() {
                    rejections.push(Rejection { input: input as u32, reason: format!("no colon in {record}") });
                }
                continue;
            };
            trap_if(text.contains(Fault::TRAP_IN_PARTIAL), record);
            let group = keys.iter().position(|k| k == key).unwrap_or_else(|| {
                keys.push(key.into());
                texts.push(String::new());
                keys.len() - 1
            });
            texts[group].push_str(text);
            groups.push(group as i32);
        }
        Partials { keys: column(keys), accumulators: column(texts), groups, rejections }
    }

    fn merge(left: Column, right: Column) -> Column {
        let pairs = left.lengths.len();
        let merged = strings(&left).zip(strings(&right)).map(|(left, right)| format!("{left}{right}"));
        let mut merged: Vec<String> = merged.collect();
        for text in &mut merged {
            trap_if(text.contains(Fault::TRAP_IN_MERGE), text);
            trap_if(text.contains(Fault::ALONE_IN_MERGE) && pairs > 2, text);
            while text.contains(Fault::ENDLESS_MERGE) {
                std::hint::black_box(&text);
            }
        }
        let null = merged.iter().position(|text| text.contains(Fault::NULL_FROM_MERGE));
        let mut merged = column(merged);
        if let Some(null) = null {
            merged.lengths[null] = -1;
        }
        merged
    }

    fn finish(starts: Vec<i64>, ends: Vec<i64>, keys: Column, accumulators: Column) -> Finished {
        let (mut inputs, mut values) = (Vec::new(), Vec::new());
        for (i, (key, text)) in strings(&keys).zip(strings(&accumulators)).enumerate() {
            trap_if(text.contains(Fault::TRAP_IN_FINISH), text);
            let out_of_range = text.contains(Fault::OUT_OF_RANGE_FROM_FINISH);
            inputs.push(if out_of_range { keys.lengths.len() as u32 } else { i as u32 });
            let times = starts.get(i).zip(ends.get(i));
            values.push(times.map_or(format!("{key}={text}"), |(start, end)| format!("{start}-{end} {key}={text}")));
        }
        Finished { inputs, values: column(values) }
    }
}

fn trap_if(wrong: bool, text: &str) {
    if wrong {
        host::log(host::Level::Error, &format!("cannot take {text}"));
        std::process::abort();
    }
}

fn strings(column: &Column) -> impl Iterator<Item = &str> {
    let mut rest = column.data.as_slice();
    column.lengths.iter().map(move |&length| {
        let (text, after) = rest.split_at(length.max(0) as usize);
        rest = after;
        std::str::from_utf8(text).unwrap()
    })
}

fn column(texts: Vec<String>) -> Column {
    Column { lengths: texts.iter().map(|t| t.len() as i32).collect(), data: texts.concat().into_bytes() }
}

export!(Concat);
