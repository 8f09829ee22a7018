//! Which tables a connector reads: by exact names or by patterns, at start and again while it runs.

use regex_lite::Regex;

use super::sql::Table;
use crate::connector_file::Values;
use crate::exit::{Exit, Stop};
use crate::nearest::nearest;

/// What the connector file says of tables.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// `table.whitelist`: exact names.
    Listed(Vec<String>),
    /// `table.blacklist`; empty: all tables.
    Unlisted(Vec<String>),
    /// `table.include.list` and `table.exclude.list`: patterns of whole names, schema.table.
    Matching { include: Vec<Regex>, exclude: Vec<Regex> },
}

impl Wanted {
    pub(super) fn parse(values: &Values) -> Result<Wanted, Stop> {
        const KEYS: [&str; 4] = ["table.whitelist", "table.blacklist", "table.include.list", "table.exclude.list"];
        let [white, black, include, exclude] = KEYS.map(|key| values.list(key));
        let used: Vec<bool> = [&white, &black, &include, &exclude].iter().map(|list| !list.is_empty()).collect();
        match used[..] {
            [false, false, false, false] => Ok(Wanted::Unlisted(Vec::new())),
            [true, false, false, false] => Ok(Wanted::Listed(white)),
            [false, true, false, false] => Ok(Wanted::Unlisted(black)),
            [false, false, _, _] => {
                Ok(Wanted::Matching { include: patterns(KEYS[2], &include)?, exclude: patterns(KEYS[3], &exclude)? })
            }
            [true, true, _, _] => Err(Stop::usage("table.whitelist and table.blacklist exclude each other")),
            _ => Err(Stop::usage(
                "table.whitelist and table.blacklist cannot stand beside the include and exclude lists",
            )
            .hint("use table.include.list and table.exclude.list alone: a plain name matches itself")),
        }
    }

    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Wanted::Unlisted(entries) if entries.is_empty())
    }

    fn takes(&self, table: &Table) -> bool {
        let named = |entries: &[String]| entries.iter().any(|entry| table.is_named(entry));
        let matched = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(&table.full_name()));
        match self {
            Wanted::Listed(entries) => named(entries),
            Wanted::Unlisted(entries) => !named(entries),
            Wanted::Matching { include, exclude } => (include.is_empty() || matched(include)) && !matched(exclude),
        }
    }
}

fn patterns(key: &str, entries: &[String]) -> Result<Vec<Regex>, Stop> {
    let pattern = |entry: &String| {
        Regex::new(&format!("^(?:{entry})$"))
            .map_err(|error| Stop::usage(format!("{key} has {entry:?}, which is no regular expression: {error}")))
    };
    entries.iter().map(pattern).collect()
}

/// The wanted ones of all tables. A listed table that is not there is looked for again later; with none there is
/// nothing to do, and the original's task fails, too.
pub(super) fn select(wanted: &Wanted, all: Vec<Table>) -> Result<Vec<Table>, Stop> {
    let (tables, others): (Vec<Table>, Vec<Table>) = all.into_iter().partition(|table| wanted.takes(table));
    if tables.is_empty() {
        return Err(match wanted {
            Wanted::Listed(entries) => missing(&entries[0], &others),
            _ => Stop::new(Exit::Connector, "the database has no table for this connector"),
        });
    }
    for (i, table) in tables.iter().enumerate() {
        if let Some(twin) = tables[..i].iter().find(|twin| twin.name == table.name) {
            let text = format!("{:?} and {:?} have one topic", twin.full_name(), table.full_name());
            return Err(Stop::new(Exit::Connector, text).hint("a topic's name has no schema: use two connectors"));
        }
    }
    Ok(tables)
}

/// The listed tables that are not there.
pub(super) fn absent<'w>(wanted: &'w Wanted, tables: &[Table]) -> Vec<&'w str> {
    let Wanted::Listed(entries) = wanted else { return Vec::new() };
    let entries = entries.iter().map(String::as_str);
    entries.filter(|entry| !tables.iter().any(|table| table.is_named(entry))).collect()
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

    fn tables() -> Vec<Table> {
        let table = |schema: &str, name: &str| Table { oid: 0, schema: schema.into(), name: name.into() };
        vec![table("a", "t"), table("public", "customers"), table("public", "t")]
    }

    fn wanted(lists: &[(&str, &str)]) -> Result<Wanted, Stop> {
        Wanted::parse(&Values(lists.iter().map(|(key, list)| (key.to_string(), list.to_string())).collect()))
    }

    fn chosen(lists: &[(&str, &str)]) -> Result<Vec<String>, Stop> {
        select(&wanted(lists)?, tables()).map(|tables| tables.iter().map(Table::full_name).collect())
    }

    fn choose(list: &str) -> Result<Vec<String>, Stop> {
        chosen(&[("table.whitelist", list)])
    }

    #[test]
    fn patterns_match_whole_names_and_exclusion_wins() {
        let lists = |include, exclude| chosen(&[("table.include.list", include), ("table.exclude.list", exclude)]);
        assert_eq!(lists("public[.].*", "").unwrap(), ["public.customers", "public.t"]);
        assert_eq!(lists("public.*", ".*[.]customers").unwrap(), ["public.t"]);
        assert_eq!(lists("", ".*t").unwrap(), ["public.customers"]);
        assert_eq!(lists("customers", "").unwrap_err().exit, Exit::Connector);
        let stop = wanted(&[("table.include.list", "(")]).unwrap_err();
        assert!(stop.what.starts_with(r#"table.include.list has "(", which is no regular expression"#), "{stop}");
    }

    #[test]
    fn old_and_new_lists_do_not_mix() {
        for pair in [["table.whitelist", "table.blacklist"], ["table.whitelist", "table.include.list"]] {
            assert_eq!(wanted(&pair.map(|key| (key, "t"))).unwrap_err().exit, Exit::Usage);
        }
    }

    #[test]
    fn a_listed_table_may_come_later_if_another_is_there() {
        assert_eq!(choose("public.customers,public.later").unwrap(), ["public.customers"]);
        let wanted = wanted(&[("table.whitelist", "public.customers,public.later")]).unwrap();
        assert_eq!(absent(&wanted, &tables()), ["public.later"]);
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
