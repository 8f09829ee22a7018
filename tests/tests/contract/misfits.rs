//! Files that are no plugin of this contract: each is refused in words, with what it asks for and what is served.

use smt_tests::plugin;

use crate::{load, stub};

const SERVED: &str = "smt:plugin/setup@1.x with smt:plugin/transformer@1.x or smt:plugin/aggregator@1.x";

/// The contract, from which its relatives are made.
fn contract() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/plugin.wit")).unwrap()
}

/// The contract with its one occurrence of `old` changed.
fn changed(old: &str, new: &str) -> String {
    let text = contract();
    assert_eq!(text.matches(old).count(), 1, "{old}");
    text.replace(old, new)
}

/// The whole message.
fn refusal(file: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.wasm");
    std::fs::write(&path, file).unwrap();
    let error = load(&path).err().unwrap();
    assert!(error.what.contains("other.wasm"), "{}", error.what);
    format!("{} hint: {}", error.what, error.hint)
}

fn check(file: &[u8], wanted: &[&str]) {
    let said = refusal(file);
    for wanted in wanted {
        assert!(said.contains(wanted), "{wanted:?} is not in: {said}");
    }
}

#[test]
fn the_contract_itself_fits_and_traps_only_when_called() {
    for world in ["transform", "aggregate"] {
        check(&stub::module(&contract(), world), &["fails in describe", "unreachable"]);
    }
}

#[test]
fn another_major_version_is_named() {
    let second = contract().replace("package smt:plugin@1.0.0", "package smt:plugin@2.0.0");
    // Its import of host@2 is seen first.
    check(&stub::module(&second, "transform"), &["smt:plugin/", "@2.0.0", SERVED]);
}

#[test]
fn another_package_is_named() {
    let other = contract().replace("package smt:plugin@1.0.0", "package acme:plugin@1.0.0");
    check(&stub::module(&other, "transform"), &["acme:plugin/", SERVED]);
}

#[test]
fn an_interface_of_ours_that_is_not_served_is_named() {
    let joiner = "interface joiner { join: func(); }\nworld join { import host; export setup; export joiner; }";
    let file = stub::module(&format!("{}\n{joiner}", contract()), "join");
    check(&file, &["exports smt:plugin/setup@1.0.0, smt:plugin/joiner@1.0.0", SERVED]);
}

#[test]
fn bare_functions_are_named() {
    let world = "package acme:tools; world bare { export transform: func(value: list<u8>) -> list<u8>; }";
    check(&stub::module(world, "bare"), &["exports transform", SERVED]);
}

#[test]
fn an_interface_of_another_host_is_named() {
    let text = contract();
    let world = "interface store { get: func(key: string) -> string; }\nworld stateful { import store; import host; \
                 export setup; export transformer; }";
    let file = stub::module(&format!("{text}\n{world}"), "stateful");
    check(&file, &["imports smt:plugin/store@1.0.0", SERVED]);
}

#[test]
fn a_later_minor_version_fits_as_long_as_it_calls_nothing_new() {
    let later = contract().replace("package smt:plugin@1.0.0", "package smt:plugin@1.1.0");
    check(&stub::module(&later, "transform"), &["fails in describe"]);
    let more = later.replace("log: func(level", "metric: func(name: string);\n log: func(level");
    check(&stub::module(&more, "transform"), &["calls metric of smt:plugin/host@1.1.0", SERVED]);
}

#[test]
fn another_shape_of_a_published_interface_is_refused() {
    let grown = changed("outputs: list<output>,", "outputs: list<output>, retries: u32,");
    check(&stub::module(&grown, "transform"), &["does not fit", "setup", SERVED]);
}

#[test]
fn a_module_without_a_component_type_and_files_that_are_none_say_what_to_build() {
    check(&stub::bare_module(), &["core module without a component-type section", "hint: build with the plugin SDK"]);
    check(b"", &["is empty", "give the .wasm file"]);
    check(b"\x7fELF and more", &["is not a WASM file"]);
    let whole = std::fs::read(plugin("jovens")).unwrap();
    for cut in [8, 100, whole.len() / 2, whole.len() - 1] {
        check(&whole[..cut], &["hint: build"]);
    }
}
