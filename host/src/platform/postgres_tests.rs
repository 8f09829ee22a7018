#![allow(clippy::unwrap_used)]
use super::*;
use crate::platform::dir::Directory;

fn query(url: &str, sql: &str) -> Result<Vec<tokio_postgres::SimpleQueryMessage>, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        client.simple_query(sql).await
    })
}

#[test]
fn a_database_keeps_its_rows_and_url_over_a_new_start() {
    let dir = Directory::open(None).unwrap();
    let first = Postgres::start(dir.path()).unwrap();
    query(&first.url(), "create table t as select 1 as n").unwrap();
    let url = first.url();
    drop(first);
    assert!(query(&url, "select 1").is_err());
    let second = Postgres::start(dir.path()).unwrap();
    assert_eq!(second.url(), url);
    query(&url, "select n from t").unwrap();
}

#[test]
fn a_wrong_password_is_refused() {
    let dir = Directory::open(None).unwrap();
    let postgres = Postgres::start(dir.path()).unwrap();
    let url = postgres.url().replace(&postgres.login.password, "wrong");
    assert!(query(&url, "select 1").is_err());
}
