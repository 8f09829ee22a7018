//! The columns of a topic: those of its newest registered schema, or of its first record; and ksqlDB's own beside them.

use super::cell::Cell;
use super::print::key_text;
use super::record::Record;
use crate::connect::avro::Reader;
use crate::exit::Stop;
use crate::nearest::did_you_mean;
use crate::registry::{Error, Registry};

/// What every record has, whatever is in it.
pub(super) const PSEUDO: [&str; 5] = ["ROWKEY", "ROWTIME", "ROWPARTITION", "ROWOFFSET", "WINDOWSTART"];

/// As the registry's newest version has them; `None` where nothing is registered, or the registry is away: then the
/// records tell.
pub(super) fn registered(registry: &Registry, topic: &str) -> Result<Option<Vec<String>>, Stop> {
    let latest = registry.with_deadline(super::REGISTRY_WITHIN).latest(&format!("{topic}-value"));
    let schema = match latest {
        Ok(Some((_, _, schema))) => schema,
        Ok(None) | Err(Error::Unreachable { .. } | Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let fields = |reader: Reader| reader.schema.fields().iter().map(|field| field.name.clone()).collect::<Vec<_>>();
    Ok(Reader::compile(&schema, None).ok().map(fields).filter(|fields| !fields.is_empty()))
}

pub(super) fn of_record(record: &Record) -> Vec<String> {
    record.value.cell.fields().iter().map(|(name, _)| name.clone()).collect()
}

/// Those that can be asked for.
pub(super) fn all(columns: &[String]) -> Vec<&str> {
    columns.iter().map(String::as_str).chain(PSEUDO).collect()
}

/// The cell of a column in a record; null where it has none.
pub(super) fn cell(record: &Record, name: &str) -> Cell {
    if let Some(cell) = record.value.cell.field(name) {
        return cell.clone();
    }
    match name.to_ascii_uppercase().as_str() {
        "ROWKEY" if record.key.window.is_some() => Cell::Text(key_text(&record.key)),
        "ROWKEY" => record.key.cell.clone(),
        "ROWTIME" => record.time_ms.map_or(Cell::Null, Cell::Timestamp),
        "ROWPARTITION" => Cell::Int(record.partition.into()),
        "ROWOFFSET" => Cell::Int(record.offset),
        "WINDOWSTART" => record.key.window.map_or(Cell::Null, |window| Cell::Timestamp(window.start)),
        _ => Cell::Null,
    }
}

/// The columns that a projection asks for, as they are spelled; `*` is all of the value's, with the key if there is one.
pub(super) fn project(asked: &[String], columns: &[String], keyed: bool) -> Result<Vec<String>, Stop> {
    let mut chosen = Vec::new();
    for name in asked {
        if name == "*" {
            chosen.extend(keyed.then(|| "ROWKEY".to_owned()));
            chosen.extend(columns.iter().cloned());
            continue;
        }
        let known = all(columns);
        let found = known.iter().find(|known| *known == name);
        let found = found.or_else(|| known.iter().find(|known| known.eq_ignore_ascii_case(name)));
        let found = found.ok_or_else(|| {
            let near = did_you_mean(name, known.iter().copied());
            Stop::usage(format!("there is no column {name:?}{near}"))
                .hint(format!("columns: {}; '*' is all of the value's, in quotes for the shell", known.join(", ")))
        })?;
        chosen.push((*found).to_owned());
    }
    Ok(chosen)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(asked: &[&str], keyed: bool, expected: &[&str]) {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(project(&owned(asked), &owned(&["nome", "a", "A"]), keyed).unwrap(), expected, "{asked:?}");
    }

    #[test]
    fn names_are_found_in_any_case_and_exact_ones_first() {
        check(&["NOME", "A", "a", "rowtime"], false, &["nome", "A", "a", "ROWTIME"]);
        check(&["*"], false, &["nome", "a", "A"]);
        check(&["*", "rowoffset"], true, &["ROWKEY", "nome", "a", "A", "ROWOFFSET"]);
    }

    #[test]
    fn an_unknown_column_is_told_with_the_nearest_one() {
        let said = project(&["nomee".to_owned()], &["nome".to_owned()], false).unwrap_err().to_string();
        assert!(
            said.contains("no column \"nomee\"; did you mean \"nome\"?") && said.contains("columns: nome, "),
            "{said}"
        );
    }
}
