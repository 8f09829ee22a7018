//! What a file may say, and what is said about one that is wrong.
#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::*;
use crate::exit::Exit;

fn check(text: &str, message: Expect) {
    let stop = read::config(text, Path::new("smt-host.toml")).unwrap_err();
    assert_eq!(stop.exit, Exit::Usage);
    message.assert_eq(&stop.to_string());
}

#[test]
fn an_unknown_key_is_told_with_its_place_the_nearest_and_all_that_are_allowed() {
    check(
        "[kafka]\nbroker = \"b:9092\"\n",
        expect![[r#"
        smt-host.toml line 2: unknown key "broker" in [kafka]; did you mean "brokers"?
        hint: allowed there: brokers, properties"#]],
    );
    check(
        "[[pipeline]]\n[[pipeline]]\n[[pipeline.plugin]]\nfile = \"a\"\nlimit = {}\n",
        expect![[r#"
        smt-host.toml line 5: unknown key "limit" in [[pipeline]] number 2, [[pipeline.plugin]] number 1; did you mean "limits"?
        hint: allowed there: file, settings, outputs, window, limits"#]],
    );
    check(
        "zzz = 1\n",
        expect![[r#"
        smt-host.toml line 1: unknown key "zzz" at the top
        hint: allowed there: state-dir, instance-id, log-format, fail-fast, kafka, registry, pipeline, sink"#]],
    );
    check(
        "[[pipeline]]\n[[pipeline.plugin]]\nfile = \"a\"\n[pipeline.plugin.limits]\nmem = 1\n",
        expect![[r#"
        smt-host.toml line 5: unknown key "mem" in [[pipeline]] number 1, [[pipeline.plugin]] number 1, [pipeline.plugin.limits]
        hint: allowed there: memory, cpu-per-record, output-records, output-bytes, accumulator-bytes"#]],
    );
}

#[test]
fn a_value_that_does_not_fit_is_told_with_what_does() {
    check(
        "[[pipeline]]\ncommit-interval = \"soon\"\n",
        expect![[
            r#"smt-host.toml line 2: commit-interval in [[pipeline]] number 1: "soon" does not fit: a whole number and its unit (us, ms, s or m) are needed, such as 100ms, in quotes"#
        ]],
    );
    check(
        "[[pipeline]]\ncommit-interval = 100\n",
        expect![
            "smt-host.toml line 2: commit-interval in [[pipeline]] number 1: 100 does not fit: a whole number and its unit (us, ms, s or m) are needed, such as 100ms, in quotes"
        ],
    );
    check(
        "[[pipeline]]\ndelivery = \"exactly-onse\"\n",
        expect![[r#"
        smt-host.toml line 2: delivery in [[pipeline]] number 1 is "exactly-onse"; did you mean "exactly-once"?
        hint: allowed: exactly-once, at-least-once"#]],
    );
    check(
        "[[pipeline]]\nworkers = 0\n",
        expect![
            "smt-host.toml line 2: workers in [[pipeline]] number 1: 0 does not fit: a whole number from 1 to 4294967295 is needed"
        ],
    );
    check(
        "[[pipeline]]\ninput = 1\n",
        expect!["smt-host.toml line 2: input in [[pipeline]] number 1: a text or a list of texts is needed"],
    );
    check(
        "[[pipeline]]\n[[pipeline.plugin]]\n",
        expect!["smt-host.toml line 2: file is missing in [[pipeline]] number 1, [[pipeline.plugin]] number 1"],
    );
    check(
        "fail-fast = \"yes\"\n",
        expect![[r#"smt-host.toml line 1: fail-fast: invalid type: string "yes", expected a boolean"#]],
    );
}

#[test]
fn what_is_no_table_list_or_toml_says_so() {
    check(
        "[pipeline]\nname = \"a\"\n",
        expect![[r#"
            smt-host.toml line 1: pipeline must be a list of tables
            hint: write [[pipeline]]"#]],
    );
    check(
        "[[pipeline]]\nplugin = {}\n",
        expect![[r#"
            smt-host.toml line 2: plugin must be a list of tables
            hint: write [[pipeline.plugin]]"#]],
    );
    check(
        "[registry]\n\npassword = hunter2\n",
        expect![[r#"
        smt-host.toml line 3: this is not TOML: string values must be quoted, expected literal string
        hint: the usual reasons: a text without quotes, or a quote or bracket that is not closed"#]],
    );
    check(
        "kafka = \"hunter2\"\n",
        expect![[r#"
            smt-host.toml line 1: kafka must be a table
            hint: write [kafka]"#]],
    );
}

#[test]
fn a_secret_of_the_wrong_type_is_not_shown() {
    check(
        "[registry]\npassword = [\"hunter2\"]\n",
        expect!["smt-host.toml line 2: password in [registry]: a text is needed"],
    );
    check(
        "[kafka.properties]\nsasl.password = [\"hunter2\"]\n",
        expect![[r#"smt-host.toml line 1: properties in [kafka]: property "sasl.password": a text is needed"#]],
    );
}

#[test]
fn relative_paths_start_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("smt-host.toml");
    let text = "state-dir = \"s\"\n[registry]\nca-file = \"/ca\"\npassword = \"${file:p}\"\n\
                [[pipeline]]\n[[pipeline.plugin]]\nfile = \"a.wasm\"\n";
    std::fs::write(&file, text).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.state_dir, Some(dir.path().join("s")));
    assert_eq!(config.registry.ca_file, Some("/ca".into()));
    assert_eq!(config.registry.password, Some(Secret::in_file(&dir.path().join("p"))));
    assert_eq!(config.pipeline[0].plugin[0].file, dir.path().join("a.wasm"));
}

#[test]
fn one_topic_or_url_needs_no_list() {
    let text = "[registry]\nurl = \"http://a\"\n[[pipeline]]\ninput = \"a\"\n[[pipeline]]\ninput = [\"b\", \"c\"]\n";
    let config = read::config(text, Path::new("x")).unwrap();
    assert_eq!(config.registry.url, ["http://a".parse::<Url>().unwrap()]);
    assert_eq!([&config.pipeline[0].input, &config.pipeline[1].input], [&vec!["a"], &vec!["b", "c"]]);
}

#[test]
fn user_password_and_token_are_whole_and_not_both() {
    let check = |table: &str, wanted: &str| {
        let config = read::config(&format!("[registry]\n{table}"), Path::new("x")).unwrap();
        let stop = config.registry.resolve().unwrap_err();
        assert!(stop.what.contains(wanted) && !stop.to_string().contains("secret"), "{stop}");
    };
    check("user = \"me\"", "user \"me\" and no password");
    check("password = \"secret\"", "a password and no user");
    check("user = \"me\"\npassword = \"secret\"\ntoken = \"secret\"", "a token and a user");
    check("url = \"http://me:secret@host\"\ntoken = \"secret\"", "a token and a user");
    check("cert-file = \"c.pem\"", "half given: c.pem");
}

#[test]
fn a_registrys_url_is_http_or_https() {
    let check = |url: &str, refused: Option<&str>| {
        let config = read::config(&format!("[registry]\nurl = \"{url}\""), Path::new("x")).unwrap();
        let told = config.registry.resolve().err().map(|stop| stop.what);
        let wanted = refused.map(|shown| format!("the registry's url {shown:?} is none of http:// or https://"));
        assert_eq!(told, wanted, "{url}");
    };
    check("http://a, https://b:1/c,", None);
    check("localhost:8081", Some("localhost:8081"));
    check("http://a,ftp://me:secret@b", Some("b"));
    check("https://", Some("https://"));
}

#[test]
fn a_token_takes_the_place_of_a_password_and_the_other_way_round() {
    let registry = |table: &str| read::config(&format!("[registry]\n{table}"), Path::new("x")).unwrap().registry;
    let (basic, bearer) = (registry("user = \"me\"\npassword = \"secret\""), registry("token = \"secret\""));
    for (below, above) in [(&basic, &bearer), (&bearer, &basic)] {
        let mut merged = below.clone();
        merged.override_by(above);
        assert_eq!(&merged, above);
    }
    let both = registry("user = \"me\"\npassword = \"secret\"\ntoken = \"secret\"");
    let mut merged = basic.clone();
    merged.override_by(&both);
    assert_eq!(merged, both, "so that it is refused");
}

#[test]
fn the_example_is_a_configuration_that_uses_every_key() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("smt-host.example.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    // The comments in front of the keys that exclude the others.
    let all =
        text.replace("# token", "token").replace("# ca-", "ca-").replace("# cert-", "cert-").replace("# key-", "key-");
    let all = all.replace("# window", "window");
    let mut config = read::config(&all, &file).unwrap();
    // The first says only what it must.
    config.pipeline[0].plugin.remove(0);
    assert!(!format!("{config:?}").contains("None"), "{config:?}");
}
