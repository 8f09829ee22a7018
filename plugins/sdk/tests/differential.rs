//! Random records of every type, against apache-avro: each reads what the other writes, and no bytes make us panic.
#![allow(clippy::unwrap_used)]
#![allow(deprecated)] // apache-avro's plain datum functions say it in one line; their successors are builders.

use apache_avro::{Schema, from_avro_datum, to_avro_datum};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use smt_plugin::{
    AvroEnum, AvroRecord, AvroSchema, Date, Decimal, Encode, TimeMicros, TimeMillis, TimestampMicros, TimestampMillis,
    Uuid, decode_record,
};
use std::sync::LazyLock;

#[derive(AvroEnum, Debug, PartialEq, Clone, Copy)]
enum Colour {
    Red,
    Green,
    Blue,
}

#[derive(AvroRecord, Debug, PartialEq, Clone)]
struct Place {
    street: String,
    number: Option<i32>,
}

#[derive(AvroRecord, Debug, PartialEq, Clone)]
struct Everything {
    text: String,
    bytes: Vec<u8>,
    int: i32,
    long: i64,
    float: f32,
    double: f64,
    flag: bool,
    maybe: Option<String>,
    times: Times,
    #[avro(fixed = "Hash")]
    hash: [u8; 3],
    unnamed: [u8; 2],
    colours: Vec<Colour>,
    places: Vec<Option<Place>>,
    map: Vec<(String, Vec<i64>)>,
    maybe_list: Option<Vec<f64>>,
}

#[derive(AvroRecord, Debug, PartialEq, Clone)]
struct Times {
    date: Option<Date>,
    time_millis: TimeMillis,
    time_micros: TimeMicros,
    timestamp_millis: TimestampMillis,
    timestamp_micros: Option<TimestampMicros>,
    price: Decimal<38, 2>,
    id: Option<Uuid>,
}

/// The same schema, borrowed.
#[derive(AvroRecord, Debug)]
#[avro(name = "Everything")]
struct Borrowed<'a> {
    text: &'a str,
    bytes: &'a [u8],
    int: i32,
    long: i64,
    float: f32,
    double: f64,
    flag: bool,
    maybe: Option<&'a str>,
    times: Times,
    #[avro(fixed = "Hash")]
    hash: [u8; 3],
    unnamed: [u8; 2],
    colours: Vec<Colour>,
    places: Vec<Option<BorrowedPlace<'a>>>,
    map: Vec<(&'a str, Vec<i64>)>,
    maybe_list: Option<Vec<f64>>,
}

#[derive(AvroRecord, Debug)]
#[avro(name = "Place")]
struct BorrowedPlace<'a> {
    street: &'a str,
    number: Option<i32>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse_str(Everything::TEXT).unwrap());

fn times() -> impl Strategy<Value = Times> {
    let clocks = (any::<Option<i32>>(), any::<i32>(), any::<i64>(), any::<i64>(), any::<Option<i64>>());
    let numbers = (-10i128.pow(37)..10i128.pow(37), any::<Option<u128>>());
    (clocks, numbers).prop_map(|((date, time_millis, time_micros, timestamp_millis, micros), (price, id))| Times {
        date: date.map(Date),
        time_millis: TimeMillis(time_millis),
        time_micros: TimeMicros(time_micros),
        timestamp_millis: TimestampMillis(timestamp_millis),
        timestamp_micros: micros.map(TimestampMicros),
        price: Decimal(price),
        id: id.map(Uuid),
    })
}

fn places() -> impl Strategy<Value = Vec<Option<Place>>> {
    let place = (any::<String>(), any::<Option<i32>>()).prop_map(|(street, number)| Place { street, number });
    vec(proptest::option::of(place), 0..4)
}

fn everything() -> impl Strategy<Value = Everything> {
    let colours = vec(proptest::sample::select(vec![Colour::Red, Colour::Green, Colour::Blue]), 0..4);
    let plain = (any::<String>(), vec(any::<u8>(), 0..9), any::<i32>(), any::<i64>(), any::<f32>(), any::<f64>());
    let small = (any::<bool>(), any::<Option<String>>(), any::<[u8; 3]>(), any::<[u8; 2]>());
    let lists = (places(), btree_map(any::<String>(), vec(any::<i64>(), 0..3), 0..4), any::<Option<Vec<f64>>>());
    (plain, small, times(), colours, lists).prop_map(|(plain, small, times, colours, (places, map, maybe_list))| {
        let (text, bytes, int, long, float, double) = plain;
        let (flag, maybe, hash, unnamed) = small;
        let map = map.into_iter().collect();
        Everything {
            text,
            bytes,
            int,
            long,
            float,
            double,
            flag,
            maybe,
            times,
            hash,
            unnamed,
            colours,
            places,
            map,
            maybe_list,
        }
    })
}

fn encoded(value: &impl Encode) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

/// Apache-avro keeps a map in no order.
fn sorted(mut record: Everything) -> Everything {
    record.map.sort_by(|a, b| a.0.cmp(&b.0));
    record
}

proptest! {
    #[test]
    fn apache_avro_and_we_read_each_other(record in everything()) {
        let ours = encoded(&record);
        let value = from_avro_datum(&SCHEMA, &mut ours.as_slice(), None).unwrap();
        let theirs = to_avro_datum(&SCHEMA, value).unwrap();
        let read = sorted(decode_record::<Everything>(&theirs).unwrap());
        prop_assert_eq!(&read, &sorted(record));
        // Floats compare as bits here: -0.0 is not 0.0.
        prop_assert_eq!(encoded(&read), encoded(&sorted(decode_record(&ours).unwrap())));
    }

    #[test]
    fn a_borrowing_record_reads_and_writes_the_same_bytes(record in everything()) {
        let bytes = encoded(&record);
        prop_assert_eq!(encoded(&decode_record::<Borrowed<'_>>(&bytes).unwrap()), bytes);
    }

    #[test]
    fn a_record_cut_short_is_an_error(record in everything(), cut in any::<prop::sample::Index>()) {
        let bytes = encoded(&record);
        prop_assert!(decode_record::<Everything>(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn changed_bytes_never_panic_and_what_is_read_from_them_is_a_record(
        record in everything(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encoded(&record);
        let len = bytes.len();
        changes.iter().for_each(|(at, byte)| bytes[at.index(len)] = *byte);
        if let Ok(read) = decode_record::<Everything>(&bytes) {
            prop_assert!(from_avro_datum(&SCHEMA, &mut encoded(&read).as_slice(), None).is_ok());
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        decode_record::<Borrowed<'_>>(&bytes).ok();
    }
}

#[test]
fn the_borrowed_and_the_owned_schema_are_one() {
    assert_eq!(Borrowed::TEXT, Everything::TEXT);
}

/// The host resolves a writer's `[T, null]` to the plugin's `[null, T]`; here apache-avro stands for it.
#[test]
fn a_nullable_field_is_read_whichever_branch_its_writer_put_first() {
    let writer = Place::TEXT.replace(r#"["null","int"],"default":null"#, r#"["int","null"]"#);
    assert_ne!(writer, Place::TEXT);
    let (writer, reader) = (Schema::parse_str(&writer).unwrap(), Schema::parse_str(Place::TEXT).unwrap());
    for (written, number) in [(&[2, b'x', 0, 14][..], Some(7)), (&[2, b'x', 2], None)] {
        let value = from_avro_datum(&writer, &mut &*written, Some(&reader)).unwrap();
        let place = decode_record::<Place>(&to_avro_datum(&reader, value).unwrap()).unwrap();
        assert_eq!(place, Place { street: "x".to_owned(), number });
    }
}
