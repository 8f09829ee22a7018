#![allow(clippy::unwrap_used)]

use super::*;
use crate::connect::{Field, Kind, Value, logical};

fn partitioner(keys: &[(&str, &str)]) -> Result<Partitioner, Stop> {
    let map = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Partitioner::parse(&Values(map), "/")
}

fn record(fields: &[(&str, Schema, Value)]) -> Datum {
    let field = |(name, schema, _): &(&str, Schema, Value)| Field {
        name: (*name).to_owned(),
        schema: Arc::new(schema.clone()),
    };
    let schema = Schema::new(Kind::Struct(fields.iter().map(field).collect()));
    Datum { schema: Some(Arc::new(schema)), value: Value::Struct(fields.iter().map(|field| field.2.clone()).collect()) }
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

const MOMENT: Moment = Moment { partition: 3, timestamp_ms: Some(1_618_269_963_655), now_ms: 0 };

fn encode(keys: &[(&str, &str)], value: &Datum) -> Result<String, Reason> {
    let mut partitioner = partitioner(keys).unwrap();
    partitioner.encode(&MOMENT, value).map(|(place, _)| place.to_owned())
}

#[test]
fn b1_5_by_default_a_partition_is_its_number() {
    assert_eq!(encode(&[], &record(&[])).unwrap(), "partition=3");
}

#[test]
fn b1_6_fields_are_names_and_values_of_integers_strings_and_booleans() {
    let class = ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner");
    let inner = record(&[("c", Schema::new(Kind::Int64), Value::Int64(-7))]);
    let value = record(&[
        ("a", Schema::new(Kind::String), text("x/y")),
        ("b", Schema::new(Kind::Bool).optional(), Value::Null),
        ("d", Schema::new(Kind::Float64), Value::Float64(1.0)),
        ("in", (**inner.schema.as_ref().unwrap()).clone(), inner.value.clone()),
    ]);
    let check = |names: &str| encode(&[class, ("partition.field.name", names)], &value);
    assert_eq!(check("a,b").unwrap(), "a=x/y/b=null");
    assert_eq!(check("in.c").unwrap(), "in.c=-7");
    assert!(check("d").unwrap_err().to_string().contains("FLOAT64"));
    assert!(check("z").unwrap_err().to_string().contains("no field"));
    assert_eq!(partitioner(&[class]).unwrap_err().what, "partition.field.name is missing: FieldPartitioner needs it");
}

fn timed<'a>(class: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut keys = vec![("partitioner.class", class), ("locale", "en-US"), ("timezone", "UTC")];
    keys.extend([("timestamp.extractor", "Record")].iter().chain(more));
    keys
}

#[test]
fn b1_8_hourly_and_daily_have_their_own_paths() {
    let check = |keys: &[(&str, &str)], expected: &str| assert_eq!(encode(keys, &record(&[])).unwrap(), expected);
    check(&timed("HourlyPartitioner", &[]), "year=2021/month=04/day=12/hour=23");
    check(&timed("DailyPartitioner", &[]), "year=2021/month=04/day=12");
    // Two hours later the day begins in Maputo.
    check(&timed("DailyPartitioner", &[("timezone", "Africa/Maputo")]), "year=2021/month=04/day=13");
    check(&timed("HourlyPartitioner", &[("timezone", "+05:30")]), "year=2021/month=04/day=13/hour=04");
}

#[test]
fn b1_7_a_time_is_cut_to_its_duration_in_local_time_and_printed_by_a_joda_pattern() {
    let check = |format: &str, duration: &str, expected: &str| {
        let keys = timed("TimeBasedPartitioner", &[("path.format", format), ("partition.duration.ms", duration)]);
        assert_eq!(encode(&keys, &record(&[])).unwrap(), expected, "{format}");
    };
    check("YYYY-MM-dd HH:mm:ss.SSS", "1", "2021-04-12 23:26:03.655");
    check("YYYY-MM-dd HH:mm:ss.SSS", "600000", "2021-04-12 23:20:00.000");
    check("'it''s' yy/M/d/h a/", "60000", "it's 21/4/12/11 PM");
    check("xxxx-'W'ww-e D EEE EEEE MMM MMMM Z ZZ G", "60000", "2021-W15-1 102 Mon Monday Apr April +0000 +00:00 AD");
}

#[test]
fn b1_7_a_time_partitioner_needs_duration_path_locale_and_zone() {
    let all = timed("TimeBasedPartitioner", &[("path.format", "YYYY"), ("partition.duration.ms", "1000")]);
    assert!(partitioner(&all).is_ok());
    for missing in ["locale", "timezone", "path.format", "partition.duration.ms"] {
        let keys: Vec<_> = all.iter().filter(|(key, _)| *key != missing).copied().collect();
        assert_eq!(partitioner(&keys).unwrap_err().what, format!("{missing} is missing"));
    }
    let with = |key: &'static str, value: &'static str| partitioner(&[&all[..], &[(key, value)]].concat());
    assert!(with("path.format", "/").unwrap_err().what.contains("a Joda pattern"));
    assert!(with("path.format", "Q").unwrap_err().what.contains("'Q' means nothing"));
    assert!(with("path.format", "'a").unwrap_err().what.contains("not closed"));
    assert!(with("partition.duration.ms", "0").is_err());
    assert!(with("timezone", "Mars").unwrap_err().what.contains("an IANA name or an offset"));
    let words = partitioner(&[&all[..], &[("path.format", "MMM"), ("locale", "pt_BR")]].concat());
    assert!(words.unwrap_err().what.contains("prints words"));
}

#[test]
fn b1_7_the_record_field_may_be_a_number_a_timestamp_or_a_text() {
    let keys = timed(
        "TimeBasedPartitioner",
        &[("path.format", "YYYYMMddHHmm"), ("partition.duration.ms", "1"), ("timestamp.extractor", "RecordField")],
    );
    let check = |kind: Kind, value: Value, expected: Option<&str>| {
        let found = encode(&keys, &record(&[("timestamp", Schema::new(kind), value)]));
        assert_eq!(found.ok().as_deref(), expected);
    };
    check(Kind::Int64, Value::Int64(86_400_000), Some("197001020000"));
    check(Kind::Int32, Value::Int32(60_000), Some("197001010001"));
    check(Kind::String, text("2021-04-12T22:39:23Z"), Some("202104122239"));
    check(Kind::String, text("2021-04-12T22:39:23-03:00"), Some("202104130139"));
    check(Kind::String, text("2021-04-12"), Some("202104120000"));
    check(Kind::String, text("60000"), Some("197001010001"));
    check(Kind::String, text("soon"), None);
    check(Kind::Float64, Value::Float64(1.0), None);
    let stamp = Schema::new(Kind::Int64).named(logical::TIMESTAMP);
    let found = encode(&keys, &record(&[("timestamp", stamp, Value::Int64(0))]));
    assert_eq!(found.unwrap(), "197001010000");
    let map = Value::Map(vec![(text("timestamp"), Value::Int64(0))]);
    assert_eq!(encode(&keys, &Datum { schema: None, value: map }).unwrap(), "197001010000");
}

#[test]
fn b8_a_tombstone_has_a_place_of_its_own() {
    assert_eq!(encode(&[], &Datum::NULL).unwrap(), "tombstone");
    assert_eq!(encode(&[("tombstone.encoded.partition", "gone")], &Datum::NULL).unwrap(), "gone");
}
