//! Prepared records of `postgres-customers`, and what is expected of each. It never runs a plugin.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::avro::{FromJson, Plan, Schema, ToJson};
use crate::exit::{Exit, Stop};
use crate::guest::{Batch, Column, Configured, Format};

/// As the JDBC source registers it.
const CUSTOMERS: &str = include_str!("../source/testdata/customers.avsc");

pub(super) type Record = Map<String, Value>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    /// Of each output topic, in any order.
    pub(super) fields: BTreeMap<String, Vec<String>>,
    pub(super) rows: Vec<Row>,
    #[serde(default)]
    pub(super) windows: Vec<Window>,
    #[serde(default)]
    pub(super) size_ms: u64,
    /// What the task asks for of windows; nothing where it does not.
    #[serde(default)]
    pub(super) grace_ms: Option<u64>,
    /// Rows are to be written once, when their window closes.
    #[serde(default)]
    pub(super) is_final: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    #[serde(rename = "in")]
    pub(super) input: Record,
    /// The topic it goes to; none if it goes nowhere.
    #[serde(default)]
    pub(super) to: Option<String>,
    /// What is sent, where it is not the input's field of the same name.
    #[serde(default)]
    pub(super) out: Record,
    /// It is to be rejected, with a reason that has this in it.
    #[serde(default)]
    pub(super) reject: Option<String>,
    #[serde(default)]
    pub(super) why: Why,
    #[serde(default)]
    pub(super) at: i64,
    #[serde(default)]
    pub(super) partition: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    pub(super) start: i64,
    pub(super) key: String,
    pub(super) out: Record,
    pub(super) why: Why,
}

/// What somebody has missed who gets it wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    pub(super) en: String,
    pub(super) pt: String,
}

impl Data {
    pub(super) fn read(text: &str) -> Result<Data, Stop> {
        serde_json::from_str(text).map_err(|error| bug(format!("an exercise's records: {error}")))
    }
}

impl Row {
    /// The fields in question, dates as people write them.
    pub(super) fn expected(&self, fields: &[String]) -> Record {
        let value = |field: &String| {
            let own = self.out.get(field).or_else(|| self.input.get(&field.to_lowercase()));
            (field.clone(), own.cloned().unwrap_or(Value::Null))
        };
        fields.iter().map(value).collect()
    }

    pub(super) fn shown(&self) -> String {
        Value::Object(self.input.clone()).to_string()
    }
}

/// Records as the plugin asks for them, through the host's own resolution.
pub(super) fn batch(rows: &[&Row], reader: &str) -> Result<Batch, Stop> {
    let writer = Schema::parse(CUSTOMERS).map_err(|error| bug(error.to_string()))?;
    let reader = Schema::parse(reader).map_err(|error| unfit(error.to_string()))?;
    let plan = Plan::compile(&writer, &reader).map_err(|error| unfit(error.to_string()))?;
    let encode = FromJson::compile(&writer);
    let mut values = Column { data: Vec::new(), lengths: Vec::new() };
    for row in rows {
        let json = Value::Object(row.input.iter().map(|(k, v)| (k.clone(), in_days(k, v))).collect());
        let mut datum = Vec::new();
        encode.run(json.to_string().as_bytes(), &mut datum).map_err(|error| bug(error.to_string()))?;
        let before = values.data.len();
        plan.run(&datum, &mut values.data).map_err(|error| unfit(error.to_string()))?;
        values.lengths.push(i32::try_from(values.data.len() - before).unwrap_or(i32::MAX));
    }
    let timestamps = rows.iter().map(|row| row.at).collect();
    Ok(Batch { values, timestamps, keys: None, headers: None, positions: None })
}

/// The schema that the plugin reads; each of these exercises reads Avro.
pub(super) fn reader(configured: &Configured) -> Option<&str> {
    match &configured.wiring().input {
        Format::Avro(schema) | Format::AvroAsJson(schema) => Some(schema),
        Format::Json | Format::Bytes => None,
    }
}

pub(super) fn field_names(schema: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let fields = schema["fields"].as_array().into_iter().flatten();
    fields.filter_map(|field| field["name"].as_str().map(str::to_owned)).collect()
}

/// Columns that the plugin asks for and the table does not have: it sees only nulls there.
pub(super) fn unknown_columns(reader: &str) -> Vec<String> {
    let known = field_names(CUSTOMERS);
    field_names(reader).into_iter().filter(|name| !known.contains(name)).collect()
}

/// A value as a plugin wrote it, dates as people write them.
pub(super) fn decode(datum: &[u8], schema: &str) -> Result<Record, String> {
    let schema = Schema::parse(schema).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    ToJson::compile(&schema).run(datum, &mut json).map_err(|error| error.to_string())?;
    let record: Record = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    Ok(record.into_iter().map(|(name, value)| (name.clone(), as_date(&name, value))).collect())
}

fn in_days(field: &str, value: &Value) -> Value {
    let date = value.as_str().filter(|_| field == "nascimento").and_then(|text| text.parse::<Date>().ok());
    let days = date.and_then(|date| Some((date - Date::new(1970, 1, 1).ok()?).get_days()));
    days.map_or_else(|| value.clone(), Value::from)
}

fn as_date(field: &str, value: Value) -> Value {
    let days = value.as_i64().filter(|_| field.eq_ignore_ascii_case("nascimento"));
    let date =
        days.and_then(|days| Date::new(1970, 1, 1).ok()?.checked_add(jiff::Span::new().try_days(days).ok()?).ok());
    date.map_or(value, |date| Value::from(date.to_string()))
}

fn unfit(why: String) -> Stop {
    Stop::new(Exit::CheckFailed, format!("the plugin's input does not fit the records of postgres-customers: {why}"))
        .hint("the fields of the input struct are named and typed like the table's columns")
}

pub(super) fn bug(why: String) -> Stop {
    Stop::new(Exit::Bug, why).hint("report this as a bug")
}
