//! What ends a windowed pipeline. Texts name the plugin, the window, the key, the value and the limit.

use super::time::SourcePartition;
use crate::guest::{Failure, LoadError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("plugin {plugin}: the accumulator of key {key}{window} takes {bytes} bytes, above the limit of {limit}")]
    AccumulatorTooLarge { plugin: String, window: String, key: String, bytes: usize, limit: usize },
    #[error("plugin {plugin}: key {key}{window} would be group {groups} of its partition, above the limit of {limit}")]
    TooManyKeys { plugin: String, window: String, key: String, groups: u64, limit: u64 },
    #[error("plugin {plugin}: {function} fails for key {key}{window}: {failure}")]
    Function { plugin: String, function: &'static str, window: String, key: String, failure: Box<Failure> },
    #[error(
        "plugin {plugin} says that its input stands where its groups do, but key {key}, in {at}, is of partition {belongs}"
    )]
    Misplaced { plugin: String, key: String, at: SourcePartition, belongs: i32 },
    #[error("plugin {plugin}: {error}")]
    Instance { plugin: String, error: LoadError },
    #[error("plugin {plugin} broke its contract: {reason}")]
    Contract { plugin: String, reason: String },
    #[error("plugin {plugin}: {record} cannot be read: {reason}")]
    Corrupt { plugin: String, record: &'static str, reason: String },
    #[error("the store in {dir}: {reason}")]
    Store { dir: String, reason: String },
}

/// A key for people: text where it is text, else hexadecimal; never long.
pub(super) fn printable(key: &[u8]) -> String {
    const SHOWN: usize = 64;
    let shown = &key[..key.len().min(SHOWN)];
    let rest = if key.len() > SHOWN { format!("… ({} bytes)", key.len()) } else { String::new() };
    match std::str::from_utf8(shown) {
        Ok(text) => format!("{text:?}{rest}"),
        Err(cut) if cut.error_len().is_none() && key.len() > SHOWN => {
            format!("{:?}{rest}", String::from_utf8_lossy(&shown[..cut.valid_up_to()]))
        }
        Err(_) => format!("0x{}{rest}", shown.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}

/// `" in the window that starts at …"`, or nothing without windows.
pub(super) fn in_window(start: Option<i64>) -> String {
    let Some(start) = start else { return String::new() };
    match jiff::Timestamp::from_millisecond(start) {
        Ok(time) => format!(" in the window that starts at {time} ({start})"),
        Err(_) => format!(" in the window that starts at {start}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printed_for_people() {
        let long = "ã".repeat(40);
        for (key, expected) in [
            (&b"JOVEM"[..], "\"JOVEM\"".to_owned()),
            (b"", "\"\"".to_owned()),
            (b"a\nb", "\"a\\nb\"".to_owned()),
            (b"\xff\x00", "0xff00".to_owned()),
            (long.as_bytes(), format!("\"{}\"… (80 bytes)", "ã".repeat(32))),
            (&long.as_bytes()[1..], format!("0xa3{}c3… (79 bytes)", "c3a3".repeat(31))),
        ] {
            assert_eq!(printable(key), expected);
        }
        assert_eq!(in_window(Some(0)), " in the window that starts at 1970-01-01T00:00:00Z (0)");
        assert_eq!(in_window(None), "");
    }
}
