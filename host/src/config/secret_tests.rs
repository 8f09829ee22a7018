//! What is shown of a secret, and what is used.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::exit::Exit;

fn secret(text: &str) -> Secret {
    text.parse().unwrap()
}

#[test]
fn a_secret_shows_a_mask_and_a_reference_shows_itself() {
    for (text, shown) in [
        ("hunter2", MASK),
        ("", MASK),
        ("${env:PASSWORD}", "${env:PASSWORD}"),
        ("${file:/run/secret}", "${file:/run/secret}"),
        ("hunter${env:PASSWORD}", MASK),
        ("${env:PASSWORD}2", MASK),
        ("${env:PASSWORD", MASK),
    ] {
        assert_eq!(secret(text).masked(), shown);
        assert_eq!(format!("{:?}", secret(text)), format!("{shown:?}"));
    }
}

#[test]
fn references_are_replaced_when_the_secret_is_used() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("password"), "hun\nter2\r\n").unwrap();
    let mut both = secret("<${file:password}|${env:CARGO_PKG_NAME}>$");
    both.rebase(dir.path());
    assert_eq!(both.resolve("x").unwrap(), "<hun\nter2|smt-host>$");
    assert_eq!(secret("${other:x} ${env:}").plain(), "${other:x} ${env:}");
}

#[test]
fn a_reference_that_leads_nowhere_names_key_and_reference() {
    for (text, wanted) in [
        ("secret${env:SMT_NOT_SET}", "registry.password refers to ${env:SMT_NOT_SET}, which is not set"),
        ("secret${file:/nowhere/x}", "registry.password refers to ${file:/nowhere/x}, which cannot be read"),
    ] {
        let stop = secret(text).resolve("registry.password").unwrap_err();
        assert_eq!(stop.exit, Exit::Usage);
        assert!(stop.what.starts_with(wanted) && !stop.what.contains("secret$"), "{stop}");
    }
}

#[test]
fn an_address_shows_all_but_its_password() {
    for (url, shown) in [
        ("http://host:8081", "http://host:8081"),
        ("https://me:p@ss@host/path", "https://me:********@host/path"),
        ("https://token@host", "https://********@host"),
        ("me:pass@host:1", "me:********@host:1"),
        ("http://me:${env:PASSWORD}@host", "http://me:${env:PASSWORD}@host"),
    ] {
        assert_eq!(format!("{:?}", url.parse::<Url>().unwrap()), format!("{shown:?}"));
    }
}

#[test]
fn properties_are_secret_by_their_name() {
    let table: toml::Table = "sasl.password = \"p1\"\n\"ssl.key.pem\" = \"p2\"\nretries = 3\n".parse().unwrap();
    let properties = Properties::try_from(table).unwrap();
    let shown = format!("{properties:?}");
    assert_eq!(shown, r#"{"retries": "3", "sasl.password": "********", "ssl.key.pem": "********"}"#);
    let used = properties.resolve().unwrap();
    assert_eq!(used[1], ("sasl.password".to_owned(), "p1".to_owned()));
}

#[test]
fn a_key_of_a_properties_file_is_read_as_kafka_does() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("connect.properties");
    std::fs::write(&file, "# note\nuser = postgres\npassword=a=b:c\nuser: other\n").unwrap();
    let read = |key: &str| format!("${{file:{}:{key}}}", file.display()).parse::<Secret>().unwrap().resolve("key");
    assert_eq!(read("password").unwrap(), "a=b:c");
    assert_eq!(read("user").unwrap(), "other");
    let stop = read("nope").unwrap_err();
    assert!(stop.what.ends_with(r#"which has no key "nope""#), "{stop}");
    assert!(!stop.what.contains("a=b:c"));
}
