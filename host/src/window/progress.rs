//! What must survive a restart for each input partition: it travels in the metadata of the committed offset.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::time::clamp;

/// Late records of one input partition, since ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "(u64, i64)", into = "(u64, i64)")]
pub struct Late {
    pub count: u64,
    pub lateness_ms_max: i64,
}

/// How far a plugin is in one input partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Compact", into = "Compact")]
pub struct Progress {
    pub stream_time: Option<i64>,
    /// The wall clock when stream time was that: an idle partition's time goes on from there.
    pub at_ms: i64,
    /// What the owners were last told.
    pub sent: Option<i64>,
    pub late: Late,
}

type Compact = (Option<i64>, i64, Option<i64>, Late);

/// Every plugin's progress in one input partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    pub plugins: BTreeMap<String, Progress>,
    /// What state was made with, of plugins whose groups are of this partition.
    pub stamps: BTreeMap<String, Value>,
    /// What the pipeline writes, for whoever looks from outside.
    pub outputs: Outputs,
}

/// Topic, format of keys, format of values.
pub type Outputs = Vec<(String, String, String)>;

/// Brokers take no more, by default.
const LENGTH_MAX: usize = 4096;

/// Stands in metadata's place after a reset: nothing is kept, whatever records a changelog still holds.
pub const RESET: &str = "smt-reset-1";

const VERSION: u64 = 1;

impl Metadata {
    /// The text in the committed offset's metadata, under 200 bytes for each plugin (with a name of up to 80). Example:
    /// `[1,{"idadecont":[1618269960000,1618269960123,1618269930000,[0,0]]}]`. Stamps and outputs follow, where there are
    /// any; outputs only where there is room for them.
    pub fn encode(&self) -> String {
        if !self.outputs.is_empty() {
            let text = serde_json::json!([VERSION, self.plugins, self.stamps, self.outputs]).to_string();
            if text.len() <= LENGTH_MAX {
                return text;
            }
        }
        if self.stamps.is_empty() {
            return serde_json::json!([VERSION, self.plugins]).to_string();
        }
        serde_json::json!([VERSION, self.plugins, self.stamps]).to_string()
    }

    /// No text is no progress. The error says what is wrong with it.
    pub fn decode(text: &str) -> Result<Metadata, String> {
        if text.is_empty() || text == RESET {
            return Ok(Metadata::default());
        }
        let wrong = |what: String| format!("the metadata {text:?} of a committed offset cannot be read: {what}");
        let mut parts: VecDeque<Value> = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let version = parts.pop_front().and_then(|version| version.as_u64());
        if version != Some(VERSION) {
            let found = version.map_or("without a number".to_owned(), |version| version.to_string());
            return Err(wrong(format!("version {found} is not known; this build reads version {VERSION}")));
        }
        let plugins = parts.pop_front().unwrap_or_default();
        let stamps = parts.pop_front().unwrap_or_else(|| serde_json::json!({}));
        let plugins = serde_json::from_value(plugins).map_err(|e| wrong(e.to_string()))?;
        // Of interest to people only.
        let outputs = parts.pop_front().and_then(|outputs| serde_json::from_value(outputs).ok()).unwrap_or_default();
        Ok(Metadata { plugins, stamps: serde_json::from_value(stamps).map_err(|e| wrong(e.to_string()))?, outputs })
    }
}

impl From<Compact> for Progress {
    fn from((stream_time, at_ms, sent, late): Compact) -> Progress {
        Progress { stream_time: stream_time.map(clamp), at_ms: clamp(at_ms), sent: sent.map(clamp), late }
    }
}

impl From<Progress> for Compact {
    fn from(progress: Progress) -> Compact {
        (progress.stream_time, progress.at_ms, progress.sent, progress.late)
    }
}

impl From<(u64, i64)> for Late {
    fn from((count, lateness_ms_max): (u64, i64)) -> Late {
        Late { count, lateness_ms_max }
    }
}

impl From<Late> for (u64, i64) {
    fn from(late: Late) -> (u64, i64) {
        (late.count, late.lateness_ms_max)
    }
}

impl Late {
    pub(super) fn add(&mut self, count: u64, lateness_ms: i64) {
        self.count += count;
        self.lateness_ms_max = self.lateness_ms_max.max(lateness_ms);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn progress_is_short_even_at_its_longest() {
        let low = -super::super::time::EVENT_TIME_MAX;
        let late = Late { count: u64::MAX, lateness_ms_max: -low };
        let longest = Progress { stream_time: Some(low), at_ms: low, sent: Some(low), late };
        let mut metadata = Metadata::default();
        metadata.plugins.insert("p".repeat(80), longest);
        let text = metadata.encode();
        assert!(text.len() < 200, "{}", text.len());
        assert_eq!(Metadata::decode(&text), Ok(metadata));
    }

    #[test]
    fn outputs_are_told_as_long_as_there_is_room() {
        // What stands around it takes 31 bytes.
        for (length, is_told) in [(1, true), (LENGTH_MAX - 31, true), (LENGTH_MAX - 30, false)] {
            let outputs = vec![("t".repeat(length), "KAFKA".to_owned(), "AVRO".to_owned())];
            let metadata = Metadata { outputs, ..Metadata::default() };
            let text = metadata.encode();
            assert!(text.len() <= LENGTH_MAX, "{length}: {}", text.len());
            assert_eq!(Metadata::decode(&text) == Ok(metadata), is_told, "{length}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, says) in
            [("x", "expected value"), ("[2,{}]", "version 2"), ("[1,{\"a\":7}]", "invalid type"), ("[]", "")]
        {
            let said = Metadata::decode(text).unwrap_err();
            assert!(said.contains(says) && said.contains(&format!("{text:?}")), "{said}");
        }
        for nothing in ["", RESET] {
            assert_eq!(Metadata::decode(nothing), Ok(Metadata::default()));
        }
    }

    proptest! {
        #[test]
        fn metadata_survives(name: String, stream_time in prop::option::of(-1000i64..i64::MAX >> 4), sent in prop::option::of(0i64..9), count: u64) {
            let late = Late { count, lateness_ms_max: 5 };
            let progress = Progress { stream_time, at_ms: 7, sent, late };
            let mut metadata = Metadata::default();
            metadata.plugins.insert(name.clone(), progress);
            if count % 2 == 0 {
                metadata.stamps.insert(name, serde_json::json!(["stamp", count]));
            }
            prop_assert_eq!(Metadata::decode(&metadata.encode()), Ok(metadata));
        }

        #[test]
        fn garbage_never_panics(text: String) {
            Metadata::decode(&text).ok();
        }
    }
}
