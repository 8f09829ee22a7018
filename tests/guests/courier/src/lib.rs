//! A text of commands, one record for each: `plain`, `key=…`, `no key`, `timestamp=…`, `headers`, `tombstone=…`. A
//! tombstone is answered by one record that says so.

use smt_plugin::{Record, Reject, transform};

#[transform(topic = "courier")]
pub fn courier<'a>(commands: Option<&'a str>) -> impl Iterator<Item = Result<Record<&'a str, &'a str>, Reject>> {
    commands.unwrap_or("a tombstone").split(';').map(obey)
}

fn obey(command: &str) -> Result<Record<&str, &str>, Reject> {
    let plain = Record::from(command);
    Ok(match command.split_once('=').unwrap_or((command, "")) {
        ("key", key) => plain.key(key),
        ("no key", _) => plain.no_key(),
        ("timestamp", text) => plain.timestamp(text.parse().map_err(Reject::new)?),
        ("headers", _) => plain.header("added", "1").header("replaced", [0xff]).remove_header("removed"),
        ("tombstone", key) => Record::tombstone().key(key),
        _ => plain,
    })
}
