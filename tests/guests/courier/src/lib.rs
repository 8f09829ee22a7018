//! A text of commands, one record for each: `plain`, `key=…`, `no key`, `timestamp=…`, `headers`, `tombstone=…`; and
//! `number=…`, a record to another output with an Avro key. A tombstone is answered by one record that says so.

use smt_plugin::{AvroRecord, Outputs, Record, Reject, transform};

#[derive(AvroRecord)]
pub struct Id {
    n: i64,
}

#[derive(Outputs)]
pub enum Sent<'a> {
    Plain(Record<&'a str, &'a str>),
    #[output(topic = "courier-numbered")]
    Numbered(Record<&'a str, Id>),
}

#[transform(topic = "courier")]
pub fn courier<'a>(commands: Option<&'a str>) -> impl Iterator<Item = Result<Sent<'a>, Reject>> {
    commands.unwrap_or("a tombstone").split(';').map(obey)
}

fn obey(command: &str) -> Result<Sent<'_>, Reject> {
    let (what, value) = command.split_once('=').unwrap_or((command, ""));
    if what == "number" {
        let id = Id { n: value.parse().map_err(Reject::new)? };
        return Ok(Sent::Numbered(Record::new(command).key(id)));
    }
    let plain = Record::from(command);
    Ok(Sent::Plain(match what {
        "key" => plain.key(value),
        "no key" => plain.no_key(),
        "timestamp" => plain.timestamp(value.parse().map_err(Reject::new)?),
        "headers" => plain.header("added", "1").header("replaced", [0xff]).remove_header("removed"),
        "tombstone" => Record::tombstone().key(value),
        _ => plain,
    }))
}
