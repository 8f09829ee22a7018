//! Judges a transform: each prepared record alone is compared with what is expected of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::data::{self, Data, Record, Row};
use super::findings::Findings;
use super::lang::Lang;
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
        findings
            .wrong("the plugin does not read Avro", "o plugin não lê Avro")
            .because("its first parameter derives AvroRecord", "o primeiro parâmetro usa derive(AvroRecord)");
        return Ok(());
    };
    input(reader, findings);
    let outputs = &configured.wiring().outputs;
    declared(outputs, data, findings);
    let rows: Vec<&Row> = data.rows.iter().collect();
    let verdict = configured.start()?.run(&data::batch(&rows, reader)?)?;
    let fates = fates(&verdict, outputs, rows.len(), findings.lang);
    let mut right = 0;
    for (row, fate) in rows.iter().zip(&fates) {
        if record(row, fate, data, findings) {
            right += 1;
        }
    }
    if right > 0 {
        let all = rows.len();
        findings.correct(format!("{right} of {all} records"), format!("{right} de {all} registros"));
    }
    Ok(())
}

/// What is asked for and not there is null for ever, without an error: Avro's resolution fills it in.
pub(super) fn input(reader: &str, findings: &mut Findings) {
    for name in data::unknown_columns(reader) {
        findings
            .wrong(
                format!("the input asks for the column {name}, which customers does not have"),
                format!("a entrada pede a coluna {name}, que customers não tem"),
            )
            .because(
                "names of Avro fields are compared with their case; a field that is not there is always None",
                "nos nomes de campos Avro, maiúsculas e minúsculas contam; um campo que não existe é sempre None",
            );
    }
}

fn declared(outputs: &[Output], data: &Data, findings: &mut Findings) {
    let topics: Vec<&str> = outputs.iter().map(|output| output.topic.as_str()).collect();
    for (topic, wanted) in &data.fields {
        let Some(output) = outputs.iter().find(|output| output.topic == *topic) else {
            no_output(topic, &topics, findings);
            continue;
        };
        if fields(output, wanted, findings) {
            has_its_fields(topic, findings);
        }
    }
    for topic in topics.iter().filter(|topic| !data.fields.contains_key(**topic)) {
        findings.wrong(
            format!("an output goes to the topic {topic}, which the task does not have"),
            format!("uma saída vai para o tópico {topic}, que não está na tarefa"),
        );
    }
}

pub(super) fn has_its_fields(topic: &str, findings: &mut Findings) {
    findings.correct(
        format!("the output to {topic} has the fields that it should have"),
        format!("a saída para {topic} tem os campos que deve ter"),
    );
}

pub(super) fn no_output(topic: &str, got: &[&str], findings: &mut Findings) {
    let pt = format!("nenhuma saída vai para o tópico {topic}");
    let finding = findings.wrong(format!("no output goes to the topic {topic}"), pt);
    finding.detail("expected", topic).detail("got", got.join(", "));
    finding.because("the topic stands in the attribute: topic = \"..\"", "o tópico fica no atributo: topic = \"..\"");
}

/// Whether they are the wanted ones.
pub(super) fn fields(output: &Output, wanted: &[String], findings: &mut Findings) -> bool {
    let Some(Format::Avro(schema)) = &output.value else {
        findings
            .wrong(
                format!("the output to {} is not Avro", output.topic),
                format!("a saída para {} não é Avro", output.topic),
            )
            .because("what the function returns derives AvroRecord", "o que a função devolve usa derive(AvroRecord)");
        return false;
    };
    let got = data::field_names(schema);
    let mut right = true;
    for name in wanted.iter().filter(|name| !got.contains(name)) {
        right = false;
        let finding = findings.wrong(
            format!("the field {name} is not in the output to {}", output.topic),
            format!("falta o campo {name} na saída para {}", output.topic),
        );
        finding.detail("expected", wanted.join(", ")).detail("got", got.join(", "));
        match got.iter().find(|other| other.eq_ignore_ascii_case(name)) {
            Some(other) => finding.because(
                format!("{other} is another name: upper and lower case differ; rename_all = \"UPPERCASE\""),
                format!("{other} é outro nome: maiúsculas e minúsculas contam; rename_all = \"UPPERCASE\""),
            ),
            None => finding.because(
                "a field of the output struct is a field of the schema",
                "cada campo da struct de saída é um campo do schema",
            ),
        };
    }
    for name in got.iter().filter(|name| !wanted.iter().any(|other| other.eq_ignore_ascii_case(name))) {
        right = false;
        findings.wrong(
            format!("the field {name} in the output to {} is one too many", output.topic),
            format!("o campo {name} está sobrando na saída para {}", output.topic),
        );
    }
    right
}

fn fates(verdict: &Verdict, outputs: &[Output], rows: usize, lang: Lang) -> Vec<Fate> {
    let mut fates: Vec<Fate> = (0..rows).map(|_| Fate::default()).collect();
    for piece in &verdict.pieces {
        sent(&piece.outcome.emitted, piece.first, outputs, &mut fates, lang);
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

fn sent(emitted: &Emitted, first: usize, outputs: &[Output], fates: &mut [Fate], lang: Lang) {
    let mut at = 0;
    for (i, (&input, &length)) in emitted.inputs.iter().zip(&emitted.values.lengths).enumerate() {
        let end = at + usize::try_from(length).unwrap_or(0);
        let datum = emitted.values.data.get(at..end).unwrap_or_default();
        at = end;
        let output = outputs.get(emitted.outputs.as_ref().map_or(0, |numbers| usize::from(numbers[i])));
        let (Some(output), Some(fate)) = (output, fates.get_mut(first + input as usize)) else { continue };
        let value = match &output.value {
            Some(Format::Avro(schema)) if length >= 0 => data::decode(datum, schema),
            _ => Err(lang.say("the input as it is, or a tombstone", "a entrada como está, ou uma lápide").to_owned()),
        };
        fate.sent.push((output.topic.clone(), value));
    }
}

/// Whether the record is right; what is wrong is said.
fn record(row: &Row, fate: &Fate, data: &Data, findings: &mut Findings) -> bool {
    let lang = findings.lang;
    let (expected, got) = (expectation(row, &data.fields, lang), fate.shown(lang));
    let what = match (fate, &row.to, &row.reject) {
        (Fate { failed: Some(why), .. }, ..) => {
            let finding = findings.wrong("a record makes the plugin fail", "um registro faz o plugin falhar");
            finding.detail("input", row.shown()).detail("expected", &expected).detail("got", why);
            finding.because(
                format!(
                    "a running host finds the record, throws the plugin's instance away, and writes a dead letter whose \
                     header __connect.errors.exception.message says this; 100 in a row stop the pipeline. {}",
                    row.why.en
                ),
                format!(
                    "em produção, o host encontra o registro, descarta a instância do plugin e escreve uma dead letter \
                     cujo header __connect.errors.exception.message diz isto; 100 seguidas param o pipeline. {}",
                    row.why.pt
                ),
            );
            return false;
        }
        (Fate { rejected: Some(reason), .. }, _, Some(wanted)) if reason.contains(wanted.as_str()) => return true,
        (Fate { rejected: Some(_), .. }, _, Some(_)) => (
            "the reason of a dead letter does not name what is wrong",
            "o motivo da dead letter não diz o que está errado",
        ),
        (Fate { rejected: Some(_), .. }, ..) => ("a good record is rejected", "um registro bom é rejeitado"),
        (Fate { sent, .. }, _, Some(_)) if sent.is_empty() => {
            ("a record is lost without a word", "um registro some sem aviso")
        }
        (_, _, Some(_)) => {
            ("a record that cannot be handled goes on", "um registro que não pode ser tratado segue adiante")
        }
        (Fate { sent, .. }, None, None) if sent.is_empty() => return true,
        (_, None, None) => ("a record comes out that should not", "sai um registro que não deveria sair"),
        (Fate { sent, .. }, Some(_), None) if sent.is_empty() => ("a record is missing", "falta um registro"),
        (Fate { sent, .. }, Some(_), None) if sent.len() > 1 => {
            ("a record comes out more than once", "um registro sai mais de uma vez")
        }
        (Fate { sent, .. }, Some(topic), None) => {
            let (to, value) = &sent[0];
            if to != topic {
                ("a record goes to the wrong topic", "um registro vai para o tópico errado")
            } else {
                let wanted = data.fields.get(topic).map_or(&[][..], Vec::as_slice);
                let wrong = value.as_ref().map_or_else(|_| Vec::new(), |value| differing(&row.expected(wanted), value));
                if value.is_ok() && wrong.is_empty() {
                    return true;
                }
                let all = lang.say("everything", "tudo").to_owned();
                let fields = if wrong.is_empty() { all } else { wrong.join(", ") };
                let pt = format!("um registro tem o valor errado: {fields}");
                let finding = findings.wrong(format!("a record has the wrong value: {fields}"), pt);
                finding.detail("input", row.shown()).detail("expected", expected).detail("got", got);
                finding.because_of(&row.why);
                return false;
            }
        }
    };
    let finding = findings.wrong(what.0, what.1);
    finding.detail("input", row.shown()).detail("expected", expected).detail("got", got);
    finding.because_of(&row.why);
    false
}

/// Fields that are wanted and have another value. Missing ones were told before.
pub(super) fn differing(expected: &Record, got: &Record) -> Vec<String> {
    let differs = |(name, value): &(&String, &Value)| got.get(*name).is_none_or(|other| other != *value);
    expected.iter().filter(differs).map(|(name, _)| name.clone()).collect()
}

fn expectation(row: &Row, fields: &BTreeMap<String, Vec<String>>, lang: Lang) -> String {
    match (&row.to, &row.reject) {
        (_, Some(part)) => {
            let en = format!("a dead letter whose reason names {part:?}");
            lang.say(en, format!("uma dead letter cujo motivo cite {part:?}"))
        }
        (None, None) => lang.say("nothing", "nada").to_owned(),
        (Some(topic), None) => {
            let wanted = fields.get(topic).map_or(&[][..], Vec::as_slice);
            format!("{topic} {}", Value::Object(row.expected(wanted)))
        }
    }
}

impl Fate {
    fn shown(&self, lang: Lang) -> String {
        if let Some(reason) = &self.rejected {
            return format!("{}: {reason}", lang.say("a dead letter", "uma dead letter"));
        }
        if self.sent.is_empty() {
            return lang.say("nothing", "nada").to_owned();
        }
        let one = |(topic, value): &(String, Result<Record, String>)| match value {
            Ok(value) => format!("{topic} {}", Value::Object(value.clone())),
            Err(why) => format!("{topic}: {why}"),
        };
        self.sent.iter().map(one).collect::<Vec<_>>().join(lang.say(" and ", " e "))
    }
}
