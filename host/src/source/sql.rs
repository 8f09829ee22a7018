//! The text of the queries. Never a value: values are bound.

use std::fmt;

use super::config::Mode;

/// A table, as the catalog spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
}

impl Table {
    /// schema.table, without quotes: its name in offsets and messages.
    pub(super) fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    fn spelt(&self, quote: Quote) -> String {
        format!("{}.{}", quote.spell(&self.schema), quote.spell(&self.name))
    }

    /// Whether an entry of a white or black list means this table.
    pub(super) fn is_named(&self, entry: &str) -> bool {
        entry == self.name || entry == self.full_name() || entry == self.spelt(Quote::Always)
    }
}

/// What a task reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Table(Table),
    /// The user's own query, to which the mode's condition is appended.
    Query(String),
}

impl Origin {
    pub(super) fn table(&self) -> Option<&Table> {
        match self {
            Origin::Table(table) => Some(table),
            Origin::Query(_) => None,
        }
    }

    /// The table's full name; none: the query.
    pub(super) fn table_name(&self) -> Option<String> {
        self.table().map(Table::full_name)
    }
}

/// For messages. The query's text is the user's own and stays out of them.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Table(table) => write!(f, "table {:?}", table.full_name()),
            Origin::Query(_) => write!(f, "the query"),
        }
    }
}

/// How names are written in queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    Always,
    /// As they are: Postgres then folds them to lower case.
    Never,
}

impl Quote {
    fn spell(self, name: &str) -> String {
        match self {
            Quote::Always => format!("\"{}\"", name.replace('"', "\"\"")),
            Quote::Never => name.to_owned(),
        }
    }
}

/// What a query's parameter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Begin,
    End,
    Id,
}

/// One poll's query and its parameters, in order.
pub(super) fn select(
    origin: &Origin,
    quote: Quote,
    mode: Mode,
    timestamps: &[String],
    id: Option<&str>,
    suffix: &str,
) -> (String, Vec<Bound>) {
    let (base, prefix) = match origin {
        Origin::Table(table) => (format!("SELECT * FROM {}", table.spelt(quote)), format!("{}.", table.spelt(quote))),
        Origin::Query(query) => (query.clone(), String::new()),
    };
    let column = |name: &str| format!("{prefix}{}", quote.spell(name));
    let time = match timestamps {
        [one] => column(one),
        several => format!("COALESCE({})", several.iter().map(|name| column(name)).collect::<Vec<_>>().join(",")),
    };
    let id = column(id.unwrap_or_default());
    let (condition, bounds) = match mode {
        Mode::Bulk => (String::new(), vec![]),
        Mode::Timestamp => {
            (format!(" WHERE {time} > $1 AND {time} < $2 ORDER BY {time} ASC"), vec![Bound::Begin, Bound::End])
        }
        Mode::Incrementing => (format!(" WHERE {id} > $1::int8 ORDER BY {id} ASC"), vec![Bound::Id]),
        Mode::TimestampIncrementing => (
            format!(
                " WHERE {time} < $1 AND (({time} = $2 AND {id} > $3::int8) OR {time} > $2) ORDER BY {time},{id} ASC"
            ),
            vec![Bound::End, Bound::Begin, Bound::Id],
        ),
    };
    let suffix = if suffix.is_empty() { String::new() } else { format!(" {suffix}") };
    (format!("{base}{condition}{suffix}"), bounds)
}

/// All tables of the given kinds that are not the system's own.
pub(super) const TABLES: &str = "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind::text = ANY($1) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
    ORDER BY n.nspname, c.relname";

/// Number, name and nullability of a relation's columns.
pub(super) const ATTRIBUTES: &str = "SELECT a.attnum, a.attname, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped";

/// The upper bound's clock: the database's own, as it stood when the transaction began.
pub(super) const NOW: &str = "SELECT CURRENT_TIMESTAMP";

#[cfg(test)]
mod tests {
    use super::*;

    fn customers() -> Table {
        Table { oid: 1, schema: "public".into(), name: "customers".into() }
    }

    fn select(mode: Mode, timestamps: &[&str], id: Option<&str>, suffix: &str) -> (String, Vec<Bound>) {
        let timestamps: Vec<String> = timestamps.iter().map(|&name| name.to_owned()).collect();
        super::select(&Origin::Table(customers()), Quote::Always, mode, &timestamps, id, suffix)
    }

    #[test]
    fn the_timestamp_query_has_two_exclusive_bounds() {
        let (text, bounds) = select(Mode::Timestamp, &["dt_update"], None, "");
        assert_eq!(
            text,
            r#"SELECT * FROM "public"."customers" WHERE "public"."customers"."dt_update" > $1 AND "public"."customers"."dt_update" < $2 ORDER BY "public"."customers"."dt_update" ASC"#
        );
        assert_eq!(bounds, [Bound::Begin, Bound::End]);
    }

    #[test]
    fn several_timestamp_columns_are_coalesced_and_a_suffix_is_appended() {
        let (text, _) = select(Mode::Timestamp, &["a", "b"], None, "LIMIT 5");
        let both = r#"COALESCE("public"."customers"."a","public"."customers"."b")"#;
        assert_eq!(
            text,
            format!(
                r#"SELECT * FROM "public"."customers" WHERE {both} > $1 AND {both} < $2 ORDER BY {both} ASC LIMIT 5"#
            )
        );
    }

    #[test]
    fn the_other_modes_have_their_queries() {
        assert_eq!(select(Mode::Bulk, &[], None, "").0, r#"SELECT * FROM "public"."customers""#);
        let (text, bounds) = select(Mode::Incrementing, &[], Some("id"), "");
        let id = r#""public"."customers"."id""#;
        assert_eq!(text, format!(r#"SELECT * FROM "public"."customers" WHERE {id} > $1::int8 ORDER BY {id} ASC"#));
        assert_eq!(bounds, [Bound::Id]);
        let (text, bounds) = select(Mode::TimestampIncrementing, &["t"], Some("id"), "");
        let t = r#""public"."customers"."t""#;
        assert_eq!(
            text,
            format!(
                r#"SELECT * FROM "public"."customers" WHERE {t} < $1 AND (({t} = $2 AND {id} > $3::int8) OR {t} > $2) ORDER BY {t},{id} ASC"#
            )
        );
        assert_eq!(bounds, [Bound::End, Bound::Begin, Bound::Id]);
    }

    #[test]
    fn a_quote_in_a_name_is_doubled() {
        assert_eq!(Quote::Always.spell("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn a_query_gets_its_condition_appended_with_bare_names() {
        let query = Origin::Query("SELECT * FROM t".into());
        let text = |quote, mode| super::select(&query, quote, mode, &["At".into()], Some("Id"), "LIMIT 1").0;
        assert_eq!(text(Quote::Always, Mode::Bulk), "SELECT * FROM t LIMIT 1");
        let time = r#"SELECT * FROM t WHERE "At" > $1 AND "At" < $2 ORDER BY "At" ASC LIMIT 1"#;
        assert_eq!(text(Quote::Always, Mode::Timestamp), time);
        let id = "SELECT * FROM t WHERE Id > $1::int8 ORDER BY Id ASC LIMIT 1";
        assert_eq!(text(Quote::Never, Mode::Incrementing), id);
    }

    #[test]
    fn names_stay_bare_where_quotes_are_not_wanted() {
        let (text, _) =
            super::select(&Origin::Table(customers()), Quote::Never, Mode::Incrementing, &[], Some("id"), "");
        assert_eq!(
            text,
            "SELECT * FROM public.customers WHERE public.customers.id > $1::int8 ORDER BY public.customers.id ASC"
        );
    }

    #[test]
    fn an_entry_names_a_table_by_its_bare_full_or_quoted_name_only() {
        for entry in ["customers", "public.customers", "\"public\".\"customers\""] {
            assert!(customers().is_named(entry), "{entry}");
        }
        for entry in ["Customers", "\"customers\"", "postgres.public.customers", "custom.*", ""] {
            assert!(!customers().is_named(entry), "{entry}");
        }
    }
}
