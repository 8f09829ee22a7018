//! Who comes in, and how much is taken.

use super::*;

#[test]
fn a_worker_that_others_reach_needs_users() {
    let mut command = binary();
    command.args(["connect", "--listen", "0.0.0.0:0", "--brokers", "127.0.0.1:1"]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("--listen 0.0.0.0:0 is no loopback address, and there are no users"), "{text}");
}

#[test]
fn only_known_users_come_in_and_bodies_are_bounded() {
    let users = world().dir.path().join("users");
    std::fs::write(&users, format!("ana:{}\n", bcrypt::hash("right", 4).unwrap())).unwrap();
    let worker = worker("access", &["--auth-file", users.to_str().unwrap()]);
    let url = format!("{}/connectors", worker.url);
    let with = |credentials: &str| call_with("GET", &url, "", &[("Authorization", credentials)]);
    assert_eq!(call("GET", &url, "").status, 401);
    // ana:wrong and ana:right
    assert_eq!(with("Basic YW5hOndyb25n").status, 401);
    assert_eq!(with("Basic YW5hOnJpZ2h0").text, "[]");
    let sized = |bytes: usize| {
        let body = format!("{{}}{}", " ".repeat(bytes - 2));
        let headers = [("Authorization", "Basic YW5hOnJpZ2h0"), ("Content-Type", "application/json")];
        call_with("POST", &url, &body, &headers).status
    };
    // Read, and refused for what it says; not read.
    assert_eq!([sized(1024 * 1024), sized(1024 * 1024 + 1)], [500, 413]);
    worker.stop();
}
