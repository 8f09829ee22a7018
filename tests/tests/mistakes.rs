//! What a user is told who makes a mistake: the exit code, and a message that names the thing and the next step.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use smt_tests::plugin;

fn check(args: &[&str], code: i32, wanted: &[&str]) {
    let binary = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(binary).args(args).env("SMT_STATE_DIR", dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{text}");
    for wanted in wanted {
        assert!(text.contains(wanted), "{args:?} does not say {wanted:?}:\n{text}");
    }
}

#[test]
fn a_plugin_that_is_no_plugin_is_a_start_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cut.wasm");
    let whole = std::fs::read(plugin("jovens")).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    check(&["--plugin", file.to_str().unwrap()], 3, &["cut.wasm"]);
    check(&["--plugin", "/nowhere/p.wasm"], 3, &["/nowhere/p.wasm"]);
}

#[test]
fn an_unknown_setting_names_the_known_ones() {
    let file = plugin("faults");
    check(&["--plugin", file.to_str().unwrap(), "--set", "fautl=spin"], 3, &["fautl", "fault"]);
}

#[test]
fn a_broker_that_does_not_answer_is_a_dependency_error() {
    let file = plugin("jovens");
    check(
        &["--plugin", file.to_str().unwrap(), "--brokers", "127.0.0.1:1", "--fail-fast"],
        5,
        &["127.0.0.1:1", "hint:"],
    );
}

#[test]
fn a_bad_option_is_a_usage_error() {
    check(&["--plugin", "x.wasm", "--commit-interval", "soon"], 2, &["--commit-interval", "unit"]);
    check(&["demo", "--interval=-1"], 2, &["--interval"]);
    let file = plugin("jovens");
    check(&["--plugin", file.to_str().unwrap(), "-X", "group.id=mine"], 2, &["group.id", "--group"]);
}
