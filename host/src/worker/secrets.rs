//! What of a configuration is secret: kept and answered with its references, used without them, told to nobody.

use serde_json::Value;

use super::records::Config;
use crate::config::{MASK, Secret, is_secret};
use crate::exit::Stop;

/// Shorter values are too likely to be part of another word.
const SCRUBBED_LENGTH_MIN: usize = 4;

/// As it may be shown: literal secrets masked, references as they stand.
pub(super) fn masked(config: &Config) -> Config {
    config.iter().map(|(key, value)| (key.clone(), shown(key, value).into())).collect()
}

fn shown(key: &str, value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    // An empty one is the default, and tells nothing.
    if is_secret(key) && !text.is_empty() {
        return secret(text).masked().to_owned();
    }
    without_password(text)
}

fn secret(text: &str) -> Secret {
    text.parse().unwrap_or_else(|never| match never {})
}

/// An address with a password in it.
fn without_password(text: &str) -> String {
    let mut text = text.to_owned();
    for parameter in ["?password=", "&password="] {
        if let Some(at) = text.find(parameter).map(|at| at + parameter.len()) {
            let end = text[at..].find('&').map_or(text.len(), |length| at + length);
            let shown = secret(&text[at..end]).masked().to_owned();
            text.replace_range(at..end, &shown);
        }
    }
    let Some(authority) = text.find("://").map(|at| at + 3) else { return text };
    let end = text[authority..].find('/').map_or(text.len(), |length| authority + length);
    let Some(at) = text[authority..end].rfind('@').map(|at| authority + at) else { return text };
    if let Some(colon) = text[authority..at].find(':').map(|colon| authority + colon + 1) {
        let shown = secret(&text[colon..at]).masked().to_owned();
        text.replace_range(colon..at, &shown);
    }
    text
}

/// A configuration that came back as it was shown keeps the secrets that it had.
pub(super) fn unmasked(mut given: Config, kept: &Config) -> Config {
    for (key, value) in &mut given {
        if let Some(known) = kept.get(key)
            && value.as_str().is_some_and(|text| text.contains(MASK))
            && *value == Value::String(shown(key, known))
        {
            value.clone_from(known);
        }
    }
    given
}

/// With all references replaced.
pub(super) fn resolved(config: &Config) -> Result<Config, Stop> {
    let resolve = |(key, value): (&String, &Value)| {
        let text = value.as_str().unwrap_or_default();
        let is_plain = Secret::references(text).next().is_none();
        let text = if is_plain { text.to_owned() } else { secret(text).resolve(key)? };
        Ok((key.clone(), Value::String(text)))
    };
    config.iter().map(resolve).collect()
}

/// A text about a configuration, without what it must not tell: literal secrets, and what references stand for.
pub(super) fn scrubbed(text: &str, config: &Config) -> String {
    let mut text = text.to_owned();
    for (key, value) in config {
        let given = value.as_str().unwrap_or_default();
        let references = Secret::references(given).next().is_some();
        let hidden = match (references, is_secret(key)) {
            (true, _) => secret(given).resolve(key).unwrap_or_default(),
            (false, true) => given.to_owned(),
            (false, false) => continue,
        };
        for form in [hidden.escape_debug().to_string(), hidden.trim().to_owned()] {
            if form.len() >= SCRUBBED_LENGTH_MIN {
                text = text.replace(&form, if references { given } else { MASK });
            }
        }
    }
    text
}

/// The same of both texts of an error.
pub(super) fn scrubbed_stop(Stop { exit, what, hint }: &Stop, config: &Config) -> Stop {
    let text = |text: &String| scrubbed(text, config);
    Stop { exit: *exit, what: text(what), hint: hint.as_ref().map(text) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
    }

    #[test]
    fn literal_secrets_are_masked_and_references_are_shown() {
        let check = |key: &str, value: &str, expected: &str| {
            assert_eq!(masked(&config(&[(key, value)])), config(&[(key, expected)]));
        };
        check("connection.password", "Postgres2023!", MASK);
        check("connection.password", "${env:PASSWORD}", "${env:PASSWORD}");
        check(
            "connection.password",
            "${file:/run/connect.properties:password}",
            "${file:/run/connect.properties:password}",
        );
        check("aws.secret.access.key", "abc", MASK);
        check("plugin.set.api.token", "abc", MASK);
        check("aws.secret.access.key", "", "");
        check("connection.user", "postgres", "postgres");
        check(
            "connection.url",
            "jdbc:postgresql://db:5432/a?user=b&password=c&ssl=true",
            &format!("jdbc:postgresql://db:5432/a?user=b&password={MASK}&ssl=true"),
        );
        check("store.url", "http://me:pass@s3:9000/x", &format!("http://me:{MASK}@s3:9000/x"));
        check("store.url", "http://s3:9000/x", "http://s3:9000/x");
    }

    #[test]
    fn what_was_shown_and_comes_back_keeps_its_secret() {
        let kept = config(&[("connection.password", "Postgres2023!"), ("mode", "bulk")]);
        let mut given = masked(&kept);
        given.insert("mode".into(), json!("timestamp"));
        let wanted = config(&[("connection.password", "Postgres2023!"), ("mode", "timestamp")]);
        assert_eq!(unmasked(given, &kept), wanted);
        let new = config(&[("connection.password", "another")]);
        assert_eq!(unmasked(new.clone(), &kept), new);
    }

    #[test]
    fn a_text_tells_neither_a_literal_secret_nor_what_a_reference_stands_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "two words\n").unwrap();
        let reference = format!("${{file:{}}}", file.display());
        let config = config(&[("connection.password", "Postgres2023!"), ("topic.prefix", &reference)]);
        let text = scrubbed(r#"topic.prefix is "two words", not Postgres2023!"#, &config);
        assert_eq!(text, format!("topic.prefix is \"{reference}\", not {MASK}"));
        assert_eq!(resolved(&config).unwrap()["topic.prefix"], "two words");
    }
}
