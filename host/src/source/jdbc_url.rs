//! `jdbc:postgresql://host:port/database?user=..&password=..`. Never part of a message: it may hold a password.

use std::fmt;

use crate::database_tls::Tls;

/// Where the database is and who asks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Database {
    /// A name, an address, or the directory of a Unix socket.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) name: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) tls: Tls,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.host, self.port, self.name.as_deref().unwrap_or_default())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

/// What is wrong with a URL, in words that do not repeat it.
pub(super) fn parse(url: &str) -> Result<Database, String> {
    let rest = url.strip_prefix("jdbc:postgresql:").ok_or("it does not start with jdbc:postgresql:")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (address, name) = match place.strip_prefix("//") {
        Some(place) => place.split_once('/').unwrap_or((place, "")),
        None => ("", place),
    };
    if address.contains('@') {
        return Err("user and password do not stand before the host; use connection.user, connection.password".into());
    }
    let (host, port) = host_and_port(address)?;
    let name = decoded(name)?;
    let mut database = Database {
        host,
        port,
        name: (!name.is_empty()).then_some(name),
        user: None,
        password: None,
        tls: Tls::default(),
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value)?;
        // The driver's short form.
        let (key, value) =
            if (key, value.as_str()) == ("ssl", "true") { ("sslmode", "verify-full".into()) } else { (key, value) };
        if database.tls.take(key, &value)? {
            continue;
        }
        match (key, value) {
            ("user", value) => database.user = Some(value),
            ("password", value) => database.password = Some(value),
            // These do not change what is read.
            ("ApplicationName" | "loggerLevel" | "reWriteBatchedInserts" | "prepareThreshold" | "tcpKeepAlive", _) => {}
            // Not named: it might be the rest of a password with a bare & in it.
            _ => {
                return Err("it has a parameter other than user, password, sslmode, sslrootcert, sslcert, sslkey and \
                            ApplicationName"
                    .into());
            }
        }
    }
    Ok(database)
}

fn host_and_port(address: &str) -> Result<(String, u16), String> {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (address, None),
    };
    if host.contains(',') {
        return Err("several hosts are not supported".into());
    }
    let port = match port {
        None => 5432,
        Some(port) => port.parse().map_err(|_| format!("its port {port:?} is no number from 0 to 65535"))?,
    };
    let host = decoded(host.trim_start_matches('[').trim_end_matches(']'))?;
    Ok((if host.is_empty() { "localhost".into() } else { host }, port))
}

/// Percent-decoding.
fn decoded(text: &str) -> Result<String, String> {
    let bad = || "a % in it is not followed by two hexadecimal digits of UTF-8 text".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(bad)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_workshops_url_is_read() {
        let database = parse("jdbc:postgresql://postgres:5432/postgres").unwrap();
        assert_eq!(database.to_string(), "postgres:5432/postgres");
        assert_eq!((database.user, database.password), (None, None));
    }

    #[test]
    fn what_is_left_out_has_the_drivers_defaults() {
        assert_eq!(parse("jdbc:postgresql://db").unwrap().to_string(), "db:5432/");
        assert_eq!(parse("jdbc:postgresql:orders").unwrap().to_string(), "localhost:5432/orders");
        assert_eq!(parse("jdbc:postgresql://[::1]:7/x").unwrap().host, "::1");
    }

    #[test]
    fn user_password_and_a_socket_directory_are_percent_decoded() {
        let database = parse("jdbc:postgresql://%2Ftmp%2Fpg:5433/db?user=a%40b&password=p%26q").unwrap();
        assert_eq!(database.host, "/tmp/pg");
        assert_eq!(database.user.as_deref(), Some("a@b"));
        assert_eq!(database.password.as_deref(), Some("p&q"));
    }

    #[test]
    fn tls_is_asked_for_as_the_driver_is() {
        let tls = |query: &str| parse(&format!("jdbc:postgresql://h/db?{query}")).unwrap().tls;
        assert_eq!(tls("ssl=true"), tls("sslmode=verify-full"));
        assert_ne!(tls("sslmode=require"), tls("sslmode=require&sslrootcert=%2Fca.pem"));
        assert_ne!(tls("sslcert=%2Fu.crt"), tls("sslcert=%2Fu.crt&sslkey=%2Fu.key"));
        assert!(parse("jdbc:postgresql://h/db?sslmode=on").unwrap_err().contains("allowed: disable"));
    }

    #[test]
    fn neither_an_error_nor_the_debug_text_shows_the_password() {
        let database = parse("jdbc:postgresql://h/db?password=s3cret").unwrap();
        assert!(!format!("{database:?} {database}").contains("s3cret"));
        for url in
            ["jdbc:mysql://u:s3cret@h/db", "jdbc:postgresql://u:s3cret@h/db", "jdbc:postgresql://h/d?password=s3cret%"]
        {
            assert!(!parse(url).unwrap_err().contains("s3cret"), "{url}");
        }
        assert!(parse("jdbc:postgresql://h/db?sslfactory=k").unwrap_err().contains("a parameter other than"));
    }
}
