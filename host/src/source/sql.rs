//! The text of the queries. Never a value: values are bound.

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

    fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// Whether an entry of a white or black list means this table.
    pub(super) fn is_named(&self, entry: &str) -> bool {
        entry == self.name || entry == self.full_name() || entry == self.quoted()
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
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
    table: &Table,
    mode: Mode,
    timestamps: &[String],
    id: Option<&str>,
    suffix: &str,
) -> (String, Vec<Bound>) {
    let column = |name: &str| format!("{}.{}", table.quoted(), quoted(name));
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
    (format!("SELECT * FROM {}{condition}{suffix}", table.quoted()), bounds)
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

    #[test]
    fn the_timestamp_query_has_two_exclusive_bounds() {
        let (text, bounds) = select(&customers(), Mode::Timestamp, &["dt_update".into()], None, "");
        assert_eq!(
            text,
            r#"SELECT * FROM "public"."customers" WHERE "public"."customers"."dt_update" > $1 AND "public"."customers"."dt_update" < $2 ORDER BY "public"."customers"."dt_update" ASC"#
        );
        assert_eq!(bounds, [Bound::Begin, Bound::End]);
    }

    #[test]
    fn several_timestamp_columns_are_coalesced_and_a_suffix_is_appended() {
        let (text, _) = select(&customers(), Mode::Timestamp, &["a".into(), "b".into()], None, "LIMIT 5");
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
        assert_eq!(select(&customers(), Mode::Bulk, &[], None, "").0, r#"SELECT * FROM "public"."customers""#);
        let (text, bounds) = select(&customers(), Mode::Incrementing, &[], Some("id"), "");
        let id = r#""public"."customers"."id""#;
        assert_eq!(text, format!(r#"SELECT * FROM "public"."customers" WHERE {id} > $1::int8 ORDER BY {id} ASC"#));
        assert_eq!(bounds, [Bound::Id]);
        let (text, bounds) = select(&customers(), Mode::TimestampIncrementing, &["t".into()], Some("id"), "");
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
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
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
