//! What the commands say when something is wrong, and their exit codes.

use expect_test::{Expect, expect};

use crate::{customers, output, topic, write};
use smt_tests::host::binary;

fn check(args: &[&str], code: i32, expected: Expect) {
    let output = output(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    expected.assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    let customers = customers();
    check(&["print", "look-custmers"], 3, expect![[r#""#]]);
    check(&["topics", "describe", "look-custmers"], 3, expect![[r#""#]]);
    check(&["select", "nome", "--from", "look-custmers"], 3, expect![[r#""#]]);
    check(&["select", "nome,nascimeto", "--from", customers], 2, expect![[r#""#]]);
    check(&["select", "nome", "--from", customers, "--where", "nascimeto > '2000'"], 2, expect![[r#""#]]);
    check(&["select", "nome", "--from", customers, "--where", "nascimento > '2000-13'"], 2, expect![[r#""#]]);
    check(&["print", customers, "--where", "nome = "], 2, expect![[r#""#]]);
    check(&["topics", "create", "look/bad"], 2, expect![[r#""#]]);
    topic("look-text", 1);
    write("look-text", 0, &[(None, Some(b"text".to_vec()))]);
    check(&["select", "*", "--from", "look-text"], 3, expect![[r#""#]]);
}

#[test]
fn what_is_away_is_named() {
    for (args, says) in [
        (&["topics", "--brokers", "127.0.0.1:1"][..], "no Kafka broker answers at 127.0.0.1:1"),
        (&["status", "--brokers", "127.0.0.1:1"], "no Kafka broker answers at 127.0.0.1:1"),
    ] {
        let output = binary().args(args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(5) && said.contains(says), "{args:?}: {said}");
    }
    // The registry is needed for Avro only.
    let (customers, brokers) = (customers(), smt_tests::world().kafka.brokers());
    let args = ["print", customers, "--until-end", "--brokers", &brokers, "--registry", "http://127.0.0.1:1"];
    let output = binary().args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(5) && said.contains("cannot reach the schema registry"), "{said}");
}
