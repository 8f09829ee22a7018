//! Tries what WASI could give it, and emits what came of it. A record's value says what is tried.

#![allow(clippy::unwrap_used)]

wit_bindgen::generate!({ path: "../../../wit", world: "transform" });

use std::hash::{BuildHasher, Hasher};
use std::io::Read;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use exports::smt::plugin::setup;
use exports::smt::plugin::transformer::{self, Emitted, Outcome};
use smt::plugin::types::{Batch, Column, Description, Format, Output, SettingValue, Wants, Wiring};

struct Probe;

impl setup::Guest for Probe {
    fn describe() -> Description {
        println!("printed while describing");
        Description { name: "probe".into(), version: "1".into(), summary: "Tries WASI.".into(), settings: vec![] }
    }

    fn configure(_: Vec<SettingValue>) -> Result<Wiring, String> {
        eprint!("a line in pieces ");
        eprintln!("on stderr");
        let output = Output { name: "out".into(), topic: "out".into(), value: Some(Format::Json), key: None };
        Ok(Wiring { input: Format::Bytes, key: None, wants: Wants::empty(), outputs: vec![output] })
    }
}

impl transformer::Guest for Probe {
    fn transform(batch: Batch) -> Outcome {
        let mut rest = batch.values.data.as_slice();
        let answers = batch.values.lengths.iter().map(|&length| {
            let (value, after) = rest.split_at(length as usize);
            rest = after;
            attempt(std::str::from_utf8(value).unwrap())
        });
        let answers: Vec<String> = answers.collect();
        let emitted = Emitted {
            inputs: (0..answers.len() as u32).collect(),
            outputs: None,
            values: Column {
                lengths: answers.iter().map(|answer| answer.len() as i32).collect(),
                data: answers.concat().into_bytes(),
            },
            keys: None,
            timestamps: None,
            headers: None,
        };
        Outcome { emitted, rejections: vec![] }
    }
}

fn attempt(what: &str) -> String {
    match what {
        "read a file" => granted(std::fs::read("/etc/passwd")),
        "write a file" => granted(std::fs::write("probe.txt", "x")),
        "list a folder" => granted(std::fs::read_dir("/")),
        "connect" => granted(TcpStream::connect("127.0.0.1:9")),
        "listen" => granted(TcpListener::bind("127.0.0.1:0")),
        "send a datagram" => granted(UdpSocket::bind("127.0.0.1:0")),
        "resolve a name" => granted(("localhost", 80).to_socket_addrs()),
        "environment" => std::env::vars().count().to_string(),
        "arguments" => std::env::args().count().to_string(),
        "stdin" => std::io::stdin().read(&mut [0]).unwrap_or_default().to_string(),
        "time" => SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().to_string(),
        "sleep" => slept().to_string(),
        "random" => std::hash::RandomState::new().build_hasher().finish().to_string(),
        "fail" => {
            eprintln!("a reason on stderr");
            std::process::abort();
        }
        _ => std::process::exit(7),
    }
}

fn granted<T>(result: std::io::Result<T>) -> String {
    if result.is_ok() { "granted".into() } else { "denied".into() }
}

/// Milliseconds that the clock went on during a sleep of ten seconds.
fn slept() -> u128 {
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(10));
    start.elapsed().as_millis()
}

export!(Probe);
