//! The audit of the sinks: what their objects hold, read back over S3, against their topics.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use comfy_table::Table;
use rdkafka::message::Message;
use serde_json::Value;

use super::sample;
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::kafka::reading::Reading;
use crate::kafka::standing::Standing;
use crate::registry::Registry;
use crate::sink::{Connector, Stored, stored};

/// So long sinks get for what they have not read or sent yet.
const SETTLE_MAX: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// A topic's records, by partition: their offsets and values as JSON.
type Topic = BTreeMap<i32, Vec<(i64, Value)>>;

/// What a sink's objects hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    objects: usize,
    records: usize,
    /// Behind the last object of each partition.
    waiting: usize,
}

/// Waits until only tails shorter than `flush.size` are not committed.
pub(super) fn settle(connectors: &[Connector], settings: &Settings) -> Result<(), Stop> {
    let begun = Instant::now();
    for connector in connectors {
        let standing = Standing::of(settings, &connector.group())?;
        for topic in connector.named_topics() {
            let mut offsets: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
            let reading = Reading::open(settings, topic)?;
            let partitions = BTreeMap::from([(topic.to_owned(), reading.partitions())]);
            reading.to_end(|record| offsets.entry(record.partition()).or_default().push(record.offset()))?;
            let is_settled = || -> Result<bool, Stop> {
                let committed = standing.committed(&partitions)?;
                let next = |partition: i32| committed.get(&(topic.to_owned(), partition)).map_or(0, |at| at.offset);
                let tail = |(partition, offsets): (&i32, &Vec<i64>)| {
                    let next = next(*partition);
                    offsets.iter().filter(|offset| **offset >= next).count() as u64
                };
                Ok(offsets.iter().map(tail).all(|tail| tail < connector.flush_size()))
            };
            // What is not there in time is told by the audit.
            while !is_settled()? && begun.elapsed() < SETTLE_MAX {
                std::thread::sleep(LOOK_INTERVAL);
            }
        }
    }
    Ok(())
}

/// Compares objects and topics, prints a table, and fails on a difference.
pub(super) fn check(connectors: &[Connector], settings: &Settings, registry: &Registry) -> Result<(), Stop> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["sink", "topic", "objects", "records in them", "wait for flush.size", ""]);
    let mut wrong = Vec::new();
    for connector in connectors {
        for topic in connector.named_topics() {
            let (found, records) = (stored(connector, topic)?, read(settings, registry, topic)?);
            let (held, verdict) = match compare(&found, &records, connector.flush_size()) {
                Ok(held) => (held, "ok"),
                Err(why) => {
                    wrong.push(format!("{}: {why}", connector.name));
                    (Held { objects: found.len(), ..Held::default() }, "DIFFERENT")
                }
            };
            let numbers = [held.objects, held.records, held.waiting].map(|number| number.to_string());
            let [objects, records, waiting] = &numbers;
            table.add_row([connector.name.as_str(), topic, objects, records, waiting, verdict]);
        }
    }
    println!("\n{table}");
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Stop::new(Exit::CheckFailed, format!("the objects do not hold what the topics do: {}", wrong.join("; "))))
}

fn read(settings: &Settings, registry: &Registry, topic: &str) -> Result<Topic, Stop> {
    let mut records = Topic::new();
    Reading::open(settings, topic)?.to_end(|record| {
        let json = record.payload().and_then(|value| sample::json(registry, value));
        // What is no Avro is equal to nothing, which the comparison shows.
        let value = json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        records.entry(record.partition()).or_default().push((record.offset(), value));
    })?;
    Ok(records)
}

/// Each object holds the records from the offset in its name on; the next begins where it ends.
fn compare(objects: &[Stored], topic: &Topic, flush_size: u64) -> Result<Held, String> {
    let mut held = Held { objects: objects.len(), ..Held::default() };
    let none = Vec::new();
    let mut rest: BTreeMap<i32, &[(i64, Value)]> = topic.iter().map(|(p, records)| (*p, &records[..])).collect();
    for Stored { partition, first, bytes } in objects {
        let place = format!("the object of partition {partition} from offset {first}");
        let records = contents(bytes).ok_or_else(|| format!("{place} cannot be read"))?;
        let left = rest.entry(*partition).or_insert(&none);
        let Some((expected, behind)) = left.split_at_checked(records.len()).filter(|_| !records.is_empty()) else {
            return Err(format!("{place} has {} records, and {} are left", records.len(), left.len()));
        };
        if expected[0].0 != *first {
            return Err(format!("{place} should begin at {}", expected[0].0));
        }
        if let Some(at) = records.iter().zip(expected).position(|(found, (_, expected))| found != expected) {
            return Err(format!("{place} has something else at record {at}"));
        }
        held.records += records.len();
        *left = behind;
    }
    held.waiting = rest.values().map(|left| left.len()).sum();
    match rest.into_iter().find(|(_, left)| left.len() as u64 >= flush_size) {
        Some((partition, left)) => Err(format!("{} records of partition {partition} are in no object", left.len())),
        None => Ok(held),
    }
}

/// The records of an Avro file, or of JSON lines.
fn contents(bytes: &[u8]) -> Option<Vec<Value>> {
    if bytes.starts_with(b"Obj\x01") {
        return apache_avro::Reader::new(bytes).ok()?.map(|record| Value::try_from(record.ok()?).ok()).collect();
    }
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    text.split('\n').map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(first: i64, text: &str) -> Stored {
        Stored { partition: 0, first, bytes: text.as_bytes().to_vec() }
    }

    /// Four records, with a transaction marker in the middle.
    fn topic() -> Topic {
        BTreeMap::from([(0, [0, 1, 3, 4].into_iter().map(|n| (n, Value::from(n))).collect())])
    }

    fn check(objects: &[Stored], expected: Result<Held, &str>) {
        assert_eq!(compare(objects, &topic(), 2), expected.map_err(str::to_owned), "{objects:?}");
    }

    #[test]
    fn objects_that_follow_each_other_are_counted_with_what_waits() {
        check(&[object(0, "0\n1\n"), object(3, "3\n4\n")], Ok(Held { objects: 2, records: 4, waiting: 0 }));
        check(&[object(0, "0\n1\n3\n")], Ok(Held { objects: 1, records: 3, waiting: 1 }));
    }

    #[test]
    fn a_record_that_is_lost_twice_or_another_is_found() {
        let place = |offset: i64| format!("the object of partition 0 from offset {offset}");
        check(&[object(0, "0\n1\n")], Err("2 records of partition 0 are in no object"));
        check(&[object(1, "1\n3\n")], Err(&format!("{} should begin at 0", place(1))));
        check(&[object(0, "0\n1\n"), object(1, "1\n3\n")], Err(&format!("{} should begin at 3", place(1))));
        check(&[object(0, "0\n7\n")], Err(&format!("{} has something else at record 1", place(0))));
        check(&[object(0, "")], Err(&format!("{} cannot be read", place(0))));
        let five = Err(format!("{} has 5 records, and 4 are left", place(0)));
        check(&[object(0, "0\n1\n3\n4\n5\n")], five.as_ref().map(|()| Held::default()).map_err(String::as_str));
    }
}
