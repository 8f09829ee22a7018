//! The demo as a newcomer runs it. With a real broker it is what `make demo` shows; here is what it does without Java.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

#[test]
fn without_java_or_jars_the_demo_says_so_and_goes_on_with_an_imitation() {
    let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
    let nothing = tempfile::tempdir().unwrap();
    let output = Command::new(binary)
        .args(["demo", "--customers", "200", "--interval", "0.05"])
        .arg("--plugins")
        .arg(smt_tests::plugin("jovens").parent().unwrap())
        .env("SMT_KAFKA_JARS", "/nonexistent")
        .env("PATH", nothing.path())
        .output()
        .unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    for wanted in [
        "NOT Apache Kafka: no Kafka jars in /nonexistent",
        "AT LEAST once",
        "The counts in windows (idadecont) need transactions, so they are left out.",
        "So are the S3 sinks",
        "There is no Connect REST API either",
        "make setup",
        "| idadeclass         | all rows of the table    | 200      | 200       | ok |",
        "How to go on:",
    ] {
        assert!(told.contains(wanted), "{wanted:?} is not in:\n{told}\n{errors}");
    }
}
