//! A connector's offsets as whoever moves them writes them: with the bytes that the connector itself writes, so that
//! compaction keeps one of both.

use serde_json::{Map, Value, json};

use super::offset::{Offset, key_bytes};

/// The key of a partition as Connect shows it. None: no partition of this source.
pub(crate) fn key(connector: &str, partition: &Map<String, Value>) -> Option<Vec<u8>> {
    let text = |key: &str| partition.get(key).and_then(Value::as_str);
    match (partition.len(), text("table"), text("protocol"), text("query")) {
        (2, Some(table), Some("1"), _) => Some(key_bytes(connector, Some(table))),
        // As written by old versions; read where there is no newer one.
        (1, Some(table), None, _) => {
            Some(format!("[{},{{\"table\":{}}}]", json!(connector), json!(table)).into_bytes())
        }
        (1, None, None, Some("query")) => Some(key_bytes(connector, None)),
        _ => None,
    }
}

/// The value of an offset. None: not one of this source.
pub(crate) fn value(offset: &Map<String, Value>) -> Option<Vec<u8>> {
    let known = ["timestamp", "timestamp_nanos", "incrementing"];
    if offset.iter().any(|(key, value)| !known.contains(&key.as_str()) || !value.is_i64()) {
        return None;
    }
    let bytes = Value::Object(offset.clone()).to_string();
    Offset::from_bytes(bytes.as_bytes())?.to_bytes()
}

/// Who writes with it fences whoever did before.
pub(crate) fn transactional_id(connector: &str) -> String {
    format!("smt-source-{connector}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_is_given_in_any_order_gets_the_bytes_of_the_connector() {
        let key = |given: Value| key("c", &map(given)).map(|bytes| String::from_utf8(bytes).unwrap());
        let of_table = r#"["c",{"protocol":"1","table":"public.t"}]"#;
        assert_eq!(key(json!({ "table": "public.t", "protocol": "1" })).as_deref(), Some(of_table));
        assert_eq!(key(json!({ "table": "t" })).as_deref(), Some(r#"["c",{"table":"t"}]"#));
        assert_eq!(key(json!({ "query": "query" })).as_deref(), Some(r#"["c",{"query":"query"}]"#));
        assert_eq!(key(json!({ "filename": "x" })), None);
        let value = |given: Value| value(&map(given)).map(|bytes| String::from_utf8(bytes).unwrap());
        let both = r#"{"timestamp_nanos":655000000,"timestamp":1618269963655}"#;
        assert_eq!(
            value(json!({ "timestamp": 1_618_269_963_655_i64, "timestamp_nanos": 655_000_000 })).as_deref(),
            Some(both)
        );
        assert_eq!(value(json!({ "timestamp": "x" })), None);
        assert_eq!(value(json!({ "position": 1 })), None);
        assert_eq!(value(json!({})), None);
    }
}
