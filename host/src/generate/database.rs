//! The table `customers`, and inserting into it by arrays: as fast as COPY, and any number of rows is one statement.
//!
//! Never changes a table that exists, and never shows a password.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::config::Host;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Statement, Transaction};

use super::people::Person;
use crate::database_tls::Tls;
use crate::exit::Stop;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS customers (nome text, sexo text, endereco text, telefone text, \
                      email text, foto text, nascimento date, profissao text, dt_update timestamp)";

/// Days and microseconds since 1970 travel as numbers; both are exact this way.
const INSERT: &str = "INSERT INTO customers \
    (nome, sexo, endereco, telefone, email, foto, nascimento, profissao, dt_update) \
    SELECT a, b, c, d, e, f, date '1970-01-01' + g, h, timestamp '1970-01-01' + i * interval '1 microsecond' \
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int4[], $8::text[], \
    $9::int8[]) AS r(a, b, c, d, e, f, g, h, i)";

/// A database address that makes sense.
#[derive(Debug)]
pub(super) struct Address {
    config: Config,
    tls: Tls,
    /// host:port, for messages.
    name: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Address, Stop> {
        let allowed = "allowed is postgresql://user:password@host:port/database, with postgres:// or \
                       postgresql+psycopg2:// as well";
        let bad = |why: &str| Stop::usage(format!("bad connection string {}: {why}", mask(url))).hint(allowed);
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it has no scheme"))?;
        if !["postgres", "postgresql", "postgresql+psycopg2"].contains(&scheme) {
            return Err(bad(&format!("{scheme}:// is no scheme that is known")));
        }
        let (tls, rest) = without_tls(rest).map_err(|why| bad(&why))?;
        let mut config: Config = format!("postgresql://{rest}").parse().map_err(|error: tokio_postgres::Error| {
            bad(&error.source().map_or_else(|| error.to_string(), |source| source.to_string()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(bad("it names no host"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        config.ssl_mode(tls.ssl_mode());
        let name = name(&config);
        Ok(Address { config, tls, name })
    }
}

/// The parameters about TLS, and the rest: the driver does not know all of them.
fn without_tls(rest: &str) -> Result<(Tls, String), String> {
    let mut tls = Tls::default();
    let Some((place, query)) = rest.split_once('?') else { return Ok((tls, rest.to_owned())) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !tls.take(key, &value.replace("%2F", "/"))? {
            kept.push(pair);
        }
    }
    Ok((tls, format!("{place}?{}", kept.join("&")).trim_end_matches('?').to_owned()))
}

fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let named = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    named.collect::<Vec<_>>().join(",")
}

/// An address without its password, and without its parameters, which may hold one too.
pub(super) fn mask(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "(not shown)".to_string() };
    let (user, host) = match rest.rsplit_once('@') {
        Some((credentials, host)) => match credentials.split_once(':') {
            Some((user, _)) => (format!("{user}:***@"), host),
            None => (format!("{credentials}@"), host),
        },
        None => (String::new(), rest),
    };
    let host = host.split_once('?').map_or(host, |(host, _)| host);
    format!("{scheme}://{user}{host}")
}

pub(super) struct Database {
    client: Client,
    insert: Statement,
    name: String,
}

impl Database {
    pub(super) async fn connect(Address { config, tls, name }: Address) -> Result<Database, Stop> {
        let (client, connection) = config.connect(tls.connector()?).await.map_err(|error| explain(&name, &error))?;
        // Ends by itself when the client is dropped; what goes wrong is also the client's error.
        tokio::spawn(connection);
        client.batch_execute("SET client_min_messages = warning").await.map_err(|error| explain(&name, &error))?;
        client.batch_execute(CREATE).await.map_err(|error| explain(&name, &error))?;
        let insert = client.prepare(INSERT).await.map_err(|error| explain(&name, &error))?;
        Ok(Database { client, insert, name })
    }

    /// Starts a round. Dropping it undoes it.
    pub(super) async fn begin(&mut self) -> Result<Insert<'_>, Stop> {
        let transaction = self.client.transaction().await.map_err(|error| explain(&self.name, &error))?;
        Ok(Insert { transaction, statement: &self.insert, name: &self.name })
    }
}

pub(super) struct Insert<'a> {
    transaction: Transaction<'a>,
    statement: &'a Statement,
    name: &'a str,
}

impl Insert<'_> {
    pub(super) async fn add(&mut self, people: &[Person]) -> Result<(), Stop> {
        let column = |get: fn(&Person) -> &str| people.iter().map(get).collect::<Vec<&str>>();
        let nascimento: Vec<i32> = people.iter().map(|person| person.nascimento).collect();
        let dt_update: Vec<i64> = people.iter().map(|person| person.dt_update).collect();
        let columns: [&(dyn ToSql + Sync); 9] = [
            &column(|person| &person.nome),
            &column(|person| person.sexo),
            &column(|person| &person.endereco),
            &column(|person| &person.telefone),
            &column(|person| &person.email),
            &column(|person| &person.foto),
            &nascimento,
            &column(|person| person.profissao),
            &dt_update,
        ];
        let sent = self.transaction.execute(self.statement, &columns).await;
        sent.map(drop).map_err(|error| explain(self.name, &error))
    }

    pub(super) async fn commit(self) -> Result<(), Stop> {
        self.transaction.commit().await.map_err(|error| explain(self.name, &error))
    }
}

/// What the server says is about what was asked; anything else is about reaching it.
fn explain(name: &str, error: &tokio_postgres::Error) -> Stop {
    if let Some(said) = error.as_db_error() {
        let hint = "check user, password and database, and that table customers has the workshop's columns";
        return Stop::start(format!("the database at {name} refuses: {}", said.message())).hint(hint);
    }
    let why = error.source().map_or_else(|| error.to_string(), |source| source.to_string());
    Stop::dependency(format!("cannot reach the database at {name}: {why}"))
        .hint("check that it is running and that host and port are right")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_scripts_scheme_is_understood() {
        assert_eq!(Address::parse("postgresql+psycopg2://u:p@db:5433/x").unwrap().name, "db:5433");
        assert_eq!(Address::parse("postgres://u@db/x").unwrap().name, "db:5432");
        let tls = "postgres://u@db/x?sslmode=verify-full&sslrootcert=/ca.pem";
        assert_eq!(Address::parse(tls).unwrap().config.get_dbname(), Some("x"));
    }

    #[test]
    fn a_bad_address_is_named_without_its_password() {
        for url in ["mysql://me:sec@ret@h/x", "postgres://me:secret@h:port/x", "h password=secret", "postgres:///x"] {
            let stop = Address::parse(url).unwrap_err();
            assert_eq!(stop.exit, Exit::Usage);
            assert!(!stop.to_string().contains("sec") && stop.to_string().contains("postgresql://"), "{stop}");
        }
    }
}
