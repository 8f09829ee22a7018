//! Which tables a connector reads. Decided at start, by exact names, never by patterns.

use super::config::Connector;
use super::sql::Table;
use crate::exit::{Exit, Stop};
use crate::nearest::nearest;

/// The wanted ones of all tables.
pub(super) fn select(connector: &Connector, all: Vec<Table>) -> Result<Vec<Table>, Stop> {
    for entry in &connector.whitelist {
        if !all.iter().any(|table| table.is_named(entry)) {
            return Err(missing(entry, &all));
        }
    }
    let named = |entries: &[String], table: &Table| entries.iter().any(|entry| table.is_named(entry));
    let wanted = |table: &Table| match connector.whitelist.is_empty() {
        true => !named(&connector.blacklist, table),
        false => named(&connector.whitelist, table),
    };
    let tables: Vec<Table> = all.into_iter().filter(wanted).collect();
    if tables.is_empty() {
        return Err(Stop::new(Exit::Connector, "the database has no table for this connector"));
    }
    for (i, table) in tables.iter().enumerate() {
        if let Some(twin) = tables[..i].iter().find(|twin| twin.name == table.name) {
            let text = format!("{:?} and {:?} have one topic", twin.full_name(), table.full_name());
            return Err(Stop::new(Exit::Connector, text).hint("a topic's name has no schema: use two connectors"));
        }
    }
    Ok(tables)
}

fn missing(entry: &str, all: &[Table]) -> Stop {
    let stop = Stop::new(Exit::Connector, format!("table.whitelist has {entry:?}, but there is no such table"));
    let names: Vec<String> = all.iter().map(Table::full_name).collect();
    match nearest(entry, names.iter().map(String::as_str)) {
        Some(near) => stop.hint(format!("did you mean {near:?}? Names are exact, and case matters")),
        None => stop.hint("names are exact: schema.table or table, of the kinds in table.types"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn choose(list: &str) -> Result<Vec<String>, Stop> {
        let table = |schema: &str, name: &str| Table { oid: 0, schema: schema.into(), name: name.into() };
        let all = vec![table("a", "t"), table("public", "customers"), table("public", "t")];
        let json = r#"{"name":"c","connector.class":"JdbcSource","connection.url":"jdbc:postgresql://h/d",
            "mode":"bulk","topic.prefix":"p-"}"#;
        let connector = Connector::parse(json, &[("table.whitelist".into(), list.into())]).unwrap();
        select(&connector, all).map(|tables| tables.iter().map(Table::full_name).collect())
    }

    #[test]
    fn a_list_selects_exactly_its_tables() {
        assert_eq!(choose(" customers , a.t").unwrap(), ["a.t", "public.customers"]);
    }

    #[test]
    fn two_tables_with_one_bare_name_are_refused_even_if_a_bare_entry_merely_matches_both() {
        for list in ["a.t,public.t", "t"] {
            let stop = choose(list).unwrap_err();
            assert_eq!((stop.exit, stop.what.as_str()), (Exit::Connector, r#""a.t" and "public.t" have one topic"#));
        }
    }

    #[test]
    fn a_missing_table_is_refused_with_the_nearest_name() {
        let stop = choose("public.Customer").unwrap_err();
        assert_eq!(stop.exit, Exit::Connector);
        assert_eq!(stop.hint.as_deref(), Some(r#"did you mean "public.customers"? Names are exact, and case matters"#));
    }
}
