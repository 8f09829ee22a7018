//! Object keys: the same text from the same topic, place and offset, so that a replay replaces what was there.

use super::format::View;
use crate::connector_file::Values;
use crate::exit::Stop;

/// What all objects of a connector share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Naming {
    directory: String,
    pub(super) delimiter: String,
    file_delimiter: String,
    offset_width: usize,
}

impl Naming {
    pub(super) fn parse(values: &Values) -> Result<Naming, Stop> {
        let text = |key: &str, default: &str| values.get(key).unwrap_or(default).to_owned();
        Ok(Naming {
            directory: text("topics.dir", "topics").trim().to_owned(),
            delimiter: text("directory.delim", "/"),
            file_delimiter: text("file.delim", "+"),
            offset_width: values.number("filename.offset.zero.pad.width", 10, 0..=64)? as usize,
        })
    }

    /// How all keys of a topic begin.
    pub(super) fn front(&self, topic: &str) -> String {
        let Naming { directory, delimiter, .. } = self;
        let front = if directory.is_empty() { String::new() } else { format!("{directory}{delimiter}") };
        format!("{front}{topic}{delimiter}")
    }

    /// Partition and first offset of an object with values of `topic`, from its key.
    pub(super) fn value(&self, topic: &str, key: &str) -> Option<(i32, i64)> {
        let name = key.rsplit(self.delimiter.as_str()).next()?;
        let rest = name.strip_prefix(topic)?.strip_prefix(self.file_delimiter.as_str())?;
        let (partition, rest) = rest.split_once(self.file_delimiter.as_str())?;
        let (offset, extension) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let beside = [".keys", ".headers"].into_iter().any(|part| extension.starts_with(part));
        if beside { None } else { Some((partition.parse().ok()?, offset.parse().ok()?)) }
    }

    /// `extension` begins with its dot.
    pub(super) fn key(
        &self,
        topic: &str,
        encoded: &str,
        partition: i32,
        offset: i64,
        part: View,
        extension: &str,
    ) -> String {
        let Naming { delimiter, file_delimiter, offset_width: width, .. } = self;
        let front = self.front(topic);
        let inserted = match part {
            View::Value => "",
            View::Key => ".keys",
            View::Headers => ".headers",
        };
        let name = format!("{topic}{file_delimiter}{partition}{file_delimiter}{offset:0width$}{inserted}{extension}");
        format!("{front}{encoded}{delimiter}{name}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(settings: &[(&str, &str)], offset: i64, part: View, extension: &str, expected: &str) {
        let map = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let naming = Naming::parse(&Values(map)).unwrap();
        assert_eq!(naming.key("jovens", "partition=1", 1, offset, part, extension), expected);
    }

    #[test]
    fn b1_1_a_key_is_directory_topic_place_and_the_padded_first_offset() {
        let workshop = [("topics.dir", "raw-data/kafka")];
        let key = "raw-data/kafka/jovens/partition=1/jovens+1+0000000010.avro";
        check(&workshop, 10, View::Value, ".avro", key);
        check(&[], 10, View::Value, ".avro", "topics/jovens/partition=1/jovens+1+0000000010.avro");
        check(&[("topics.dir", " ")], 10, View::Value, ".avro", "jovens/partition=1/jovens+1+0000000010.avro");
        let delimiters = [("directory.delim", "_"), ("file.delim", "-"), ("filename.offset.zero.pad.width", "0")];
        check(&delimiters, 10, View::Value, ".json.gz", "topics_jovens_partition=1_jovens-1-10.json.gz");
        // More digits than the width are all kept.
        check(&[("filename.offset.zero.pad.width", "1")], 10, View::Value, "", "topics/jovens/partition=1/jovens+1+10");
    }

    #[test]
    fn b1_4_keys_and_headers_stand_beside_their_values() {
        let key = |part| format!("topics/jovens/partition=1/jovens+1+0000000000.{part}.json");
        check(&[], 0, View::Key, ".json", &key("keys"));
        check(&[], 0, View::Headers, ".json", &key("headers"));
    }

    #[test]
    fn a_values_key_says_partition_and_offset_and_others_are_none() {
        let naming = Naming::parse(&Values(Default::default())).unwrap();
        for (part, expected) in [(View::Value, Some((3, 10))), (View::Key, None), (View::Headers, None)] {
            let key = naming.key("a+b", "day=1", 3, 10, part, ".snappy.parquet");
            assert_eq!(naming.value("a+b", &key), expected, "{key}");
        }
        assert_eq!(naming.value("a", "topics/b/partition=0/b+0+0000000000.json"), None);
    }
}
