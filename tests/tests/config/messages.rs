//! What a user is told of a wrong configuration.

use expect_test::{Expect, expect};
use smt_tests::plugin;

use super::{config, host, told};

/// What a user is told of a wrong file; `DIR` stands for its directory and `PLUGINS` for that of the plugins.
fn check(text: &str, code: i32, message: Expect) {
    let dir = config(text);
    let output = host(dir.path(), &["run", "--config", "smt-host.toml"]).output().unwrap();
    let plugins = plugin("jovens").parent().unwrap().to_str().unwrap().to_owned();
    let text = told(&output).replace(dir.path().to_str().unwrap(), "DIR").replace(&plugins, "PLUGINS");
    message.assert_eq(&text);
    assert_eq!(output.status.code(), Some(code));
}

#[test]
fn an_unknown_key_is_a_usage_error_with_a_suggestion() {
    check(
        "[[pipeline]]\nname = \"a\"\ncommit_interval = \"1s\"\n",
        2,
        expect![[r#"
        error: smt-host.toml line 3: unknown key "commit_interval" in [[pipeline]] number 1; did you mean "commit-interval"?
        hint: allowed there: name, group, input, workers, from, delivery, commit-interval, on-error, failures-max, dead-letter-topic, create-topics, until-end, plugin
    "#]],
    );
}

#[test]
fn a_bad_duration_is_a_usage_error_that_says_what_is_allowed() {
    check(
        "[[pipeline]]\ncommit-interval = \"1 hour\"\n[[pipeline.plugin]]\nfile = \"@jovens\"\n",
        2,
        expect![[r#"
        error: smt-host.toml line 2: commit-interval in [[pipeline]] number 1: "1 hour" does not fit: a whole number and its unit (us, ms, s or m) are needed, such as 100ms, in quotes
    "#]],
    );
}

#[test]
fn a_missing_plugin_file_is_a_start_error_with_the_path_that_was_tried() {
    check(
        "[[pipeline]]\n[[pipeline.plugin]]\nfile = \"plugins/none.wasm\"\n",
        3,
        expect![[r#"
        error: plugin plugins/none.wasm cannot be read: No such file or directory (os error 2)
        hint: check the path: on the command line it starts from here, in a file from that file's directory
    "#]],
    );
}

#[test]
fn a_missing_file_or_pipeline_or_plugin_is_a_usage_error() {
    check(
        "",
        2,
        expect![[r#"
        error: there is no pipeline to run
        hint: add [[pipeline]] to the configuration file
    "#]],
    );
    check(
        "[[pipeline]]\nname = \"a\"\n",
        2,
        expect![[r#"
        error: [[pipeline]] number 1 (a) has no plugin
        hint: add [[pipeline.plugin]] with file = "….wasm" below it
    "#]],
    );
    let dir = config("");
    let output = host(dir.path(), &["run", "--config", "none.toml"]).output().unwrap();
    expect![[r#"
        error: configuration file none.toml cannot be read: No such file or directory (os error 2)
        hint: check the path given with --config; host/smt-host.example.toml is one to start from
    "#]]
    .assert_eq(&told(&output));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn two_pipelines_of_one_group_or_one_name_are_refused() {
    let pipeline = |name: &str, group: &str| {
        format!("[[pipeline]]\nname = \"{name}\"\ngroup = \"{group}\"\n[[pipeline.plugin]]\nfile = \"@jovens\"\n")
    };
    check(
        &(pipeline("a", "same") + &pipeline("b", "same")),
        2,
        expect![[r#"
        error: the pipelines a and b have one consumer group, same: each would take records from the other
        hint: give each a group of its own (leave --group away, or set `group` in each [[pipeline]]); plugins that are to share one stand in one [[pipeline]]
    "#]],
    );
    check(
        &(pipeline("same", "a") + &pipeline("same", "b")),
        2,
        expect![[r#"
        error: two pipelines have the name same
        hint: give each --plugin once; in the file, give each [[pipeline]] a `name` of its own
    "#]],
    );
}

#[test]
fn several_plugins_need_a_name_to_share() {
    check(
        "[[pipeline]]\n[[pipeline.plugin]]\nfile = \"@jovens\"\n[[pipeline.plugin]]\nfile = \"@idadeclass\"\n",
        2,
        expect![[r#"
            error: the pipeline of the plugins jovens, idadeclass has no name
            hint: add name = "…" to its [[pipeline]]; its group and dead-letter topic are named after it
        "#]],
    );
}

#[test]
fn an_output_or_setting_that_the_plugin_does_not_have_is_refused_before_anything_is_contacted() {
    check(
        "[[pipeline]]\n[[pipeline.plugin]]\nfile = \"@jovens\"\noutputs = { joven = \"x\" }\n",
        2,
        expect![[r#"
        error: plugin jovens has no output "joven" to send to topic x; did you mean "jovens"?
        hint: its outputs: jovens
    "#]],
    );
    check(
        "[[pipeline]]\n[[pipeline.plugin]]\nfile = \"@faults\"\nsettings = { fautl = \"x\" }\n",
        3,
        expect![[r#"
        error: plugin PLUGINS/faults.wasm: unknown setting "fautl", did you mean "fault"? the plugin has: fault
        hint: smt-host inspect shows the plugin's settings
    "#]],
    );
    check(
        "[[pipeline]]\ninput = \"a b\"\n[[pipeline.plugin]]\nfile = \"@faults\"\n",
        2,
        expect![[r#"
        error: pipeline faults: Kafka allows no topic named "a b"
        hint: allowed are letters, digits, '.', '_' and '-', at most 249 of them
    "#]],
    );
}

#[test]
fn a_kafka_property_that_librdkafka_refuses_is_told_without_its_value() {
    let plugin = "[[pipeline]]\n[[pipeline.plugin]]\nfile = \"@jovens\"\n";
    check(
        &format!("[kafka.properties]\nsasl.pasword = \"hunter2\"\n{plugin}"),
        2,
        expect![[r#"
            error: no Kafka client can be made: the property "sasl.pasword" is not known to librdkafka
            hint: librdkafka's CONFIGURATION.md lists all properties (-X, [kafka.properties]) and their values
        "#]],
    );
    check(
        &format!("[kafka.properties]\nsecurity.protocol = \"hunter2\"\n{plugin}"),
        2,
        expect![[r#"
            error: no Kafka client can be made: the property "security.protocol" has a value that librdkafka does not allow
            hint: librdkafka's CONFIGURATION.md lists all properties (-X, [kafka.properties]) and their values
        "#]],
    );
    check(
        &format!("[kafka.properties]\nsasl.password = \"${{env:NO_SUCH}}\"\n{plugin}"),
        2,
        expect![[r#"
        error: sasl.password refers to ${env:NO_SUCH}, which is not set, or is not UTF-8
        hint: set the variable or write the file, then start again
    "#]],
    );
}

#[test]
fn a_pipeline_that_would_read_what_it_writes_is_refused() {
    check(
        "[[pipeline]]\ninput = \"jovens\"\n[[pipeline.plugin]]\nfile = \"@jovens\"\n",
        2,
        expect![[r#"
        error: pipeline jovens would read what it writes: jovens is input and output
        hint: send the output to another topic
    "#]],
    );
}
