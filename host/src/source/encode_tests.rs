#![allow(clippy::unwrap_used)]

use super::super::clock::{Granularity, INFINITY_MILLIS, Zone};
use super::*;

fn encoded(encoder: &Encoder, raw: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    encoder.encode(raw, &mut out).map(|()| out).map_err(|why| why.to_string())
}

fn avro(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    long(value, &mut out);
    out
}

fn day(calendar: Calendar, unix: i64) -> i64 {
    date(calendar, (unix - EPOCH_2000_DAYS) as i32).unwrap()
}

#[test]
fn longs_are_zigzag_coded() {
    assert_eq!(avro(0), [0]);
    assert_eq!(avro(-1), [1]);
    assert_eq!(avro(64), [0x80, 1]);
    assert_eq!(avro(i64::MIN), [255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
}

#[test]
fn dates_before_the_gregorian_calendar_follow_the_julian_one_unless_told_otherwise() {
    assert_eq!(day(Calendar::Legacy, -719_162), -719_164);
    assert_eq!(day(Calendar::Legacy, -171_664), -171_655);
    assert_eq!(day(Calendar::Proleptic, -719_162), -719_162);
    // 1582-10-05 to 14 fold onto 1582-10-15 to 24.
    assert_eq!(day(Calendar::Legacy, GREGORIAN_START - 10), GREGORIAN_START);
    assert_eq!(day(Calendar::Legacy, GREGORIAN_START), GREGORIAN_START);
}

#[test]
fn timestamps_are_cut_downwards_to_milliseconds_before_1970_too() {
    let (granularity, zone) = (Granularity::ConnectLogical, Zone::UTC);
    let clock = Encoder::Timestamp(Clock { calendar: Calendar::Legacy, granularity, zone, is_wall: true });
    let of = |raw: i64| encoded(&clock, &raw.to_be_bytes()).unwrap();
    assert_eq!(of(1_618_269_963_655_999 - EPOCH_2000_MICROS), avro(1_618_269_963_655));
    assert_eq!(of(-1 - EPOCH_2000_MICROS), avro(-1));
    assert_eq!(of(i64::MAX), avro(INFINITY_MILLIS));
}

#[test]
fn the_infinite_date_is_refused_and_24_hours_are_kept() {
    let refused = encoded(&Encoder::Date(Calendar::Legacy), &i32::MAX.to_be_bytes());
    assert_eq!(refused, Err("the date infinity".into()));
    assert_eq!(encoded(&Encoder::Time, &DAY_MICROS.to_be_bytes()), Ok(avro(86_400_000)));
}

#[test]
fn bit_strings_are_read_as_decimal_numbers_where_they_fit() {
    assert_eq!(encoded(&Encoder::BitNumber, &[0, 0, 0, 4, 0x50]), Ok(avro(101)));
    let refused = encoded(&Encoder::BitNumber, &[0, 0, 0, 8, 0x81]);
    assert_eq!(refused, Err("bit string 10000001, read as a number, does not fit int8".into()));
    assert_eq!(encoded(&Encoder::BitDigits, &[0, 0, 0, 9, 0x80, 0x80]).unwrap()[1..], *b"100000001");
}

#[test]
fn money_of_a_thousand_and_more_is_kept() {
    let expected = 1234.5_f64.to_le_bytes().to_vec();
    assert_eq!(encoded(&Encoder::Money, &123_450_i64.to_be_bytes()), Ok(expected));
}

#[test]
fn a_numeric_that_does_not_fit_is_refused_and_never_rounded() {
    // 1.5: one digit before the point, one after it.
    let one_and_a_half = [0, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0x13, 0x88];
    let nan = [0, 0, 0, 0, 0xC0, 0, 0, 0];
    assert_eq!(encoded(&Encoder::Decimal { scale: 2 }, &one_and_a_half), Ok(vec![4, 0, 150]));
    assert!(encoded(&Encoder::NumericInt { bits: 8 }, &one_and_a_half).is_err());
    assert_eq!(encoded(&Encoder::NumericDouble, &one_and_a_half), Ok(1.5_f64.to_le_bytes().to_vec()));
    assert_eq!(encoded(&Encoder::Decimal { scale: 2 }, &nan), Err("the numeric NaN".into()));
    let hundred_thirty = [0, 1, 0, 0, 0, 0, 0, 0, 0, 130];
    assert!(encoded(&Encoder::NumericInt { bits: 8 }, &hundred_thirty).is_err());
    assert_eq!(encoded(&Encoder::NumericInt { bits: 16 }, &hundred_thirty), Ok(avro(130)));
}

#[test]
fn bytes_that_are_no_value_are_refused_and_do_not_panic() {
    for encoder in [Encoder::Int4, Encoder::Jsonb, Encoder::Bit1, Encoder::Uuid, Encoder::Decimal { scale: 0 }] {
        assert!(encoded(&encoder, &[]).is_err(), "{encoder:?}");
        assert!(encoded(&encoder, &[0, 9, 0]).is_err(), "{encoder:?}");
    }
}
