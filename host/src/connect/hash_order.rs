//! The order in which a Java HashMap hands out its entries, which is the order of a map's members in files.

use super::Value;

/// `new HashMap()`.
pub(super) const DEFAULT_CAPACITY: usize = 16;

type Entries = Vec<(Value, Value)>;

/// Puts entries into the order of a HashMap made with a capacity, as if they were put in one by one; of two entries
/// with one key the last value stays. Keys whose hash is not that of a value (bytes, structs) are left as they are.
pub(super) fn arrange(entries: Entries, capacity: usize) -> Entries {
    arrange_by(entries, capacity, hash)
}

/// The order of a map that came as Avro: its reader has a map by Utf8 keys first, and Connect another of it by text.
pub(super) fn arrange_avro(entries: Entries) -> Entries {
    let capacity = entries.len();
    arrange(arrange_by(entries, capacity, utf8_hash), capacity)
}

fn arrange_by(entries: Entries, capacity: usize, hash: impl Fn(&Value) -> Option<i32>) -> Entries {
    if entries.len() < 2 {
        return entries;
    }
    let Some(hashes) = entries.iter().map(|(key, _)| hash(key)).collect::<Option<Vec<i32>>>() else {
        return entries;
    };
    let mut distinct: Vec<(i32, (Value, Value))> = Vec::with_capacity(entries.len());
    for (hash, entry) in hashes.into_iter().zip(entries) {
        match distinct.iter_mut().find(|(known, (key, _))| *known == hash && *key == entry.0) {
            Some((_, (_, value))) => *value = entry.1,
            None => distinct.push((hash, entry)),
        }
    }
    let mask = table_size(distinct.len(), capacity) - 1;
    // Stable: entries of one bucket stay in the order in which they came.
    distinct.sort_by_key(|(hash, _)| (hash ^ (*hash as u32 >> 16) as i32) as u32 as usize & mask);
    distinct.into_iter().map(|(_, entry)| entry).collect()
}

/// The table doubles when more than three quarters are taken.
fn table_size(entries: usize, capacity: usize) -> usize {
    let mut size = capacity.max(1).next_power_of_two();
    while entries > size * 3 / 4 {
        size *= 2;
    }
    size
}

/// `Utf8.hashCode`, which is that of its signed bytes.
fn utf8_hash(key: &Value) -> Option<i32> {
    let Value::String(text) = key else { return None };
    Some(text.bytes().fold(1i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte as i8))))
}

/// `hashCode` of what a map may be keyed with.
fn hash(key: &Value) -> Option<i32> {
    let of_long = |value: i64| (value ^ (value as u64 >> 32) as i64) as i32;
    Some(match key {
        Value::Null => 0,
        Value::Bool(value) => 1231 + if *value { 0 } else { 6 },
        Value::Int8(value) => i32::from(*value),
        Value::Int16(value) => i32::from(*value),
        Value::Int32(value) => *value,
        Value::Int64(value) => of_long(*value),
        Value::Float32(value) => value.to_bits() as i32,
        Value::Float64(value) => of_long(value.to_bits() as i64),
        Value::String(text) => {
            text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
        }
        Value::Bytes(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str], capacity: usize) -> String {
        let entries = keys.iter().map(|key| (Value::String((*key).into()), Value::Null)).collect();
        let arranged = arrange(entries, capacity);
        let names = arranged.iter().map(|(key, _)| match key {
            Value::String(key) => key.to_string(),
            _ => String::new(),
        });
        names.collect::<Vec<_>>().join(" ")
    }

    /// What JDK 17 printed for `new HashMap<>(n)`.
    #[test]
    fn b6_3_members_come_in_the_order_of_a_hash_map() {
        assert_eq!(keys(&["k1", "k 2"], 2), "k 2 k1");
        assert_eq!(keys(&["um", "dois", "três", "quatro", "cinco", "seis", "sete"], 7), HASHED_7);
        assert_eq!(keys(&["um", "dois", "três", "quatro", "cinco", "seis", "sete"], 16), HASHED_16);
        let many: Vec<String> = (0..20).map(|n| format!("key{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(keys(&many, 16), HASHED_20);
        assert_eq!(keys(&["a", "b", "a"], 16), "a b");
    }

    const HASHED_7: &str = "cinco três quatro sete um seis dois";
    const HASHED_16: &str = "cinco três quatro sete um seis dois";
    const HASHED_20: &str =
        "key1 key2 key0 key5 key6 key3 key4 key9 key7 key8 key11 key10 key15 key14 key13 key12 key19 key18 key17 key16";
}
