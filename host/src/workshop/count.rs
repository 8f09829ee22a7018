//! Judges a windowed count: a log of two partitions goes through the host's own windows, without Kafka.

use std::collections::BTreeMap;

use serde_json::Value;

use super::data::{self, Data, Record, Row};
use super::findings::Findings;
use super::lang::Lang;
use super::transform::{self, differing, fields, input};
use crate::exit::{Exit, Stop};
use crate::guest::{Aggregator, Configured, Emit as WhenEmitted, Format, Grouping};
use crate::window::{Checkpoint, Declared, Emit, Error, Limits, Owner, Source, SourceLimits, SourcePartition, Store};
use crate::window::{Output, Windows};

type Rows = BTreeMap<(i64, String), Result<Record, String>>;

pub(super) fn judge(
    configured: &Configured,
    grouping: &Grouping,
    data: &Data,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let Some(reader) = data::reader(configured) else {
        findings
            .wrong("the plugin does not read Avro", "o plugin não lê Avro")
            .because("type Input derives AvroRecord", "type Input usa derive(AvroRecord)");
        return Ok(());
    };
    input(reader, findings);
    declared(configured, data, findings);
    let Some(windows) = windows(grouping, data, findings)? else { return Ok(()) };
    let outputs = run(configured, reader, windows, data)?;
    compare(data, &rows(configured, outputs), findings);
    Ok(())
}

fn declared(configured: &Configured, data: &Data, findings: &mut Findings) {
    let outputs = &configured.wiring().outputs;
    for (topic, wanted) in &data.fields {
        match outputs.iter().find(|output| output.topic == *topic) {
            Some(output) => {
                if fields(output, wanted, findings) {
                    transform::has_its_fields(topic, findings);
                }
            }
            None => {
                let got: Vec<&str> = outputs.iter().map(|output| output.topic.as_str()).collect();
                transform::no_output(topic, &got, findings);
            }
        }
    }
}

/// Windows of another size make other counts everywhere: then only that is said.
fn windows(grouping: &Grouping, data: &Data, findings: &mut Findings) -> Result<Option<Windows>, Stop> {
    let lang = findings.lang;
    let both = [format!("tumbling windows of {} ms", data.size_ms), format!("janelas tumbling de {} ms", data.size_ms)];
    let wanted = lang.say(&both[0], &both[1]).clone();
    let Some(window) = grouping.window else {
        findings.wrong("the plugin has no windows", "o plugin não tem janelas").detail("expected", wanted).because(
            "without a window there is one count a key for ever; tumbling = \"..\" gives it one",
            "sem janela há uma só contagem por chave, para sempre; tumbling = \"..\" cria as janelas",
        );
        return Ok(None);
    };
    if (window.size_ms, window.advance_ms) != (data.size_ms, data.size_ms) {
        let (size, advance) = (window.size_ms, window.advance_ms);
        let got = lang.say(
            format!("windows of {size} ms, one every {advance} ms"),
            format!("janelas de {size} ms, uma a cada {advance} ms"),
        );
        let finding = findings.wrong("the windows are not those of the task", "as janelas não são as da tarefa");
        finding.detail("expected", wanted).detail("got", got);
        finding.because(
            "the size stands in the attribute: tumbling = \"30s\"",
            "o tamanho fica no atributo: tumbling = \"30s\"",
        );
        return Ok(None);
    }
    let [en, pt] = both;
    findings.correct(en, pt);
    closing(grouping, window.grace_ms, data, findings);
    let (size_ms, advance_ms) = (window.size_ms, window.advance_ms);
    // The log is short: closing early or late is not the task.
    let declared = Declared { size_ms, advance_ms, grace_ms: None, retention_ms: None, idle_ms: None };
    Windows::new(declared).map(Some).map_err(data::bug)
}

/// When windows close, and when their rows are written, where the task asks for it.
fn closing(grouping: &Grouping, grace_ms: Option<u64>, data: &Data, findings: &mut Findings) {
    if let Some(wanted) = data.grace_ms {
        if grace_ms == Some(wanted) {
            let pt = format!("registros atrasados contam por mais {wanted} ms");
            findings.correct(format!("late records count for {wanted} ms more"), pt);
        } else {
            let default = findings.lang.say("the host's default", "o padrão do host");
            let got = grace_ms.map_or_else(|| default.to_owned(), |ms| format!("{ms} ms"));
            let finding = findings.wrong("grace is not that of the task", "grace não é o da tarefa");
            finding.detail("expected", format!("{wanted} ms")).detail("got", got);
            finding.because(
                "a window takes late records for so long after its end; without grace that is most of a day: \
                 grace = \"10s\"",
                "por esse tempo, depois do fim, a janela ainda aceita registros atrasados; sem grace, é quase um dia: \
                 grace = \"10s\"",
            );
        }
    }
    if !data.is_final {
        return;
    }
    if grouping.emit == WhenEmitted::Final {
        findings.correct("each count is written once", "cada contagem é escrita uma única vez");
        return;
    }
    let finding = findings.wrong("counts are written before they are final", "as contagens saem antes da hora");
    finding.detail("expected", "emit = \"final\"").detail("got", "emit = \"changes\"");
    finding.because(
        "with changes, which is the default, a row is written at each commit that changed its count, so a reader sees \
         the same window several times",
        "com changes, que é o padrão, uma linha sai a cada commit que mudou a contagem, e quem lê vê a mesma janela várias \
         vezes",
    );
}

fn run(configured: &Configured, reader: &str, windows: Windows, data: &Data) -> Result<Vec<Output>, Stop> {
    let mut guest = configured.start_aggregate()?;
    let partitions: Vec<i32> = data.rows.iter().map(|row| row.partition).collect();
    let places: std::collections::BTreeSet<i32> = partitions.into_iter().collect();
    let places: Vec<SourcePartition> =
        places.into_iter().map(|p| SourcePartition::new("postgres-customers", p)).collect();
    let limits = SourceLimits {
        held_groups_max: usize::MAX,
        held_bytes_max: usize::MAX,
        accumulator_bytes_max: configured.plugin().limits().accumulator_bytes_max,
    };
    let mut source = Source::new("exercise", Some(windows), limits);
    let mut owner = owner(windows, &places, limits.accumulator_bytes_max).map_err(failed)?;
    let mut outputs = Vec::new();
    for place in &places {
        source.assign(place.clone(), None, 0);
    }
    for place in &places {
        let rows: Vec<&Row> = data.rows.iter().filter(|row| row.partition == place.partition).collect();
        source.fold(&mut guest, place, &data::batch(&rows, reader)?, 0).map_err(failed)?;
        outputs.extend(commit(&mut guest, &mut source, &mut owner).map_err(failed)?);
    }
    Ok(outputs)
}

fn owner(windows: Windows, places: &[SourcePartition], accumulator_bytes_max: usize) -> Result<Owner, Error> {
    let limits = Limits { keys_max: u64::MAX, accumulator_bytes_max, overlay_bytes_max: usize::MAX };
    Owner::open("exercise", Some(windows), Emit::Changes, limits, places.iter().cloned(), Store::memory())
}

/// What was folded goes to the owner, and what that makes of it comes out.
fn commit(guest: &mut Aggregator, source: &mut Source, owner: &mut Owner) -> Result<Vec<Output>, Error> {
    let taken = source.take();
    source.committed();
    let partials = taken.partials.iter().map(|(key, value)| (Some(key.as_slice()), value.as_slice()));
    owner.apply(guest, partials.chain(taken.marker.iter().map(|marker| (None, marker.as_slice()))), 0)?;
    let mut prepared = owner.prepare_commit(guest)?;
    let outputs = std::mem::take(&mut prepared.outputs);
    owner.committed(prepared, Checkpoint { input_offset: 0, changelog_offset: 0 })?;
    Ok(outputs)
}

fn failed(error: Error) -> Stop {
    Stop::new(Exit::CheckFailed, format!("the plugin fails: {error}")).hint("a running pipeline would stop here")
}

/// The last row of each group.
fn rows(configured: &Configured, outputs: Vec<Output>) -> Rows {
    let schema = configured.wiring().outputs.first().and_then(|output| match &output.value {
        Some(Format::Avro(schema)) => Some(schema),
        _ => None,
    });
    let row = |output: Output| {
        let key = (output.window_start.unwrap_or(0), String::from_utf8_lossy(&output.key).into_owned());
        let value = match (output.value, schema) {
            (Some(value), Some(schema)) => data::decode(&value, schema),
            _ => Err("no value".to_owned()),
        };
        (key, value)
    };
    outputs.into_iter().map(row).collect()
}

fn compare(data: &Data, got: &Rows, findings: &mut Findings) {
    let mut right = 0;
    for window in &data.windows {
        let came = got.get(&(window.start, window.key.clone()));
        if matches!(came, Some(Ok(value)) if differing(&window.out, value).is_empty()) {
            right += 1;
            continue;
        }
        let lang = findings.lang;
        let (key, start) = (&window.key, window.start);
        let finding = findings
            .wrong(format!("{key} in the window from {start} ms"), format!("{key} na janela que começa em {start} ms"));
        finding.detail("input", records_of(data, start, key, lang));
        finding.detail("expected", Value::Object(window.out.clone()));
        let nothing = || lang.say("nothing", "nada").to_owned();
        finding.detail("got", came.map_or_else(nothing, shown)).because_of(&window.why);
    }
    let wanted = |start: i64, key: &str| data.windows.iter().any(|window| window.start == start && window.key == key);
    for ((start, key), value) in got.iter().filter(|((start, key), _)| !wanted(*start, key)) {
        let none = findings.lang.say("no such group", "nenhum grupo assim");
        let finding = findings.wrong(
            format!("a group {key:?} in the window from {start} ms"),
            format!("um grupo {key:?} na janela que começa em {start} ms"),
        );
        finding.detail("expected", none).detail("got", shown(value));
        finding.because(
            "the key is the profession as it stands; a customer without one is in no group: key gives None",
            "a chave é a profissão como está; um cliente sem profissão não está em grupo nenhum: key devolve None",
        );
    }
    if right > 0 {
        let all = data.windows.len();
        findings.correct(format!("{right} of {all} groups"), format!("{right} de {all} grupos"));
    }
}

fn shown(value: &Result<Record, String>) -> String {
    value.as_ref().map_or_else(Clone::clone, |value| Value::Object(value.clone()).to_string())
}

fn records_of(data: &Data, start: i64, key: &str, lang: Lang) -> String {
    let size = i64::try_from(data.size_ms).unwrap_or(i64::MAX);
    let inside = data.rows.iter().filter(|row| (start..start + size).contains(&row.at));
    let of_key = inside.filter(|row| row.input.get("profissao").and_then(Value::as_str) == Some(key));
    let at = lang.say("at", "em");
    of_key.map(|row| format!("{} {at} {} ms", row.shown(), row.at)).collect::<Vec<_>>().join("; ")
}
