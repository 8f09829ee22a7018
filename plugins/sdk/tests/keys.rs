//! The bytes of keys: those of Kafka's own serializers, which ksqlDB's format KAFKA uses.
#![allow(clippy::unwrap_used)]

use smt_plugin::Key;
use std::fmt::Debug;

fn check<'a, K: Key<'a> + PartialEq + Debug>(key: K, bytes: &'a [u8]) {
    let mut written = Vec::new();
    key.write(&mut written);
    assert_eq!(written, bytes, "{key:?}");
    assert_eq!(K::read(bytes).unwrap(), key);
}

#[test]
fn a_string_is_its_utf8_and_nothing_else() {
    check("JOVEM", b"\x4a\x4f\x56\x45\x4d");
    check("ADULTO", b"\x41\x44\x55\x4c\x54\x4f");
    check("ção", b"\xc3\xa7\xc3\xa3\x6f");
    check("", b"");
    check("JOVEM".to_owned(), b"JOVEM");
    assert!(<&str>::read(b"\xff").is_err());
}

#[test]
fn whole_numbers_are_big_endian_all_their_bytes_long() {
    check(1i64, &[0, 0, 0, 0, 0, 0, 0, 1]);
    check(-1i64, &[0xff; 8]);
    check(-2i64, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]);
    check(i64::MIN, &[0x80, 0, 0, 0, 0, 0, 0, 0]);
    check(i64::MAX, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    check(1i32, &[0, 0, 0, 1]);
    check(-2i32, &[0xff, 0xff, 0xff, 0xfe]);
    for wrong in [&[0; 3][..], &[0; 5], &[0; 7], &[0; 9], &[]] {
        assert!(i64::read(wrong).is_err() && i32::read(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn bytes_stay_as_they_are() {
    check(&[0u8, 0xff][..], &[0, 0xff]);
    check(vec![7u8], &[7]);
}
