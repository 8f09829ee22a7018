#![allow(clippy::unwrap_used)]

use super::super::sql::Table;
use super::*;

const WORKSHOP: &str = include_str!("../../../connectors/source/connect_jdbc_postgres.config");

fn with(key: &str, value: &str) -> Result<Connector, Stop> {
    Connector::parse(WORKSHOP, &[(key.into(), value.into())])
}

#[test]
fn the_workshops_file_is_read() {
    let connector = Connector::parse(WORKSHOP, &[]).unwrap();
    assert_eq!(connector.name, "postg-connector");
    assert_eq!(connector.mode, Mode::Timestamp);
    assert_eq!(connector.timestamps, ["dt_update"]);
    let table = Table { oid: 1, schema: "public".into(), name: "customers".into() };
    assert_eq!(connector.topic(&Origin::Table(table)), "postgres-customers");
    assert_eq!(connector.poll_interval, Duration::from_millis(500));
    assert!(!connector.validate_non_null);
    assert_eq!(connector.batch_max_rows, 1000);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let stop = with("table.whitelst", "x").unwrap_err();
    assert_eq!(stop.what, r#"unknown connector key "table.whitelst""#);
    assert_eq!(stop.hint.as_deref(), Some(r#"did you mean "table.whitelist"?"#));
}

#[test]
fn a_known_key_without_an_effect_here_is_refused_as_such() {
    let stop = with("transforms.route.type", "x").unwrap_err();
    assert_eq!(stop.what, r#"connector key "transforms.route.type" is not supported"#);
    assert!(with("poll.linger.ms", "5000").unwrap_err().hint.unwrap().contains("as soon as"));
}

#[test]
fn a_wrong_value_is_refused_with_the_allowed_ones() {
    let what = |key, value| with(key, value).unwrap_err().what;
    assert_eq!(what("mode", "x"), r#"mode is "x"; allowed: bulk, timestamp, incrementing, timestamp+incrementing"#);
    assert_eq!(
        what("poll.interval.ms", "-1"),
        r#"poll.interval.ms is "-1"; allowed: a whole number from 0 to 2147483647"#
    );
    assert_eq!(what("validate.non.null", "yes"), r#"validate.non.null is "yes"; allowed: true, false"#);
    assert_eq!(what("topic.prefix", "a b"), r#"topic.prefix is "a b"; allowed: letters, digits, '.', '_' and '-'"#);
    assert_eq!(what("db.timezone", "Mars"), r#"db.timezone is "Mars"; allowed: an IANA name or an offset"#);
    assert_eq!(what("query", "select 1"), "query cannot stand beside a list of tables");
    assert_eq!(what("quote.sql.identifiers", "x"), r#"quote.sql.identifiers is "x"; allowed: always, never"#);
    assert_eq!(what("mode", "incrementing"), "incrementing.column.name is missing: mode incrementing needs it");
}

#[test]
fn a_query_is_read_into_the_topic_that_the_prefix_names() {
    let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let lists = set("table.whitelist", "");
    let connector = Connector::parse(WORKSHOP, &[lists.clone(), set("query", " SELECT 1 ")]).unwrap();
    assert_eq!(connector.query.as_deref(), Some("SELECT 1"));
    assert_eq!(connector.topic(&Origin::Query("SELECT 1".into())), "postgres-");
    let stop = Connector::parse(WORKSHOP, &[lists, set("query", "SELECT 1;")]).unwrap_err();
    assert_eq!(stop.what, "query ends with a semicolon");
}

#[test]
fn no_text_shows_the_password() {
    let connector = Connector::parse(WORKSHOP, &[]).unwrap();
    assert!(!format!("{connector:?}").contains("Postgres2023!"));
    for url in ["jdbc:postgresql://u:s3cret@h/d", "jdbc:postgresql://h/d?password=s3cret&x"] {
        assert!(!with("connection.url", url).unwrap_err().to_string().contains("s3cret"));
    }
}
