//! Every type against apache-avro: it reads what we write, we read what it writes, and it accepts our schemas.
#![allow(clippy::unwrap_used)]
#![allow(deprecated)] // apache-avro's plain datum functions say it in one line; their successors are builders.

use apache_avro::types::Value;
use apache_avro::{Schema, from_avro_datum, to_avro_datum};
use smt_plugin::{
    AvroEnum, AvroRecord, Date, Decimal, Decode, Encode, TimeMicros, TimeMillis, TimestampMicros, TimestampMillis,
    Uuid, decode_record, schema_of,
};
use std::fmt::Debug;

#[derive(AvroRecord, Debug, PartialEq, Clone, Copy)]
struct Place<'a> {
    street: &'a str,
    number: Option<i32>,
}

#[derive(AvroEnum, Debug, PartialEq, Clone, Copy)]
#[avro(rename_all = "UPPERCASE")]
enum Colour {
    Red,
    #[avro(rename = "VERDE")]
    Green,
}

#[derive(AvroRecord, Debug, PartialEq)]
#[avro(namespace = "org.example")]
struct Everything<'a> {
    text: &'a str,
    bytes: &'a [u8],
    int: i32,
    long: i64,
    float: f32,
    double: f64,
    flag: bool,
    nothing: Option<&'a str>,
    date: Date,
    time_millis: TimeMillis,
    time_micros: TimeMicros,
    timestamp_millis: TimestampMillis,
    timestamp_micros: Option<TimestampMicros>,
    price: Decimal<20, 2>,
    id: Uuid,
    list: Vec<&'a str>,
    map: Vec<(&'a str, i64)>,
    home: Place<'a>,
    work: Option<Place<'a>>,
    colours: Vec<Colour>,
    hash: [u8; 4],
    other_hash: [u8; 4],
    owned: String,
    owned_bytes: Vec<u8>,
}

fn everything(n: i64) -> Everything<'static> {
    Everything {
        text: "ação",
        bytes: &[0, 255],
        int: n as i32,
        long: n,
        float: -0.5,
        double: 1e300,
        flag: true,
        nothing: None,
        date: Date(-1),
        time_millis: TimeMillis(86_399_999),
        time_micros: TimeMicros(1),
        timestamp_millis: TimestampMillis(n),
        timestamp_micros: Some(TimestampMicros(n)),
        price: Decimal(i128::from(n)),
        id: Uuid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        list: vec!["a", ""],
        map: vec![("k", n)],
        home: Place { street: "Rua", number: Some(7) },
        work: Some(Place { street: "", number: None }),
        colours: vec![Colour::Green, Colour::Red],
        hash: *b"abcd",
        other_hash: [0; 4],
        owned: "own".to_owned(),
        owned_bytes: vec![],
    }
}

fn encoded(value: &impl Encode) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

#[test]
fn apache_avro_reads_what_we_write_and_we_read_what_it_writes() {
    let schema = Schema::parse_str(&schema_of::<Everything<'_>>()).unwrap();
    for n in [0, -1, 63, 64, -65, 127, 128, -128, -129, 32_767, i64::from(i32::MAX), i64::MIN, i64::MAX] {
        let ours = encoded(&everything(n));
        let value = from_avro_datum(&schema, &mut ours.as_slice(), None).unwrap();
        let theirs = to_avro_datum(&schema, value).unwrap();
        assert_eq!(decode_record::<Everything<'_>>(&theirs).unwrap(), everything(n));
        assert_eq!(decode_record::<Everything<'_>>(&ours).unwrap(), everything(n));
    }
}

#[test]
fn the_values_apache_avro_sees_are_the_ones_meant() {
    let schema = Schema::parse_str(&schema_of::<Everything<'_>>()).unwrap();
    let Value::Record(fields) = from_avro_datum(&schema, &mut encoded(&everything(300)).as_slice(), None).unwrap()
    else {
        panic!("not a record")
    };
    let field = |name: &str| &fields.iter().find(|(n, _)| n == name).unwrap().1;
    assert_eq!(field("text"), &Value::String("ação".to_owned()));
    assert_eq!(field("double"), &Value::Double(1e300));
    assert_eq!(field("nothing"), &Value::Union(0, Box::new(Value::Null)));
    assert_eq!(field("date"), &Value::Date(-1));
    assert_eq!(field("time_millis"), &Value::TimeMillis(86_399_999));
    assert_eq!(field("timestamp_millis"), &Value::TimestampMillis(300));
    assert_eq!(field("price"), &Value::Decimal([1, 44].into()));
    assert!(matches!(field("id"), Value::Uuid(id) if id.to_string() == "01234567-89ab-cdef-0123-456789abcdef"));
    assert_eq!(
        field("colours"),
        &Value::Array(vec![Value::Enum(1, "VERDE".to_owned()), Value::Enum(0, "RED".to_owned())])
    );
    assert_eq!(field("hash"), &Value::Fixed(4, b"abcd".to_vec()));
}

#[test]
fn no_record_cut_short_or_too_long_is_taken_for_a_whole_one() {
    let whole = encoded(&everything(1));
    for end in 0..whole.len() {
        assert!(decode_record::<Everything<'_>>(&whole[..end]).is_err(), "cut at {end}");
    }
    let longer = [whole, vec![0]].concat();
    assert!(decode_record::<Everything<'_>>(&longer).is_err());
}

fn refused<'a, T: Decode<'a> + Debug>(bytes: &'a [u8]) -> String {
    decode_record::<T>(bytes).unwrap_err().to_string()
}

#[test]
fn hostile_bytes_are_refused_with_a_reason() {
    assert_eq!(refused::<i64>(&[0xff; 11]), "a number is out of range");
    assert_eq!(refused::<i32>(&[0x80, 0x80, 0x80, 0x80, 0x10]), "a number is out of range");
    assert_eq!(refused::<&str>(&[1]), "length -1 does not fit the record");
    assert_eq!(refused::<&str>(&[2, 0xff]), "a string is not UTF-8");
    assert_eq!(refused::<bool>(&[2]), "there is no branch or symbol 2");
    assert_eq!(refused::<Option<i32>>(&[4]), "there is no branch or symbol 2");
    assert_eq!(refused::<Colour>(&[4]), "there is no branch or symbol 2");
    assert_eq!(refused::<Vec<i32>>(&[0x80, 0x80, 0x80, 0x80, 0x80, 1]), "length 17179869184 does not fit the record");
    assert_eq!(refused::<Uuid>(&[2, b'0']), "not a valid uuid");
}

#[test]
fn an_array_in_blocks_with_sizes_is_read_too() {
    // Two blocks: one with its size in bytes, one without.
    assert_eq!(decode_record::<Vec<i32>>(&[3, 4, 2, 4, 2, 6, 0]).unwrap(), [1, 2, 3]);
}

#[test]
fn dates_are_counted_from_1970() {
    assert_eq!(Date::ymd(1970, 1, 1), Date(0));
    assert_eq!(Date::ymd(2000, 1, 1), Date(10957));
    assert_eq!(Date::ymd(2000, 3, 1), Date(11017));
    assert_eq!(Date::ymd(1969, 12, 31), Date(-1));
    assert_eq!(Date::ymd(1, 1, 1), Date(-719_162));
}
