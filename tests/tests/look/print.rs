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
    check(&[customers(), "--from-beginning", "--until-end"], expect![[r#""#]]);
    check(&[customers(), "--until-end", "--limit", "1", "--json"], expect![[r#""#]]);
    check(&[customers(), "--until-end", "--where", "NOME = 'Zé' AND rowpartition = 1"], expect![[r#""#]]);
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
    check(&["look-kinds", "--until-end", "--headers"], expect![[r#""#]]);
    check(&["look-kinds", "--until-end", "--json"], expect![[r#""#]]);
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
