//! What each class of connectors can be told: one table a class, from which `/config` and `/config/validate` answer.
//!
//! The tables only describe; what a key does, and its default, is its parser's. That both agree is tested.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::class::Class;

/// One line: `name|type|default|importance|width|group|display name|documentation|dependents`. `!` for a default: there
/// is none, the key is needed; `-`: there is none, and none is needed. The last may be left out.
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    default: &'static str,
    importance: &'static str,
    width: &'static str,
    pub(super) group: &'static str,
    display: &'static str,
    documentation: &'static str,
    dependents: Vec<&'static str>,
    /// From 1 on, within its group.
    order: usize,
}

static JDBC_SOURCE: LazyLock<Vec<Definition>> = LazyLock::new(|| table(include_str!("definitions/jdbc_source.txt")));
static S3_SINK: LazyLock<Vec<Definition>> = LazyLock::new(|| table(include_str!("definitions/s3_sink.txt")));
static PIPELINE: LazyLock<Vec<Definition>> = LazyLock::new(|| table(include_str!("definitions/plugin_pipeline.txt")));

/// All that a class has, but what stands below a pipeline's prefixes.
pub(super) fn of(class: Class) -> &'static [Definition] {
    match class {
        Class::JdbcSource => &JDBC_SOURCE,
        Class::S3Sink => &S3_SINK,
        Class::PluginPipeline => &PIPELINE,
    }
}

/// A line that is none is left out; a test tells.
fn table(text: &'static str) -> Vec<Definition> {
    let mut all: Vec<Definition> = Vec::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split('|').collect();
        let [name, kind, default, importance, width, group, display, documentation, ref dependents @ ..] = parts[..]
        else {
            continue;
        };
        let order = all.iter().filter(|known| known.group == group).count() + 1;
        let dependents = dependents.iter().flat_map(|names| names.split(',')).collect();
        let width = match width {
            "S" => "SHORT",
            "L" => "LONG",
            _ => "MEDIUM",
        };
        all.push(Definition {
            name,
            kind,
            default,
            importance,
            width,
            group,
            display,
            documentation,
            dependents,
            order,
        });
    }
    all
}

impl Definition {
    pub(super) fn required(&self) -> bool {
        self.default == "!"
    }

    pub(super) fn default(&self) -> Option<&'static str> {
        Some(self.default).filter(|default| !["!", "-"].contains(default))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "required": self.required(),
            "default_value": self.default(),
            "importance": self.importance,
            "documentation": self.documentation,
            "group": self.group,
            "order_in_group": self.order,
            "width": self.width,
            "display_name": self.display,
            "dependents": self.dependents,
        })
    }
}

/// The groups of a class, in the order in which they come.
pub(super) fn groups(class: Class) -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for definition in of(class) {
        if !groups.contains(&definition.group) {
            groups.push(definition.group);
        }
    }
    groups
}

#[cfg(test)]
#[path = "definitions_tests.rs"]
mod tests;
