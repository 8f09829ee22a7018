//! What is right with a plugin and what is not: each finding with the record, what was expected and what came.

use std::fmt;

use serde_json::{Map, Value, json};

use super::data::Why;
use super::lang::Lang;

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) lang: Lang,
    all: Vec<Finding>,
}

#[derive(Debug, Default)]
pub(super) struct Finding {
    lang: Lang,
    right: bool,
    what: String,
    why: Option<String>,
    /// Input, expected and got, as they are shown.
    details: Vec<(&'static str, String)>,
}

impl Findings {
    pub(super) fn new(lang: Lang) -> Findings {
        Findings { lang, all: Vec::new() }
    }

    pub(super) fn correct(&mut self, en: impl Into<String>, pt: impl Into<String>) {
        let what = self.lang.say(en.into(), pt.into());
        self.all.push(Finding { right: true, what, ..Finding::default() });
    }

    pub(super) fn wrong(&mut self, en: impl Into<String>, pt: impl Into<String>) -> &mut Finding {
        let (lang, what) = (self.lang, self.lang.say(en.into(), pt.into()));
        self.all.push(Finding { lang, what, ..Finding::default() });
        // Just pushed.
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    pub(super) fn right(&self) -> bool {
        !self.all.is_empty() && self.all.iter().all(|finding| finding.right)
    }

    pub(super) fn json(&self, exercise: &str) -> Value {
        let findings = self.all.iter().map(|finding| {
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
    pub(super) fn because(&mut self, en: impl Into<String>, pt: impl Into<String>) -> &mut Finding {
        self.why = Some(self.lang.say(en.into(), pt.into()));
        self
    }

    pub(super) fn because_of(&mut self, why: &Why) -> &mut Finding {
        self.because(why.en.as_str(), why.pt.as_str())
    }

    pub(super) fn detail(&mut self, name: &'static str, text: impl fmt::Display) -> &mut Finding {
        self.details.push((name, text.to_string()));
        self
    }
}

/// What a part of a finding is called; scripts get the English words.
fn name(lang: Lang, name: &'static str) -> &'static str {
    lang.say(
        name,
        match name {
            "input" => "entrada",
            "expected" => "esperado",
            "got" => "obtido",
            "why" => "por quê",
            other => other,
        },
    )
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.all {
            let (right, wrong) = self.lang.say(("right", "not yet"), ("certo", "ainda não"));
            let width = wrong.chars().count();
            writeln!(f, "{:<width$} {}", if finding.right { right } else { wrong }, finding.what)?;
            for (part, text) in &finding.details {
                let part = name(self.lang, part);
                writeln!(f, "          {part:<9} {}", text.replace('\n', "\n                    "))?;
            }
            if let Some(why) = &finding.why {
                writeln!(f, "          {:<9} {why}", name(self.lang, "why"))?;
            }
        }
        Ok(())
    }
}
