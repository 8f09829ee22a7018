//! Talks to Postgres: connects, looks tables up, runs one poll's query with a cursor.
//!
//! Values stay in Postgres's binary form. It never holds more rows than one fetch.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
use tokio_postgres::{Client, Config, Portal, Row, Statement, Transaction};

use super::clock::Zone;
use super::columns::Described;
use super::config::Connector;
use super::encode::EPOCH_2000_MICROS;
use super::failure::Failure;
use super::jdbc_url::Database;
use super::offset::Offset;
use super::sql::{self, Bound, Origin, Table};

/// A column's bytes as Postgres sent them.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Raw<'a>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(super) fn raw(row: &Row, index: usize) -> Option<&[u8]> {
    row.try_get::<_, Option<Raw<'_>>>(index).ok().flatten().map(|raw| raw.0)
}

pub(super) async fn connect(database: &Database) -> Result<Client, Failure> {
    let mut config = Config::new();
    config.host(&database.host).port(database.port).application_name("smt-host");
    config.user(database.user.as_deref().unwrap_or("postgres"));
    if let Some(name) = &database.name {
        config.dbname(name);
    }
    if let Some(password) = &database.password {
        config.password(password);
    }
    // A network that swallows packets must not look like a quiet table for ever.
    config.connect_timeout(Duration::from_secs(10)).tcp_user_timeout(Duration::from_secs(30));
    config.keepalives_idle(Duration::from_secs(15)).keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
    config.ssl_mode(database.tls.ssl_mode());
    let (client, connection) = config.connect(database.tls.connector()?).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "database connection ended");
        }
    });
    client.batch_execute("SET TIME ZONE 'UTC'").await?;
    Ok(client)
}

pub(super) async fn tables(client: &Client, kinds: &[String]) -> Result<Vec<Table>, Failure> {
    let rows = client.query(sql::TABLES, &[&kinds]).await?;
    let table = |row: &Row| Ok(Table { oid: row.try_get(0)?, schema: row.try_get(1)?, name: row.try_get(2)? });
    rows.iter().map(table).collect::<Result<_, tokio_postgres::Error>>().map_err(Failure::from)
}

/// A column as the catalog knows it.
pub(super) struct Attribute {
    number: i16,
    pub(super) name: String,
    pub(super) not_null: bool,
}

pub(super) async fn attributes(
    client: &impl tokio_postgres::GenericClient,
    table: u32,
) -> Result<Vec<Attribute>, Failure> {
    let rows = client.query(sql::ATTRIBUTES, &[&table]).await?;
    let attribute =
        |row: &Row| Ok(Attribute { number: row.try_get(0)?, name: row.try_get(1)?, not_null: row.try_get(2)? });
    rows.iter().map(attribute).collect::<Result<_, tokio_postgres::Error>>().map_err(Failure::from)
}

/// One poll: a transaction with the query open in it.
pub(super) struct Poll<'c> {
    transaction: Transaction<'c>,
    portal: Portal,
    pub(super) columns: Vec<Described>,
    fetch: i32,
}

impl<'c> Poll<'c> {
    pub(super) async fn start(
        client: &'c mut Client,
        connector: &Connector,
        origin: &Origin,
        from: Offset,
    ) -> Result<Poll<'c>, Failure> {
        let transaction = client.transaction().await?;
        let now: SystemTime = transaction.query_one(sql::NOW, &[]).await?.try_get(0)?;
        let Connector { quote, mode, timestamps, id, query_suffix, zone, .. } = connector;
        let (text, bounds) = sql::select(origin, *quote, *mode, timestamps, id.as_deref(), query_suffix);
        // Prepared anew each time: the table may have changed, and preparing locks its shape until the end.
        let statement = transaction.prepare(&text).await?;
        let columns = describe(&transaction, &statement).await?;
        let begin = Moment { instant: from.timestamp.unwrap_or(0), zone };
        let end = Moment { instant: window_end(now, connector.delay), zone };
        let id = from.incrementing.unwrap_or(-1);
        let parameters = bounds.iter().map(|bound| -> &(dyn ToSql + Sync) {
            match bound {
                Bound::Begin => &begin,
                Bound::End => &end,
                Bound::Id => &id,
            }
        });
        let parameters: Vec<_> = parameters.collect();
        let portal = transaction.bind(&statement, &parameters).await?;
        let fetch = i32::try_from(connector.batch_max_rows).unwrap_or(i32::MAX);
        Ok(Poll { transaction, portal, columns, fetch })
    }

    /// The next rows; fewer than asked for: these are the last.
    pub(super) async fn fetch(&mut self) -> Result<(Vec<Row>, bool), Failure> {
        let rows = self.transaction.query_portal(&self.portal, self.fetch).await?;
        let last = rows.len() < self.fetch as usize;
        Ok((rows, last))
    }

    pub(super) async fn finish(self) -> Result<(), Failure> {
        drop(self.portal);
        Ok(self.transaction.commit().await?)
    }
}

async fn describe(transaction: &Transaction<'_>, statement: &Statement) -> Result<Vec<Described>, Failure> {
    let mut not_null = HashMap::new();
    let mut oids: Vec<u32> = statement.columns().iter().filter_map(|column| column.table_oid()).collect();
    oids.dedup();
    for oid in oids {
        for attribute in attributes(transaction, oid).await? {
            not_null.insert((oid, attribute.number), attribute.not_null);
        }
    }
    let described = statement.columns().iter().map(|column| {
        let place = column.table_oid().zip(column.column_id());
        Described {
            name: column.name().to_owned(),
            kind: column.type_().clone(),
            modifier: column.type_modifier(),
            nullable: !place.and_then(|place| not_null.get(&place)).copied().unwrap_or(false),
        }
    });
    Ok(described.collect())
}

/// The upper bound: the database's now in whole milliseconds, less the delay. In microseconds since 1970.
pub(super) fn window_end(now: SystemTime, delay: Duration) -> i64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_millis() as i64 - delay.as_millis() as i64) * 1000
}

/// The database's clock, in whole milliseconds, as microseconds since 1970.
pub(super) async fn now(client: &Client) -> Result<i64, Failure> {
    let now: SystemTime = client.query_one(sql::NOW, &[]).await?.try_get(0)?;
    Ok(window_end(now, Duration::ZERO))
}

/// A bound of the window, in microseconds since 1970: compared with a `timestamp` as the zone's wall clock shows it.
#[derive(Debug)]
struct Moment<'a> {
    instant: i64,
    zone: &'a Zone,
}

impl ToSql for Moment<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let shown = if *kind == Type::TIMESTAMP { self.zone.wall(self.instant) } else { self.instant };
        (shown - EPOCH_2000_MICROS).to_sql(&Type::INT8, out)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::TIMESTAMP | Type::TIMESTAMPTZ)
    }

    tokio_postgres::types::to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_at_a_whole_millisecond_less_the_delay() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_618_269_963_655_999);
        assert_eq!(window_end(now, Duration::ZERO), 1_618_269_963_655_000);
        assert_eq!(window_end(now, Duration::from_millis(1500)), 1_618_269_962_155_000);
    }
}
