//! Every call of Connect's REST API, in an order in which each finds what it needs.

use serde_json::json;
use smt_host::platform::postgres::Postgres;
use smt_host::platform::s3::S3;

use super::compare::Body::{self, Same, Shape};
use super::compare::Sides;
use super::reference::Reference;
use super::*;

const TABLE: &str = "compared";

#[test]
fn every_call_is_answered_as_a_real_worker_answers_it() {
    let reference = Reference::start();
    let dir = world().dir.path().join("compare");
    std::fs::create_dir_all(&dir).unwrap();
    let postgres = Postgres::start(&dir).unwrap();
    workshop::sql(
        &postgres.url(),
        &format!("CREATE TABLE {TABLE} (id int, at timestamp); INSERT INTO {TABLE} VALUES (1, now())"),
    );
    let s3 = S3::start(&dir, "workshop").unwrap();
    for topic in ["compared", "compared-theirs"] {
        world().topic(topic, 1);
    }
    let worker = workshop::worker("compare", &postgres, &s3, &[]);
    reference.wait();
    let our_source = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "tasks.max": 1, "mode": "timestamp",
        "connection.url": "jdbc:postgresql://overridden/", "timestamp.column.name": "at", "table.whitelist": TABLE,
        "topic.prefix": "ours-", "validate.non.null": false,
    });
    let our_sink = json!({
        "connector.class": "S3Sink", "topics": "compared", "tasks.max": 1, "s3.bucket.name": "workshop",
        "s3.region": "us-east-1", "flush.size": 1, "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
    let sides = Sides { ours: worker.url.clone(), theirs: reference.url.clone(), our_source, our_sink };
    nothing_is_there_yet(&sides);
    created_and_looked_at(&sides);
    refused_bodies(&sides);
    unknown_names(&sides);
    configured(&sides);
    paused_stopped_and_moved(&sides);
    a_sinks_offsets(&sides);
    plugins_and_loggers(&sides);
    deleted(&sides);
}

fn nothing_is_there_yet(sides: &Sides) {
    sides.check("GET", "/", "", Same);
    sides.check("GET", "/health", "", Same);
    sides.check("GET", "/connectors", "", Same);
    sides.check("GET", "/connectors/", "", Same);
    sides.check("OPTIONS", "/connectors", "", Same);
    for (method, path) in
        [("GET", "/nope"), ("DELETE", "/connectors"), ("PUT", "/connectors"), ("GET", "/connectors/a/nope")]
    {
        sides.check(method, path, "", Same);
    }
    sides.check_with("POST", "/connectors", "{}", &[("Content-Type", "text/plain")], Same);
    sides.check_with(
        "GET",
        "/connectors",
        " ",
        &[("Accept", "text/plain"), ("Content-Type", "application/json")],
        Same,
    );
}

fn created_and_looked_at(sides: &Sides) {
    sides.check("POST", "/connectors", r#"{"name":" a ","config":{SOURCE}}"#, Same);
    sides.check("POST", "/connectors", r#"{"name":"a","config":{SOURCE}}"#, Same);
    sides.becomes("a", "RUNNING RUNNING");
    for path in ["", "/config", "/status", "/tasks/0/status", "/tasks/7/status", "/tasks/x/status"] {
        sides.check("GET", &format!("/connectors/a{path}"), "", if path == "/config" { Shape } else { Same });
    }
    sides.check("GET", "/connectors/a/tasks", "", Shape);
    for query in ["", "?expand=status", "?expand=info", "?expand=status&expand=info", "?expand=bogus"] {
        sides.check("GET", &format!("/connectors{query}"), "", Same);
    }
    for url in [&sides.ours, &sides.theirs] {
        let read = |path: &str| call("GET", &format!("{url}/connectors/a/{path}"), "").json();
        eventually("an offset", SOON, || read("offsets")["offsets"].as_array().is_some_and(|all| all.len() == 1));
        eventually("a topic", SOON, || read("topics")["a"]["topics"].as_array().is_some_and(|all| all.len() == 1));
    }
    sides.check("GET", "/connectors/a/offsets", "", Same);
    sides.check("GET", "/connectors/a/topics", "", Shape);
}

fn refused_bodies(sides: &Sides) {
    let post = |body: &str, compared: Body| sides.check("POST", "/connectors", body, compared);
    post(r#"{"name":"b","config":{"name":"c",SOURCE}}"#, Same);
    post(r#"{"name":"b","config":{"name":"b"}}"#, Same);
    post(r#"{"config":{SOURCE}}"#, Same);
    post(r#"{"name":"","config":{SOURCE}}"#, Same);
    post(r#"{"name":"b","config":{SOURCE,"x":null}}"#, Same);
    // The texts of these are Jackson's, the JVM's, or list other classes.
    post(r#"{"name":"b"}"#, Shape);
    post(r#"{"name":"b","config":{"connector.class":"nope"}}"#, Shape);
    post(r#"{"name":"b","config":{SOURCE},"extra":1}"#, Shape);
    post(r#"{"name":"b","config":{SOURCE,"x":{"y":1}}}"#, Shape);
    post(r#"{"name":"b","config":{SOURCE},"initial_state":"NOPE"}"#, Shape);
    post("nojson", Shape);
    post("[1]", Shape);
    post("", Shape);
}

fn unknown_names(sides: &Sides) {
    for path in ["", "/config", "/status", "/tasks", "/tasks/0/status", "/topics", "/offsets"] {
        sides.check("GET", &format!("/connectors/zz{path}"), "", Same);
    }
    for path in ["/topics/reset", "/pause", "/resume", "/stop"] {
        sides.check("PUT", &format!("/connectors/zz{path}"), "", Same);
    }
    for path in ["/restart", "/restart?includeTasks=true", "/tasks/7/restart"] {
        sides.check("POST", &format!("/connectors/zz{path}"), "", Same);
    }
    sides.check("POST", "/connectors/a/tasks/7/restart", "", Same);
    sides.check("DELETE", "/connectors/zz", "", Same);
    sides.check("DELETE", "/connectors/zz/offsets", "", Same);
    sides.check("PATCH", "/connectors/zz/config", r#"{"a":"b"}"#, Same);
    sides.check(
        "PATCH",
        "/connectors/zz/offsets",
        r#"{"offsets":[{"partition":{"x":"y"},"offset":{"position":1}}]}"#,
        Same,
    );
}

fn configured(sides: &Sides) {
    let put = |body: &str, compared: Body| sides.check("PUT", "/connectors/n/config", body, compared);
    put("{SOURCE}", Same);
    sides.becomes("n", "RUNNING RUNNING");
    put(r#"{SOURCE}"#, Same);
    put(r#"{"name":"other",SOURCE}"#, Same);
    put("{}", Same);
    put("[]", Shape);
    put("", Shape);
    sides.becomes("n", "RUNNING RUNNING");
    sides.check("PATCH", "/connectors/n/config", r#"{"tasks.max":1}"#, Same);
    sides.check("PATCH", "/connectors/n/config", r#"{"tasks.max":"x"}"#, Same);
    sides.check("GET", "/connectors/n", "", Same);
    sides.check("POST", "/connectors", r#"{"name":"s","config":{SOURCE},"initial_state":"STOPPED"}"#, Same);
    sides.check("POST", "/connectors", r#"{"name":"p","config":{SOURCE},"initial_state":"PAUSED"}"#, Same);
    sides.becomes("s", "STOPPED");
    sides.check("GET", "/connectors/s/status", "", Same);
    sides.check("PUT", "/connectors/s/pause", "", Same);
    for url in [&sides.ours, &sides.theirs] {
        for name in ["s", "p"] {
            eventually("a pause", SOON, || states(url, name).starts_with("PAUSED"));
        }
    }
}

fn paused_stopped_and_moved(sides: &Sides) {
    let change = |method: &str, path: &str| sides.check(method, &format!("/connectors/a/{path}"), "", Same);
    change("DELETE", "offsets");
    change("PUT", "pause");
    sides.becomes("a", "PAUSED PAUSED");
    change("GET", "status");
    change("PUT", "resume");
    sides.becomes("a", "RUNNING RUNNING");
    change("POST", "restart");
    change("POST", "tasks/0/restart");
    sides.becomes("a", "RUNNING RUNNING");
    change("POST", "restart?includeTasks=true&onlyFailed=true");
    change("POST", "restart?includeTasks=bogus");
    change("POST", "restart?includeTasks=true");
    sides.becomes("a", "RUNNING RUNNING");
    change("PUT", "topics/reset");
    change("PUT", "stop");
    sides.becomes("a", "STOPPED");
    for path in ["status", "tasks", "offsets"] {
        change("GET", path);
    }
    let moved = |body: &str, compared: Body| sides.check("PATCH", "/connectors/a/offsets", body, compared);
    moved(r#"{"offsets":[]}"#, Same);
    moved("{}", Same);
    moved(r#"{"offsets":[{"offset":{"position":1}}]}"#, Same);
    let shown = |url: &str| call("GET", &format!("{url}/connectors/a/offsets"), "").text;
    for url in [&sides.ours, &sides.theirs] {
        // What was shown can be given back.
        let altered = call("PATCH", &format!("{url}/connectors/a/offsets"), &shown(url));
        assert_eq!(altered.text, r#"{"message":"The offsets for this connector have been altered successfully"}"#);
    }
    change("DELETE", "offsets");
    change("GET", "offsets");
}

fn a_sinks_offsets(sides: &Sides) {
    smt_tests::produce("compared", 0, &[Some(b"one".to_vec()), Some(b"two".to_vec())]);
    sides.check("POST", "/connectors", r#"{"name":"k","config":{SINK}}"#, Same);
    for url in [&sides.ours, &sides.theirs] {
        let offset = || {
            call("GET", &format!("{url}/connectors/k/offsets"), "").json()["offsets"][0]["offset"]["kafka_offset"] == 2
        };
        eventually("the sink's offset", SOON, offset);
    }
    let change =
        |method: &str, path: &str, body: &str| sides.check(method, &format!("/connectors/k/{path}"), body, Same);
    change("PUT", "stop", "");
    sides.becomes("k", "STOPPED");
    change(
        "PATCH",
        "offsets",
        r#"{"offsets":[{"partition":{"kafka_topic":"compared","kafka_partition":0},"offset":{"kafka_offset":1}}]}"#,
    );
    let both = [&sides.ours, &sides.theirs].map(|url| call("GET", &format!("{url}/connectors/k/offsets"), "").json());
    assert_eq!(both[0], both[1]);
    change("PATCH", "offsets", r#"{"offsets":[{"partition":{"kafka_topic":"compared"},"offset":{"kafka_offset":0}}]}"#);
    change(
        "PATCH",
        "offsets",
        r#"{"offsets":[{"partition":{"kafka_topic":"compared","kafka_partition":0},"offset":{"x":0}}]}"#,
    );
    change(
        "PATCH",
        "offsets",
        r#"{"offsets":[{"partition":{"kafka_topic":"compared","kafka_partition":0},"offset":null}]}"#,
    );
    change("GET", "offsets", "");
    change("DELETE", "offsets", "");
    change("GET", "offsets", "");
}

fn plugins_and_loggers(sides: &Sides) {
    sides.check("GET", "/connector-plugins", "", Shape);
    sides.check("GET", "/connector-plugins?connectorsOnly=true", "", Shape);
    sides.check("GET", "/connector-plugins/nope/config", "", Same);
    sides.check("GET", "/connector-plugins/{source}/config", "", Shape);
    let validate = "/connector-plugins/{source}/config/validate";
    sides.check("PUT", validate, r#"{"name":"v",SOURCE}"#, Shape);
    sides.check("PUT", validate, r#"{"connector.class":"other"}"#, Shape);
    sides.check("PUT", validate, r#"{"tasks.max":"1"}"#, Shape);
    sides.check("PUT", "/connector-plugins/nope/config/validate", r#"{"connector.class":"nope"}"#, Shape);
    sides.check("GET", "/admin/loggers/root", "", Shape);
    sides.check("GET", "/admin/loggers/nope.x", "", Same);
    sides.check("PUT", "/admin/loggers/root", r#"{"level":"WARN"}"#, Same);
    sides.check("PUT", "/admin/loggers/root", r#"{"level":"NOPE"}"#, Same);
}

fn deleted(sides: &Sides) {
    for name in ["s", "p", "n", "k", "a"] {
        sides.check("DELETE", &format!("/connectors/{name}"), "", Same);
    }
    sides.check("GET", "/connectors", "", Same);
    sides.check("GET", "/connectors/a", "", Same);
    for url in [&sides.ours, &sides.theirs] {
        eventually("no status", SOON, || states(url, "a").is_empty());
    }
    sides.check("GET", "/connectors/a/status", "", Same);
}
