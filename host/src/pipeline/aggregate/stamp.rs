//! What state was made with: it stands in the metadata of the repartition partitions' committed offsets, so that a
//! plugin which groups in another way is refused before it adds to it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::exit::Stop;
use crate::guest::{Format, Grouping};
use crate::window::{Declared, Metadata, Windows};

/// Beyond it a schema is known by its hash, since the broker bounds metadata.
const SCHEMA_SHOWN_MAX: usize = 200;

/// State of two shapes cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Size and advance.
    pub window: Option<(u64, u64)>,
    pub key: String,
    pub accumulator: u32,
    pub partitions: i32,
}

/// What stands beside a repartition partition's offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Drawn when the state began: a local copy of state that was since reset is never taken for this one's.
    pub id: String,
    pub shape: Shape,
    /// What windows have beside their shape, for whoever looks from outside; the operator may change it.
    #[serde(default)]
    pub times: Option<WindowTimes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WindowTimes {
    grace_ms: u64,
    retention_ms: u64,
    idle_ms: Option<u64>,
}

/// The windows that stand beside the offset of a repartition partition; `None`: there are none, or no stamp.
pub fn stamped_windows(metadata: &str) -> Option<Windows> {
    Stamp::decode(metadata)?.windows()
}

/// The same of a plugin whose groups are of the input partition with this metadata; the outer `None`: they are not.
pub fn stamped_beside_input(metadata: &str, plugin: &str) -> Option<Option<Windows>> {
    Stamp::beside_input(metadata, plugin).map(|stamp| stamp.windows())
}

impl Shape {
    pub(super) fn of(grouping: &Grouping, partitions: i32) -> Shape {
        let key = match &grouping.key {
            Format::Bytes => "bytes".to_owned(),
            Format::Json => "json".to_owned(),
            Format::Avro(text) | Format::AvroAsJson(text) if text.len() <= SCHEMA_SHOWN_MAX => format!("avro {text}"),
            Format::Avro(text) | Format::AvroAsJson(text) => {
                format!("avro, sha256 {}", Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>())
            }
        };
        let window = grouping.window.as_ref().map(|window| (window.size_ms, window.advance_ms));
        Shape { window, key, accumulator: grouping.accumulator_version, partitions }
    }

    /// What changed, for people; nothing where nothing did.
    fn changes(&self, before: &Shape) -> Vec<String> {
        let window = |shape: &Shape| match shape.window {
            Some((size, advance)) if size == advance => format!("{size} ms"),
            Some((size, advance)) => format!("{size} ms every {advance} ms"),
            None => "none".to_owned(),
        };
        let facts = |shape: &Shape| {
            let (accumulator, partitions) = (shape.accumulator.to_string(), shape.partitions.to_string());
            [window(shape), shape.key.clone(), accumulator, partitions]
        };
        let names = ["window", "key format", "accumulator version", "number of repartition partitions"];
        let pairs = names.iter().zip(facts(before).into_iter().zip(facts(self)));
        let changed = pairs.filter(|(_, (before, now))| before != now);
        changed.map(|(name, (before, now))| format!("its {name} was {before} and is now {now}")).collect()
    }
}

impl Stamp {
    pub(super) fn new(shape: &Shape) -> Stamp {
        Stamp { id: format!("{:08x}", rand::random::<u32>()), shape: shape.clone(), times: None }
    }

    /// With these windows from now on.
    pub(super) fn with(self, windows: Option<&Windows>) -> Stamp {
        let ms = |time: i64| u64::try_from(time).unwrap_or(0);
        let times = windows.map(|windows| WindowTimes {
            grace_ms: ms(windows.grace_ms),
            retention_ms: ms(windows.retention_ms),
            idle_ms: windows.idle_ms.map(ms),
        });
        Stamp { times, ..self }
    }

    fn windows(&self) -> Option<Windows> {
        let ((size_ms, advance_ms), WindowTimes { grace_ms, retention_ms, idle_ms }) =
            (self.shape.window?, self.times?);
        let (grace_ms, retention_ms) = (Some(grace_ms), Some(retention_ms));
        let windows = Windows::new(Declared { size_ms, advance_ms, grace_ms, retention_ms, idle_ms }).ok()?;
        Some(if idle_ms.is_none() { Windows { idle_ms: None, ..windows } } else { windows })
    }

    pub(super) fn encode(&self) -> String {
        self.value().to_string()
    }

    /// As it stands in the metadata of an input partition.
    pub(super) fn value(&self) -> serde_json::Value {
        serde_json::json!(["smt-state-1", self])
    }

    /// What stands so; `None`: nothing of this plugin.
    pub(super) fn beside_input(metadata: &str, plugin: &str) -> Option<Stamp> {
        let stamp = Metadata::decode(metadata).ok()?.stamps.remove(plugin)?;
        let (_, stamp): (String, Stamp) = serde_json::from_value(stamp).ok()?;
        Some(stamp)
    }

    /// `None`: nothing of ours stands there.
    pub(super) fn decode(metadata: &str) -> Option<Stamp> {
        let (_, stamp): (String, Stamp) = serde_json::from_str(metadata).ok()?;
        Some(stamp)
    }

    /// Whether state with this stamp is of that shape.
    pub(super) fn check(&self, shape: &Shape, place: &Place<'_>) -> Result<(), Stop> {
        let changes = shape.changes(&self.shape);
        if changes.is_empty() { Ok(()) } else { Err(place.refuse(&changes.join("; "))) }
    }
}

/// Whose state it is, for messages.
pub(super) struct Place<'a> {
    pub pipeline: &'a str,
    pub group: &'a str,
    pub plugin: &'a str,
}

impl Place<'_> {
    pub(super) fn refuse(&self, why: &str) -> Stop {
        let Place { pipeline, group, plugin } = self;
        Stop::start(format!("plugin {plugin} cannot go on from its state in group {group}: {why}")).hint(format!(
            "two ways out: `smt-host reset --pipeline {pipeline}`, or --reset-state for one start, forgets that state and \
             begins anew; another --group, or another name for the pipeline, leaves it as it is"
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape { window: Some((30_000, 30_000)), key: "bytes".into(), accumulator: 1, partitions: 2 }
    }

    #[test]
    fn a_stamp_survives_and_other_texts_are_none() {
        let stamp = Stamp::new(&shape());
        assert_eq!(Stamp::decode(&stamp.encode()), Some(stamp));
        for other in ["", "x", "[1,{\"idadecont\":[null,0,null,[0,0]]}]"] {
            assert_eq!(Stamp::decode(other), None, "{other}");
        }
    }

    #[test]
    fn a_stamp_tells_whoever_looks_from_outside_which_windows_there_are() {
        let declared =
            Declared { size_ms: 30_000, advance_ms: 30_000, grace_ms: Some(5), retention_ms: None, idle_ms: None };
        let closing = Windows::new(declared).unwrap();
        for windows in [closing, Windows { idle_ms: None, ..closing }] {
            let told = Stamp::new(&shape()).with(Some(&windows)).encode();
            assert_eq!(stamped_windows(&told), Some(windows));
        }
        for none in ["smt-reset-1", "", &Stamp::new(&Shape { window: None, ..shape() }).with(None).encode()] {
            assert_eq!(stamped_windows(none), None, "{none}");
        }
        // Of a build that did not tell.
        let told = Stamp::new(&shape()).encode().replace(",\"times\":null", "");
        assert_eq!(stamped_windows(&told), None);
        assert!(Stamp::decode(&told).is_some(), "{told}");
    }

    #[test]
    fn every_change_of_shape_is_refused_and_named() {
        let place = Place { pipeline: "p", group: "g", plugin: "c" };
        let check = |now: Shape, says: &[&str]| {
            let said = Stamp::new(&shape()).check(&now, &place).map_err(|stop| stop.to_string());
            match said {
                Ok(()) => assert!(says.is_empty(), "{says:?}"),
                Err(said) => assert!(!says.is_empty() && says.iter().all(|says| said.contains(says)), "{said}"),
            }
        };
        check(shape(), &[]);
        check(
            Shape { window: Some((30_000, 10_000)), ..shape() },
            &["was 30000 ms and is now 30000 ms every 10000 ms"],
        );
        check(Shape { window: None, ..shape() }, &["its window was 30000 ms and is now none"]);
        check(Shape { key: "json".into(), accumulator: 2, ..shape() }, &["key format was bytes", "version was 1"]);
        check(Shape { partitions: 3, ..shape() }, &["was 2 and is now 3", "reset --pipeline p", "--group"]);
    }
}
