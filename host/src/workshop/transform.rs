//! Judges a transform: each prepared record alone is compared with what is expected of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::data::{self, Data, Record, Row};
use super::findings::Findings;
use crate::exit::Stop;
use crate::guest::{Configured, Emitted, Format, Output, Verdict};

/// What became of one record.
#[derive(Debug, Default)]
struct Fate {
    sent: Vec<(String, Result<Record, String>)>,
    rejected: Option<String>,
    failed: Option<String>,
}

pub(super) fn judge(configured: &Configured, data: &Data, findings: &mut Findings) -> Result<(), Stop> {
    let Some(reader) = data::reader(configured) else {
        findings.wrong("the plugin does not read Avro").because("its first parameter derives AvroRecord");
        return Ok(());
    };
    input(reader, findings);
    let outputs = &configured.wiring().outputs;
    declared(outputs, data, findings);
    let rows: Vec<&Row> = data.rows.iter().collect();
    let verdict = configured.start()?.run(&data::batch(&rows, reader)?)?;
    let fates = fates(&verdict, outputs, rows.len());
    let mut right = 0;
    for (row, fate) in rows.iter().zip(&fates) {
        if record(row, fate, data, findings) {
            right += 1;
        }
    }
    if right > 0 {
        findings.correct(format!("{right} of {} records", rows.len()));
    }
    Ok(())
}

/// What is asked for and not there is null for ever, without an error: Avro's resolution fills it in.
pub(super) fn input(reader: &str, findings: &mut Findings) {
    for name in data::unknown_columns(reader) {
        findings
            .wrong(format!("the input asks for the column {name}, which customers does not have"))
            .because("names of Avro fields are compared with their case; a field that is not there is always None");
    }
}

fn declared(outputs: &[Output], data: &Data, findings: &mut Findings) {
    let topics: Vec<&str> = outputs.iter().map(|output| output.topic.as_str()).collect();
    for (topic, wanted) in &data.fields {
        let Some(output) = outputs.iter().find(|output| output.topic == *topic) else {
            findings
                .wrong(format!("no output goes to the topic {topic}"))
                .detail("expected", topic)
                .detail("got", topics.join(", "))
                .because("the topic stands in the attribute: topic = \"..\"");
            continue;
        };
        if fields(output, wanted, findings) {
            findings.correct(format!("the output to {topic} has the fields that it should have"));
        }
    }
    for topic in topics.iter().filter(|topic| !data.fields.contains_key(**topic)) {
        findings.wrong(format!("an output goes to the topic {topic}, which the task does not have"));
    }
}

/// Whether they are the wanted ones.
pub(super) fn fields(output: &Output, wanted: &[String], findings: &mut Findings) -> bool {
    let Some(Format::Avro(schema)) = &output.value else {
        findings
            .wrong(format!("the output to {} is not Avro", output.topic))
            .because("what the function returns derives AvroRecord");
        return false;
    };
    let got = data::field_names(schema);
    let mut right = true;
    for name in wanted.iter().filter(|name| !got.contains(name)) {
        right = false;
        let finding = findings.wrong(format!("the field {name} is not in the output to {}", output.topic));
        finding.detail("expected", wanted.join(", ")).detail("got", got.join(", "));
        finding.because(match got.iter().find(|other| other.eq_ignore_ascii_case(name)) {
            Some(other) => format!("{other} is another name: upper and lower case differ; rename_all = \"UPPERCASE\""),
            None => "a field of the output struct is a field of the schema".to_owned(),
        });
    }
    for name in got.iter().filter(|name| !wanted.iter().any(|other| other.eq_ignore_ascii_case(name))) {
        right = false;
        findings.wrong(format!("the field {name} in the output to {} is one too many", output.topic));
    }
    right
}

fn fates(verdict: &Verdict, outputs: &[Output], rows: usize) -> Vec<Fate> {
    let mut fates: Vec<Fate> = (0..rows).map(|_| Fate::default()).collect();
    for piece in &verdict.pieces {
        sent(&piece.outcome.emitted, piece.first, outputs, &mut fates);
        for rejection in &piece.outcome.rejections {
            if let Some(fate) = fates.get_mut(piece.first + rejection.input as usize) {
                fate.rejected = Some(rejection.reason.clone());
            }
        }
    }
    for guilty in &verdict.guilty {
        if let Some(fate) = fates.get_mut(guilty.input) {
            fate.failed = Some(guilty.failure.to_string());
        }
    }
    fates
}

fn sent(emitted: &Emitted, first: usize, outputs: &[Output], fates: &mut [Fate]) {
    let mut at = 0;
    for (i, (&input, &length)) in emitted.inputs.iter().zip(&emitted.values.lengths).enumerate() {
        let end = at + usize::try_from(length).unwrap_or(0);
        let datum = emitted.values.data.get(at..end).unwrap_or_default();
        at = end;
        let output = outputs.get(emitted.outputs.as_ref().map_or(0, |numbers| usize::from(numbers[i])));
        let (Some(output), Some(fate)) = (output, fates.get_mut(first + input as usize)) else { continue };
        let value = match &output.value {
            Some(Format::Avro(schema)) if length >= 0 => data::decode(datum, schema),
            _ => Err("the input as it is, or a tombstone".to_owned()),
        };
        fate.sent.push((output.topic.clone(), value));
    }
}

/// Whether the record is right; what is wrong is said.
fn record(row: &Row, fate: &Fate, data: &Data, findings: &mut Findings) -> bool {
    let expected = expectation(row, &data.fields);
    let got = fate.to_string();
    let what = match (fate, &row.to, &row.reject) {
        (Fate { failed: Some(why), .. }, ..) => {
            let finding = findings.wrong("a record makes the plugin fail");
            finding.detail("input", row.shown()).detail("expected", &expected).detail("got", why);
            finding.because(format!(
                "a running host finds the record, throws the plugin's instance away, and writes a dead letter whose \
                 header __connect.errors.exception.message says this; 100 in a row stop the pipeline. {}",
                row.why
            ));
            return false;
        }
        (Fate { rejected: Some(reason), .. }, _, Some(wanted)) if reason.contains(wanted.as_str()) => return true,
        (Fate { rejected: Some(_), .. }, _, Some(_)) => "the reason of a dead letter does not name what is wrong",
        (Fate { rejected: Some(_), .. }, ..) => "a good record is rejected",
        (Fate { sent, .. }, _, Some(_)) if sent.is_empty() => "a record is lost without a word",
        (_, _, Some(_)) => "a record that cannot be handled goes on",
        (Fate { sent, .. }, None, None) if sent.is_empty() => return true,
        (_, None, None) => "a record comes out that should not",
        (Fate { sent, .. }, Some(_), None) if sent.is_empty() => "a record is missing",
        (Fate { sent, .. }, Some(_), None) if sent.len() > 1 => "a record comes out more than once",
        (Fate { sent, .. }, Some(topic), None) => {
            let (to, value) = &sent[0];
            if to != topic {
                "a record goes to the wrong topic"
            } else {
                let wanted = data.fields.get(topic).map_or(&[][..], Vec::as_slice);
                let wrong = value.as_ref().map_or_else(|_| Vec::new(), |value| differing(&row.expected(wanted), value));
                if value.is_ok() && wrong.is_empty() {
                    return true;
                }
                let fields = if wrong.is_empty() { "everything".to_owned() } else { wrong.join(", ") };
                let finding = findings.wrong(format!("a record has the wrong value: {fields}"));
                finding.detail("input", row.shown()).detail("expected", expected).detail("got", got);
                finding.because(&row.why);
                return false;
            }
        }
    };
    let finding = findings.wrong(what);
    finding.detail("input", row.shown()).detail("expected", expected).detail("got", got);
    finding.because(&row.why);
    false
}

/// Fields that are wanted and have another value. Missing ones were told before.
pub(super) fn differing(expected: &Record, got: &Record) -> Vec<String> {
    let differs = |(name, value): &(&String, &Value)| got.get(*name).is_none_or(|other| other != *value);
    expected.iter().filter(differs).map(|(name, _)| name.clone()).collect()
}

fn expectation(row: &Row, fields: &BTreeMap<String, Vec<String>>) -> String {
    match (&row.to, &row.reject) {
        (_, Some(part)) => format!("a dead letter whose reason names {part:?}"),
        (None, None) => "nothing".to_owned(),
        (Some(topic), None) => {
            let wanted = fields.get(topic).map_or(&[][..], Vec::as_slice);
            format!("{topic} {}", Value::Object(row.expected(wanted)))
        }
    }
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(reason) = &self.rejected {
            return write!(f, "a dead letter: {reason}");
        }
        if self.sent.is_empty() {
            return f.write_str("nothing");
        }
        for (i, (topic, value)) in self.sent.iter().enumerate() {
            let and = if i > 0 { " and " } else { "" };
            match value {
                Ok(value) => write!(f, "{and}{topic} {}", Value::Object(value.clone()))?,
                Err(why) => write!(f, "{and}{topic}: {why}")?,
            }
        }
        Ok(())
    }
}
