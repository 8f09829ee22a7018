//! `smt-host print`

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use expect_test::{Expect, expect};
use rustix::process::Signal;
use smt_tests::host::Running;

use crate::{TIME, WINDOW, command, customers, seen, topic, write};

fn check(args: &[&str], expected: Expect) {
    expected.assert_eq(&seen(&[&["print"], args].concat()));
}

#[test]
fn avro_is_decoded_with_dates_for_people() {
    check(
        &[customers(), "--from-beginning", "--until-end"],
        expect![[r#"
        Key format: ¯\_(ツ)_/¯ - no data processed
        Value format: AVRO
        rowtime: 2021/04/12 23:26:03.655 Z, key: <null>, value: {"nome": "Ana São João", "sexo": "sexo", "endereco": "endereco", "telefone": "telefone", "email": "email", "foto": "foto", "nascimento": "2000-01-01", "profissao": null, "dt_update": "2021-04-12T23:26:03.655"}, partition: 0
        rowtime: 2021/04/12 23:26:04.655 Z, key: <null>, value: {"nome": "Bo", "sexo": "sexo", "endereco": "endereco", "telefone": "telefone", "email": "email", "foto": "foto", "nascimento": "1999-12-31", "profissao": null, "dt_update": "2021-04-12T23:26:03.655"}, partition: 0
        rowtime: 2021/04/12 23:26:05.655 Z, key: <null>, value: {"nome": "Eva", "sexo": "sexo", "endereco": "endereco", "telefone": "telefone", "email": "email", "foto": "foto", "nascimento": null, "profissao": null, "dt_update": "2021-04-12T23:26:03.655"}, partition: 0
        rowtime: 2021/04/12 23:26:03.655 Z, key: <null>, value: {"nome": "Zé", "sexo": "sexo", "endereco": "endereco", "telefone": "telefone", "email": "email", "foto": "foto", "nascimento": "2006-05-04", "profissao": null, "dt_update": "2021-04-12T23:26:03.655"}, partition: 1
        rowtime: 2021/04/12 23:26:04.655 Z, key: <null>, value: <null>, partition: 1
    "#]],
    );
    check(
        &[customers(), "--until-end", "--limit", "1", "--json"],
        expect![[r#"
        {"partition":0,"offset":0,"timestamp-ms":1618269963655,"key":null,"window":null,"value":{"nome":"Ana São João","sexo":"sexo","endereco":"endereco","telefone":"telefone","email":"email","foto":"foto","nascimento":"2000-01-01","profissao":null,"dt_update":"2021-04-12T23:26:03.655"},"headers":[{"name":"from","value":"test"}]}
    "#]],
    );
    check(
        &[customers(), "--until-end", "--where", "NOME = 'Zé' AND rowpartition = 1"],
        expect![[r#"
        Key format: ¯\_(ツ)_/¯ - no data processed
        Value format: AVRO
        rowtime: 2021/04/12 23:26:03.655 Z, key: <null>, value: {"nome": "Zé", "sexo": "sexo", "endereco": "endereco", "telefone": "telefone", "email": "email", "foto": "foto", "nascimento": "2006-05-04", "profissao": null, "dt_update": "2021-04-12T23:26:03.655"}, partition: 1
    "#]],
    );
}

#[test]
fn keys_values_and_headers_are_shown_as_what_they_are() {
    topic("look-kinds", 1);
    let windowed = [&b"JOVEM"[..], &WINDOW.to_be_bytes()].concat();
    let session = [&b"JOVEM"[..], &(WINDOW + 30_000).to_be_bytes(), &WINDOW.to_be_bytes()].concat();
    let text = |text: &str| Some(text.as_bytes().to_vec());
    write(
        "look-kinds",
        0,
        &[
            (Some(&windowed), text(r#"{"a":1.50,"b":["x"]}"#)),
            (Some(&session), text("plain")),
            (Some(b"k\xff"), Some(vec![0xff, 0xfe, 0])),
            (Some(&7i32.to_be_bytes()), None),
            (Some(b""), text("\u{1b}[2Jred")),
            // A frame whose schema nobody knows.
            (None, Some(vec![0, 0x7f, 0, 0, 1, 2])),
        ],
    );
    check(
        &["look-kinds", "--until-end", "--headers"],
        expect![[r#"
        Key format: HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING) or KAFKA_STRING
        Value format: JSON or KAFKA_STRING
        rowtime: 2021/04/12 23:26:03.655 Z, key: [JOVEM@1618269960000/-], value: {"a":1.50,"b":["x"]}, headers: [from: test], partition: 0
        rowtime: 2021/04/12 23:26:04.655 Z, key: [JOVEM@1618269960000/1618269990000], value: plain, headers: [from: test], partition: 0
        rowtime: 2021/04/12 23:26:05.655 Z, key: k�, value: //4A, headers: [from: test], partition: 0
        rowtime: 2021/04/12 23:26:06.655 Z, key: 7, value: <null>, headers: [from: test], partition: 0
        rowtime: 2021/04/12 23:26:07.655 Z, key: , value: \u{1b}[2Jred, headers: [from: test], partition: 0
        rowtime: 2021/04/12 23:26:08.655 Z, key: <null>, value: AH8AAAEC, headers: [from: test], partition: 0
    "#]],
    );
    check(
        &["look-kinds", "--until-end", "--json"],
        expect![[r#"
        {"partition":0,"offset":0,"timestamp-ms":1618269963655,"key":"JOVEM","window":{"start-ms":1618269960000,"end-ms":null},"value":{"a":1.5,"b":["x"]},"headers":[{"name":"from","value":"test"}]}
        {"partition":0,"offset":1,"timestamp-ms":1618269964655,"key":"JOVEM","window":{"start-ms":1618269960000,"end-ms":1618269990000},"value":"plain","headers":[{"name":"from","value":"test"}]}
        {"partition":0,"offset":2,"timestamp-ms":1618269965655,"key":"k�","window":null,"value":"//4A","headers":[{"name":"from","value":"test"}]}
        {"partition":0,"offset":3,"timestamp-ms":1618269966655,"key":7,"window":null,"value":null,"headers":[{"name":"from","value":"test"}]}
        {"partition":0,"offset":4,"timestamp-ms":1618269967655,"key":"","window":null,"value":"\u001b[2Jred","headers":[{"name":"from","value":"test"}]}
        {"partition":0,"offset":5,"timestamp-ms":1618269968655,"key":null,"window":null,"value":"AH8AAAEC","headers":[{"name":"from","value":"test"}]}
    "#]],
    );
}

#[test]
fn print_goes_on_with_what_comes_and_ends_well_on_signals() {
    topic("look-follow", 1);
    write("look-follow", 0, &[(None, Some(b"old".to_vec()))]);
    for (signal, from, first) in [(Signal::TERM, "--from-beginning", "old"), (Signal::INT, "--watch", "new")] {
        let mut child = command(&["print", "look-follow", "--json", from]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut running = Running::of(child);
        if first == "new" {
            // Until it has begun to read, what is written would be old to it.
            let (stop, done) = std::sync::mpsc::channel::<()>();
            let writer = std::thread::spawn(move || {
                while done.recv_timeout(Duration::from_millis(200)).is_err() {
                    write("look-follow", 0, &[(None, Some(b"new".to_vec()))]);
                }
            });
            assert!(lines.next().unwrap().unwrap().contains("\"value\":\"new\""));
            stop.send(()).unwrap();
            writer.join().unwrap();
        } else {
            assert!(lines.next().unwrap().unwrap().contains(&format!("\"timestamp-ms\":{TIME},\"key\":null")));
        }
        running.signal(signal);
        assert_eq!(running.code_within(Duration::from_secs(10)), Some(0), "{signal:?}");
    }
}
