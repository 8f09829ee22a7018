//! Where a table stands, and how Connect writes that down.
//!
//! The bytes are exactly those of a Connect worker, so that either system can go on where the other stopped. Member
//! order is that of a Java HashMap.

use serde_json::{Value, json};

/// How far a table was read. Times are microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Offset {
    pub(super) timestamp: Option<i64>,
    pub(super) incrementing: Option<i64>,
}

impl Offset {
    /// The offset record's value; none where there is nothing to remember.
    pub(super) fn to_bytes(self) -> Option<Vec<u8>> {
        let mut members = Vec::new();
        if let Some(micros) = self.timestamp {
            members.push(format!(r#""timestamp_nanos":{}"#, micros.rem_euclid(1_000_000) * 1000));
        }
        if let Some(id) = self.incrementing {
            members.push(format!(r#""incrementing":{id}"#));
        }
        if let Some(micros) = self.timestamp {
            members.push(format!(r#""timestamp":{}"#, micros.div_euclid(1000)));
        }
        (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")).into_bytes())
    }

    /// None: this is no offset of ours.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Offset> {
        let map: Value = serde_json::from_slice(bytes).ok()?;
        let number = |key: &str| map.get(key).and_then(Value::as_i64);
        let timestamp = number("timestamp").map(|millis| match number("timestamp_nanos") {
            Some(nanos) => millis.div_euclid(1000) * 1_000_000 + nanos / 1000,
            None => millis * 1000,
        });
        let offset = Offset { timestamp, incrementing: number("incrementing") };
        (offset != Offset::default()).then_some(offset)
    }
}

/// The offset record's key. `table` is schema.table, without quotes; none: the connector's one query.
pub(super) fn key_bytes(connector: &str, table: Option<&str>) -> Vec<u8> {
    let connector = json!(connector);
    match table {
        Some(table) => format!(r#"[{connector},{{"protocol":"1","table":{}}}]"#, json!(table)),
        None => format!(r#"[{connector},{{"query":"query"}}]"#),
    }
    .into_bytes()
}

/// Which protocol wrote this key, if it is this connector's key for this table or for its query.
pub(super) fn key_protocol(key: &[u8], connector: &str, table: Option<&str>) -> Option<u8> {
    let key: Value = serde_json::from_slice(key).ok()?;
    let Some(table) = table else { return (key == json!([connector, { "query": "query" }])).then_some(1) };
    let bare = table.rsplit_once('.').map_or(table, |(_, bare)| bare);
    if key == json!([connector, { "protocol": "1", "table": table }]) {
        return Some(1);
    }
    (key == json!([connector, { "table": bare }])).then_some(0)
}

/// Whether a batch may end between a row at `last` and the next row at `next`.
///
/// Never inside a run of equal offsets: both bounds of the query are exclusive, so the rest of the run would be lost
/// (if the run's offset were stored) or its start sent twice (if the one before it were).
pub(super) fn may_end(pending: usize, batch_max: usize, last: Offset, next: Offset) -> bool {
    pending >= batch_max && (next == Offset::default() || last != next)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const AT: i64 = 1_618_269_963_655_123;

    fn at(micros: i64) -> Offset {
        Offset { timestamp: Some(micros), incrementing: None }
    }

    #[test]
    fn a_key_has_connects_bytes() {
        let text = |table| String::from_utf8(key_bytes("postg-connector", table)).unwrap();
        let of_table = r#"["postg-connector",{"protocol":"1","table":"public.customers"}]"#;
        assert_eq!(text(Some("public.customers")), of_table);
        assert_eq!(text(None), r#"["postg-connector",{"query":"query"}]"#);
    }

    #[test]
    fn a_value_has_connects_bytes() {
        let text = |offset: Offset| String::from_utf8(offset.to_bytes().unwrap()).unwrap();
        assert_eq!(text(at(AT)), r#"{"timestamp_nanos":655123000,"timestamp":1618269963655}"#);
        let both = Offset { timestamp: Some(AT), incrementing: Some(7) };
        assert_eq!(text(both), r#"{"timestamp_nanos":655123000,"incrementing":7,"timestamp":1618269963655}"#);
        let id = Offset { timestamp: None, incrementing: Some(7) };
        assert_eq!(text(id), r#"{"incrementing":7}"#);
        assert_eq!(Offset::default().to_bytes(), None);
    }

    #[test]
    fn an_offset_survives_being_stored_and_read() {
        for micros in [AT, 0, -1, 999_999, -1_000_001] {
            assert_eq!(Offset::from_bytes(&at(micros).to_bytes().unwrap()), Some(at(micros)), "{micros}");
        }
    }

    #[test]
    fn an_offset_without_nanos_is_read_too() {
        assert_eq!(Offset::from_bytes(br#"{"timestamp":1618269963655}"#), Some(at(1_618_269_963_655_000)));
        assert_eq!(Offset::from_bytes(b"null"), None);
    }

    #[test]
    fn a_key_is_found_whatever_its_member_order_and_by_the_legacy_protocol() {
        let find = |key: &str| key_protocol(key.as_bytes(), "c", Some("public.t"));
        assert_eq!(find(r#"["c",{"table":"public.t","protocol":"1"}]"#), Some(1));
        assert_eq!(find(r#"["c",{"table":"t"}]"#), Some(0));
        assert_eq!(find(r#"["d",{"table":"t"}]"#), None);
        assert_eq!(find(r#"["c",{"protocol":"1","table":"x.t"}]"#), None);
        assert_eq!(find("no json"), None);
        assert_eq!(find(r#"["c",{"query":"query"}]"#), None);
        assert_eq!(key_protocol(&key_bytes("c", None), "c", None), Some(1));
    }

    #[test]
    fn a_batch_ends_only_where_the_next_row_is_strictly_later() {
        assert!(may_end(2, 2, at(1), at(2)));
        assert!(!may_end(2, 2, at(1), at(1)));
        assert!(!may_end(1, 2, at(1), at(2)));
        assert!(may_end(2, 2, Offset::default(), Offset::default()));
    }
}
