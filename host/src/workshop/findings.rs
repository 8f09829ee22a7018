//! What is right with a plugin and what is not: each finding with the record, what was expected and what came.

use std::fmt;

use serde_json::{Map, Value, json};

#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

#[derive(Debug, Default)]
pub(super) struct Finding {
    right: bool,
    what: String,
    why: Option<String>,
    /// Input, expected and got, as they are shown.
    details: Vec<(&'static str, String)>,
}

impl Findings {
    pub(super) fn correct(&mut self, what: impl Into<String>) {
        self.0.push(Finding { right: true, what: what.into(), ..Finding::default() });
    }

    pub(super) fn wrong(&mut self, what: impl Into<String>) -> &mut Finding {
        self.0.push(Finding { what: what.into(), ..Finding::default() });
        // Just pushed.
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    pub(super) fn right(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|finding| finding.right)
    }

    pub(super) fn json(&self, exercise: &str) -> Value {
        let findings = self.0.iter().map(|finding| {
            let mut members =
                Map::from_iter([("right".into(), json!(finding.right)), ("what".into(), json!(finding.what))]);
            members.extend(finding.why.iter().map(|why| ("why".into(), json!(why))));
            members.extend(finding.details.iter().map(|(name, text)| ((*name).into(), json!(text))));
            Value::Object(members)
        });
        json!({ "exercise": exercise, "right": self.right(), "findings": findings.collect::<Vec<_>>() })
    }
}

impl Finding {
    pub(super) fn because(&mut self, why: impl Into<String>) -> &mut Finding {
        self.why = Some(why.into());
        self
    }

    pub(super) fn detail(&mut self, name: &'static str, text: impl fmt::Display) -> &mut Finding {
        self.details.push((name, text.to_string()));
        self
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            writeln!(f, "{} {}", if finding.right { "right  " } else { "not yet" }, finding.what)?;
            for (name, text) in &finding.details {
                writeln!(f, "          {name:<9} {}", text.replace('\n', "\n                    "))?;
            }
            if let Some(why) = &finding.why {
                writeln!(f, "          why       {why}")?;
            }
        }
        Ok(())
    }
}
