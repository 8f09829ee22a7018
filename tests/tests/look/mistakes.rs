//! What the commands say when something is wrong, and their exit codes.

use std::process::Stdio;

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
    check(
        &["print", "look-custmers"],
        3,
        expect![[r#"
        error: topic look-custmers does not exist; did you mean "look-customers"?
        hint: smt-host topics shows those that do
    "#]],
    );
    check(
        &["topics", "describe", "look-custmers"],
        3,
        expect![[r#"
        error: topic look-custmers does not exist; did you mean "look-customers"?
        hint: smt-host topics shows those that do
    "#]],
    );
    check(
        &["select", "nome", "--from", "look-custmers"],
        3,
        expect![[r#"
        error: topic look-custmers does not exist; did you mean "look-customers"?
        hint: smt-host topics shows those that do
    "#]],
    );
    check(
        &["select", "nome,nascimeto", "--from", customers],
        2,
        expect![[r#"
        error: there is no column "nascimeto"; did you mean "nascimento"?
        hint: columns: nome, sexo, endereco, telefone, email, foto, nascimento, profissao, dt_update, ROWKEY, ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART; '*' is all of the value's, in quotes for the shell
    "#]],
    );
    check(
        &["select", "nome", "--from", customers, "--where", "nascimeto > '2000'"],
        2,
        expect![[r#"
        error: --where: there is no column nascimeto; did you mean "nascimento"?
          nascimeto > '2000'
          ^
        hint: columns: nome, sexo, endereco, telefone, email, foto, nascimento, profissao, dt_update, ROWKEY, ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART
    "#]],
    );
    check(
        &["select", "nome", "--from", customers, "--where", "nascimento > '2000-13'"],
        2,
        expect![[r#"
        error: --where: '2000-13' is no date: one is written 2000-01-01
          nascimento > '2000-13'
                       ^
        hint: dates are written '2000-01-01', times '2000-01-01T10:30:00', text in single quotes, numbers bare
    "#]],
    );
    check(
        &["print", customers, "--where", "nome = "],
        2,
        expect![[r#"
        error: --where: a column or a value should stand here
          nome = 
                 ^
        hint: a condition looks like: nascimento >= '2000-01-01' AND (nome LIKE 'Ana%' OR NOT email IS NULL)
    "#]],
    );
    check(
        &["select", ", ", "--from", customers],
        2,
        expect![[r#"
        error: no column is named
        hint: columns: nome, sexo, endereco, telefone, email, foto, nascimento, profissao, dt_update
    "#]],
    );
    check(
        &["topics", "create", "look/bad"],
        2,
        expect![[r#"
        error: Kafka allows no topic named "look/bad"
        hint: allowed are letters, digits, '.', '_' and '-', at most 249 of them
    "#]],
    );
    topic("look-text", 1);
    write("look-text", 0, &[(None, Some(b"text".to_vec()))]);
    check(
        &["select", "*", "--from", "look-text"],
        3,
        expect![[r#"
        error: the records of topic look-text have no columns
        hint: smt-host print look-text --from-beginning shows them as they are
    "#]],
    );
}

#[test]
fn what_is_away_is_named() {
    let (customers, brokers) = (customers(), smt_tests::world().kafka.brokers());
    let nobody = "127.0.0.1:1";
    let cases = [
        (vec!["topics", "--brokers", nobody], "no Kafka broker answers at 127.0.0.1:1"),
        (vec!["print", customers, "--brokers", nobody], "no Kafka broker answers at 127.0.0.1:1"),
        (vec!["status", "--brokers", nobody], "no Kafka broker answers at 127.0.0.1:1"),
        // Without it Avro cannot be decoded.
        (
            vec!["print", customers, "--until-end", "--brokers", &brokers, "--registry", "http://127.0.0.1:1"],
            "cannot reach the schema registry at http://127.0.0.1:1",
        ),
    ];
    // Each waits a while: all at once.
    let running = cases.map(|(args, says)| {
        let child = binary().args(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        (child, args, says)
    });
    for (child, args, says) in running {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(5) && said.contains(says), "{args:?}: {said}");
    }
}
