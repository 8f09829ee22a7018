//! `smt-host select`

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use expect_test::{Expect, expect};
use rustix::process::Signal;
use smt_tests::host::Running;

use crate::{WINDOW, command, customers, seen, topic, write};

fn check(args: &[&str], expected: Expect) {
    expected.assert_eq(&seen(&[&["select"], args].concat()));
}

#[test]
fn the_workshops_projection_is_an_aligned_table() {
    let customers = customers();
    check(
        &["nome,TELEFONE, nascimento,dt_update", "--from", customers],
        expect![[r#"
         NOME         | TELEFONE | NASCIMENTO | DT_UPDATE
        ----------------------------------------------------------------
         Ana São João | telefone | 2000-01-01 | 2021-04-12T23:26:03.655
         Bo           | telefone | 1999-12-31 | 2021-04-12T23:26:03.655
         Eva          | telefone | null       | 2021-04-12T23:26:03.655
         Zé           | telefone | 2006-05-04 | 2021-04-12T23:26:03.655
        ----------------------------------------------------------------
    "#]],
    );
    check(
        &["nome", "--from", customers, "--where", "nascimento >= '2000-01-01'"],
        expect![[r#"
         NOME
        --------------
         Ana São João
         Zé
        --------------
    "#]],
    );
    check(
        &["nome,rowtime,rowoffset", "--from", customers, "--limit", "2"],
        expect![[r#"
         NOME         | ROWTIME                 | ROWOFFSET
        ----------------------------------------------------
         Ana São João | 2021-04-12T23:26:03.655 | 0
         Bo           | 2021-04-12T23:26:04.655 | 1
        ----------------------------------------------------
    "#]],
    );
    check(
        &["nome", "--from", customers, "--where", "nome = 'nobody'"],
        expect![[r#"
         NOME
        ------
        ------
    "#]],
    );
    check(
        &["nome,nascimento", "--from", customers, "--json", "--limit", "1"],
        expect![[r#"
        {"nome":"Ana São João","nascimento":"2000-01-01"}
    "#]],
    );
}

#[test]
fn all_columns_come_with_the_windowed_key() {
    topic("look-counts", 1);
    let key = |start: i64| [&b"JOVEM"[..], &start.to_be_bytes()].concat();
    let count = |n: i64| Some(format!("{{\"CONTAGEM\":{n}}}").into_bytes());
    write("look-counts", 0, &[(Some(&key(WINDOW)), count(3)), (Some(&key(WINDOW + 30_000)), count(12))]);
    check(
        &["*", "--from", "look-counts"],
        expect![[r#"
         ROWKEY                  | CONTAGEM
        ------------------------------------
         [JOVEM@1618269960000/-] | 3
         [JOVEM@1618269990000/-] | 12
        ------------------------------------
    "#]],
    );
    check(
        &["windowstart,contagem", "--from", "look-counts", "--where", "contagem > 3"],
        expect![[r#"
         WINDOWSTART             | CONTAGEM
        ------------------------------------
         2021-04-12T23:26:30.000 | 12
        ------------------------------------
    "#]],
    );
}

#[test]
fn changes_are_emitted_until_somebody_stops_it() {
    topic("look-changes", 1);
    write("look-changes", 0, &[(None, Some(br#"{"n":1}"#.to_vec()))]);
    let mut child =
        command(&["select", "n", "--from", "look-changes", "--emit-changes"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let mut running = Running::of(child);
    assert_eq!(lines.by_ref().take(3).collect::<Vec<_>>(), [" N", "---", " 1"]);
    write("look-changes", 0, &[(None, Some(br#"{"n":22}"#.to_vec()))]);
    assert_eq!(lines.next().unwrap(), " 22");
    running.signal(Signal::INT);
    assert_eq!(running.code_within(Duration::from_secs(10)), Some(0));
    assert_eq!(lines.next().unwrap(), "----");
}
