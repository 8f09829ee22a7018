#![allow(clippy::unwrap_used)]

use super::*;
use crate::kafka::partition;
use proptest::prelude::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first from the reference (Kafka Streams' `WindowKeySchema.toBinary` with its key serialised as a string), the
/// others by its rule: the key's bytes, then the signed start, big-endian.
#[test]
fn output_keys_are_those_of_javas_time_windowed_serializer() {
    for (key, start, expected) in [
        ("JOVEM", 1_618_269_960_000, "4a4f56454d00000178c867f740"),
        ("ADULTO", 1_618_269_960_000, "4144554c544f00000178c867f740"),
        ("ação", 30_000, "61c3a7c3a36f0000000000007530"),
        ("", 0, "0000000000000000"),
        ("a", -30_000, "61ffffffffffff8ad0"),
    ] {
        assert_eq!(hex(&output_key(key.as_bytes(), Some(start))), expected, "{key}");
    }
    assert_eq!(output_key(b"JOVEM", None), b"JOVEM");
}

/// By Kafka's murmur2 of the key without its window; 2 and 3 partitions are in the reference as well.
#[test]
fn the_partition_of_a_group_does_not_depend_on_its_window() {
    let over = |key: &[u8]| (1..=12).map(|partitions| partition::of_key(key, partitions)).collect::<Vec<_>>();
    let (young, adult) = (over(b"JOVEM"), over(b"ADULTO"));
    assert_eq!((young[1], adult[1], young[2], adult[2]), (1, 1, 2, 0));
    assert_eq!(young, JOVEM);
    assert_eq!(adult, ADULTO);
}

/// toPositive(murmur2(key)) is 1035415043 and 1004832999, by an independent implementation that gives Kafka's own
/// vectors.
const JOVEM: [i32; 12] = [0, 1, 2, 3, 3, 5, 5, 3, 8, 3, 3, 11];
const ADULTO: [i32; 12] = [0, 1, 0, 3, 4, 3, 2, 7, 0, 9, 5, 3];

#[test]
fn formats_are_these_bytes() {
    let entry = Entry { count: 3, greatest: -1, accumulator: b"xy" };
    let mut to = Vec::new();
    encode_partial(&Partial { pane: None, entry }, &mut to);
    assert_eq!(hex(&to), "01000000000000000003ffffffffffffffff7879");
    to.clear();
    encode_partial(&Partial { pane: Some(Pane { start: 10, first_open: -10 }), entry }, &mut to);
    assert_eq!(hex(&to), "0101000000000000000afffffffffffffff60000000000000003ffffffffffffffff7879");
    let marker = encode_marker(&[(SourcePartition::new("in", 2), 7)]);
    assert_eq!(hex(&marker), "0102000000010002696e000000020000000000000007");
    assert_eq!(hex(&group_key(-1, b"k")), "017fffffffffffffff6b");
    assert_eq!(hex(&group_key(0, b"k")), "0180000000000000006b");
    assert_eq!(hex(&encode_entry(&entry)), "010000000000000003ffffffffffffffff7879");
    assert_eq!(hex(&encode_meta(Some(1), [].into_iter())), "0101000000000000000100000000");
}

#[test]
fn what_cannot_be_read_is_said() {
    for (bytes, error) in [
        (&[][..], Unreadable::Short),
        (&[2, 0], Unreadable::Version(2)),
        (&[1, 3], Unreadable::Kind(3)),
        (&[1, 0, 0], Unreadable::Short),
        (&[1, 1, 0x7f, 0, 0, 0, 0, 0, 0, 0], Unreadable::Time(0x7f00_0000_0000_0000)),
        (&[1, 2, 0, 0, 0, 0, 9], Unreadable::Trailing(1)),
        (&[1, 2, 0xff, 0xff, 0xff, 0xff], Unreadable::Short),
        (&[1, 2, 0, 0, 0, 1, 0, 1, 0xff], Unreadable::Topic),
    ] {
        assert_eq!(decode_repartition(bytes), Err(error), "{bytes:?}");
    }
}

fn time() -> impl Strategy<Value = i64> {
    -EVENT_TIME_MAX..=EVENT_TIME_MAX
}

proptest! {
    #[test]
    fn partials_survive(pane: Option<()>, start in time(), first_open in time(), count: u64, greatest in time(), accumulator: Vec<u8>) {
        let entry = Entry { count, greatest, accumulator: &accumulator };
        let partial = Partial { pane: pane.map(|()| Pane { start, first_open }), entry };
        let mut to = Vec::new();
        encode_partial(&partial, &mut to);
        prop_assert_eq!(decode_repartition(&to), Ok(Repartition::Partial(partial)));
        let to = encode_entry(&entry);
        prop_assert_eq!(decode_entry(&to), Ok(entry));
    }

    #[test]
    fn times_survive(times in prop::collection::vec((".{0,60}", any::<i32>(), time()), 0..5), watermark in prop::option::of(time())) {
        let times: Vec<_> = times.into_iter().map(|(topic, at, time)| (SourcePartition::new(topic, at), time)).collect();
        let marker = encode_marker(&times);
        prop_assert_eq!(decode_repartition(&marker), Ok(Repartition::Marker(times.clone())));
        let meta = encode_meta(watermark, times.iter().map(|(source, time)| (source, *time)));
        prop_assert_eq!(decode_meta(&meta), Ok((watermark, times)));
    }

    #[test]
    fn group_keys_survive_and_sort_by_window_start_first(a: i64, b: i64, key: Vec<u8>, other: Vec<u8>) {
        let (first, second) = (group_key(a, &key), group_key(b, &other));
        prop_assert_eq!(parse_group_key(&first), Some((a, key.as_slice())));
        prop_assert_eq!(first.cmp(&second), (a, key).cmp(&(b, other)));
    }

    #[test]
    fn garbage_never_panics(mut bytes: Vec<u8>, begins in 0u8..4) {
        decode_repartition(&bytes).ok();
        bytes.splice(0..0, [1, begins]);
        decode_repartition(&bytes).ok();
        decode_entry(&bytes).ok();
        decode_meta(&bytes).ok();
        parse_group_key(&bytes);
    }
}
