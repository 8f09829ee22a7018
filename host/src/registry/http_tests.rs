//! What the client says to a server that refuses at first: who it is, and again.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{Config, Error, Registry};
use crate::exit::{Exit, Stop};

/// Answers with each status in turn, then with the last for ever; tells the head of each request.
fn serve(statuses: &'static [u16]) -> (Config, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = Config::new(&format!("http://{}", listener.local_addr().unwrap()));
    config.deadline = Duration::from_secs(5);
    let (heads, seen) = channel();
    std::thread::spawn(move || {
        let last = statuses.last().copied();
        for status in statuses.iter().copied().chain(std::iter::repeat_with(|| last.unwrap())) {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while matches!(reader.read_line(&mut head), Ok(n) if n > 2) {}
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            heads.send(head.to_lowercase()).ok();
        }
    });
    (config, seen)
}

#[test]
fn user_and_password_are_sent_as_basic_authentication_and_a_token_as_bearer() {
    let (mut config, seen) = serve(&[200]);
    config.basic_auth = Some(("me".to_owned(), "p@ss:word".to_owned()));
    Registry::new(config.clone()).ping().unwrap();
    // printf 'me:p@ss:word' | base64
    assert!(seen.recv().unwrap().contains("authorization: basic bwu6cebzczp3b3jk\r\n"));
    config.bearer_token = Some("t0ken".to_owned());
    Registry::new(config).ping().unwrap();
    assert!(seen.recv().unwrap().contains("authorization: bearer t0ken\r\n"));
}

#[test]
fn a_registry_that_is_busy_is_asked_again() {
    let (config, seen) = serve(&[503, 429, 500, 200]);
    Registry::new(config).ping().unwrap();
    assert_eq!(seen.iter().take(4).count(), 4);
}

#[test]
fn a_registry_that_stays_busy_is_given_up_at_the_deadline() {
    let (mut config, _seen) = serve(&[503]);
    config.deadline = Duration::from_secs(1);
    let begun = Instant::now();
    let error = Registry::new(config).ping().unwrap_err();
    assert!(matches!(&error, Error::Unreachable { reason, .. } if reason.contains("503")), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_refusal_is_final_and_tells_no_secret() {
    let (mut config, seen) = serve(&[401, 200]);
    config.bearer_token = Some("t0ken".to_owned());
    let stop = Stop::from(Registry::new(config).ping().unwrap_err());
    assert_eq!(stop.exit, Exit::Start);
    assert!(stop.what.contains("401") && !stop.to_string().contains("t0ken"), "{stop}");
    assert_eq!(seen.try_iter().count(), 1);
}
