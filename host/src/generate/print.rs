//! Prints a round's rows as an aligned table on standard output. Never fails a round: it is committed already.

use std::io::Write;

use comfy_table::Table;
use comfy_table::presets::ASCII_FULL_CONDENSED;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::{ToSpan, tz::TimeZone};

use super::people::Person;

/// False: nobody reads any more.
pub(super) fn people(people: &[Person]) -> bool {
    let mut table = Table::new();
    table.load_style(ASCII_FULL_CONDENSED);
    table.set_header(["nome", "sexo", "endereco", "telefone", "email", "foto", "nascimento", "profissao", "dt_update"]);
    for person in people {
        table.add_row(row(person));
    }
    writeln!(std::io::stdout().lock(), "{table}").is_ok()
}

fn row(person: &Person) -> [String; 9] {
    let born = date(1970, 1, 1).checked_add(person.nascimento.days()).map(|day| day.to_string());
    let updated = Timestamp::from_microsecond(person.dt_update)
        .map(|at| at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.6f").to_string());
    [
        person.nome.clone(),
        person.sexo.to_string(),
        person.endereco.clone(),
        person.telefone.clone(),
        person.email.clone(),
        person.foto.clone(),
        born.unwrap_or_default(),
        person.profissao.to_string(),
        updated.unwrap_or_default(),
    ]
}
