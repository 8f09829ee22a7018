//! Options and connector files that are wrong in themselves: nothing is contacted.

use expect_test::expect;
use smt_tests::host::binary;
use smt_tests::plugin;

use super::{SOURCE, check};

#[test]
fn a_bad_option_is_a_usage_error_that_says_what_is_allowed() {
    let faults = plugin("faults");
    let check = |args: &[&str], message| check(binary().args(args), 2, message);
    check(
        &["--plugin", "x.wasm", "--commit-interval", "soon"],
        expect![[r#"
            error: invalid value 'soon' for '--commit-interval <TIME>': a whole number and its unit (us, ms, s or m) are needed, such as 100ms

            For more information, try '--help'.
        "#]],
    );
    check(
        &["--plugin", "x.wasm", "--commit-interval", "5"],
        expect![[r#"
            error: invalid value '5' for '--commit-interval <TIME>': a whole number and its unit (us, ms, s or m) are needed, such as 100ms

            For more information, try '--help'.
        "#]],
    );
    check(
        &["--plugin", "x.wasm", "--worker", "2"],
        expect![[r#"
            error: unexpected argument '--worker' found

              tip: a similar argument exists: '--workers'

            Usage: smt-host --plugin <FILE> --workers <N>

            For more information, try '--help'.
        "#]],
    );
    check(
        &["--plugin", "x.wasm", "--workers", "0"],
        expect![[r#"
            error: invalid value '0' for '--workers <N>': a whole number from 1 to 4294967295 is needed

            For more information, try '--help'.
        "#]],
    );
    check(
        &["--plugin", "x.wasm", "--set", "fault"],
        expect![[r#"
        error: invalid value 'fault' for '--set <KEY=VALUE>': KEY=VALUE is needed

        For more information, try '--help'.
    "#]],
    );
    check(
        &["demo", "--interval=-1"],
        expect![[r#"
        error: invalid value '-1' for '--interval <INTERVAL>': seconds from 0 to 3600

        For more information, try '--help'.
    "#]],
    );
    let file = faults.to_str().unwrap();
    check(
        &["--plugin", file, "-X", "group.id=mine"],
        expect![[r#"
        error: the Kafka property group.id cannot be passed through
        hint: exactly-once delivery rests on it; use smt-host's own option (--brokers, --group, --delivery) instead
    "#]],
    );
    check(
        &["--plugin", file, "-X", "sasl.pasword=hunter2"],
        expect![[r#"
            error: no Kafka client can be made: the property "sasl.pasword" is not known to librdkafka
            hint: librdkafka's CONFIGURATION.md lists all properties (-X, [kafka.properties]) and their values
        "#]],
    );
    check(
        &["--plugin", file, "--plugin", file],
        expect![[r#"
            error: two pipelines have the name faults
            hint: give each --plugin once; in the file, give each [[pipeline]] a `name` of its own
        "#]],
    );
    check(
        &["source", SOURCE, "-X", "sasl.pasword=hunter2"],
        expect![[r#"
        error: no Kafka client can be made: the property "sasl.pasword" is not known to librdkafka
        hint: librdkafka's CONFIGURATION.md lists all properties (-X, [kafka.properties]) and their values
    "#]],
    );
    check(
        &["source", SOURCE, "--registry-user", "ana"],
        expect![[r#"
        error: the registry has user "ana" and no password
        hint: give both: `user` and `password` of [registry], or --registry-user and --registry-password-file
    "#]],
    );
}

#[test]
fn a_bad_connector_file_is_a_usage_error_that_names_the_key() {
    let text = std::fs::read_to_string(SOURCE).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let check = |from: &str, to: &str, message| {
        assert!(text.contains(from));
        let file = dir.path().join("connector.config");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        check(binary().arg("source").arg(&file), 2, message);
    };
    check(
        "poll.interval.ms",
        "poll.intervall.ms",
        expect![[r#"
        error: unknown connector key "poll.intervall.ms"
        hint: did you mean "poll.interval.ms"?
    "#]],
    );
    check(
        "\"mode\": \"timestamp\"",
        "\"mode\": \"timestamps\"",
        expect![[r#"
        error: mode is "timestamps"; allowed: bulk, timestamp, incrementing, timestamp+incrementing
        hint: did you mean "timestamp"?
    "#]],
    );
    check(
        "table.whitelist",
        "transforms",
        expect![[r#"
            error: connector key "transforms" is not supported
            hint: transforms run in a pipeline of their own: smt-host run
        "#]],
    );
    check(
        "500",
        "\"half a second\"",
        expect![[r#"
        error: poll.interval.ms is "half a second"; allowed: a whole number from 0 to 2147483647
    "#]],
    );
    check(
        "\"tasks.max\": 1,",
        "\"tasks.max\": 1",
        expect![[r#"
        error: the connector file is not usable: expected `,` or `}` at line 6 column 5
    "#]],
    );
    check(
        "jdbc:postgresql://",
        "jdbc:mysql://",
        expect![[r#"
        error: connection.url is not usable: it does not start with jdbc:postgresql:
        hint: it looks like jdbc:postgresql://host:5432/database
    "#]],
    );
    let mut missing = binary();
    missing.args(["source", "nowhere/connector.config"]);
    self::check(
        &mut missing,
        2,
        expect![[r#"
            error: connector file nowhere/connector.config cannot be read: No such file or directory (os error 2)
            hint: check the path; it is Kafka Connect's JSON, as connectors/source/connect_jdbc_postgres.config
        "#]],
    );
}
