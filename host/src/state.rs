//! What the windowed plugins of a group keep in Kafka, seen from outside: who keeps something, and where.
//!
//! Never changes anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::exit::Stop;
use crate::kafka::standing::Offsets;
use crate::nearest::did_you_mean;
use crate::pipeline::aggregate::{changelog_topic, repartition_topic};
use crate::window::Metadata;

/// One plugin's topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub plugin: String,
    pub changelog: String,
    /// `None`: its input stands where its groups do.
    pub repartition: Option<String>,
    /// Of the changelog; the repartition topic has as many where all is well.
    pub partitions: i32,
}

/// The plugins that the group's offsets tell of, and those that are named.
pub fn find(
    group: &str,
    named: &[String],
    topics: &BTreeMap<String, i32>,
    offsets: &Offsets,
) -> Result<Vec<Kept>, Stop> {
    let told = told(group, offsets);
    let mut plugins: BTreeSet<String> = told.clone();
    plugins.extend(named.iter().cloned());
    let mut kept = Vec::new();
    for plugin in plugins {
        let changelog = changelog_topic(group, &plugin);
        let Some(partitions) = topics.get(&changelog).copied() else {
            if named.contains(&plugin) {
                return Err(unknown(group, &plugin, &changelog, &told));
            }
            continue;
        };
        let repartition = Some(repartition_topic(group, &plugin)).filter(|topic| topics.contains_key(topic));
        kept.push(Kept { plugin, changelog, repartition, partitions });
    }
    Ok(kept)
}

/// By the topics that the group has committed in, and by what stands beside its offsets. A topic's name alone would
/// not do: it may belong to a group whose name begins with this one's.
fn told(group: &str, offsets: &Offsets) -> BTreeSet<String> {
    let mut plugins = BTreeSet::new();
    for ((topic, _), committed) in offsets {
        if let Some(plugin) = plugin_of(group, topic) {
            plugins.insert(plugin.to_owned());
            continue;
        }
        // What cannot be read is another program's, and tells nothing.
        plugins.extend(Metadata::decode(&committed.metadata).unwrap_or_default().plugins.into_keys());
    }
    plugins
}

/// The plugin whose repartition topic that is; `None`: another topic.
pub fn plugin_of<'a>(group: &str, topic: &'a str) -> Option<&'a str> {
    topic.strip_prefix(group)?.strip_prefix('-')?.strip_suffix("-repartition").filter(|plugin| !plugin.is_empty())
}

fn unknown(group: &str, plugin: &str, changelog: &str, told: &BTreeSet<String>) -> Stop {
    let near = did_you_mean(plugin, told.iter().map(String::as_str));
    let known: Vec<&str> = told.iter().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Stop::usage(format!("plugin {plugin} keeps nothing in group {group}: there is no topic {changelog}{near}"))
        .hint(format!("plugins that do: {known}; another group is named with --group"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kafka::standing::Committed;

    fn offsets(entries: &[(&str, &str)]) -> Offsets {
        let one = |(topic, metadata): &(&str, &str)| {
            ((topic.to_string(), 0), Committed { offset: 1, metadata: metadata.to_string() })
        };
        entries.iter().map(one).collect()
    }

    fn plugins(named: &[&str], offsets: &Offsets) -> Result<Vec<String>, Stop> {
        let topics =
            ["g-a-changelog", "g-a-repartition", "g-b-changelog", "g-h-c-changelog", "g-h-c-repartition", "in"];
        let topics = topics.into_iter().map(|topic| (topic.to_owned(), 2)).collect();
        let named: Vec<String> = named.iter().map(|name| name.to_string()).collect();
        Ok(find("g", &named, &topics, offsets)?.into_iter().map(|kept| kept.plugin).collect())
    }

    #[test]
    fn plugins_are_known_by_what_the_group_committed_not_by_names_of_topics() {
        let by_metadata = offsets(&[("in", "[1,{\"b\":[null,0,null,[0,0]],\"stateless\":[null,0,null,[0,0]]}]")]);
        assert_eq!(plugins(&[], &by_metadata).unwrap(), ["b"]);
        assert_eq!(plugins(&[], &offsets(&[("g-a-repartition", "")])).unwrap(), ["a"]);
        // Topics of group "g-h" begin with "g-" too.
        assert_eq!(plugins(&[], &offsets(&[])).unwrap(), [""; 0]);
        assert_eq!(plugins(&["b", "a"], &offsets(&[])).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_plugin_that_keeps_nothing_is_an_error_that_says_who_does() {
        let said = plugins(&["aa"], &offsets(&[("g-a-repartition", "")])).unwrap_err().to_string();
        assert!(said.contains("no topic g-aa-changelog; did you mean \"a\"?") && said.contains("do: a;"), "{said}");
    }

    #[test]
    fn metadata_of_somebody_else_tells_nothing() {
        assert_eq!(plugins(&[], &offsets(&[("in", "hello")])).unwrap(), [""; 0]);
    }
}
