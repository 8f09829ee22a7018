#![allow(clippy::unwrap_used)]

use super::*;

fn config(pairs: &[(&str, &str)]) -> Config {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
}

fn status(state: &str, trace: Option<&str>, version: Option<&str>) -> Option<Status> {
    let (trace, version) = (trace.map(str::to_owned), version.map(str::to_owned));
    Some(Status { state: state.into(), trace, worker: "127.0.0.1:8083".into(), generation: 3, version })
}

/// What a worker of Apache Kafka 4.3.1 was seen to write.
#[test]
fn every_record_has_the_bytes_that_connect_writes_and_is_read_back() {
    let check = |record: Record, key: &str, value: Option<&str>| {
        let written = record.written();
        assert_eq!((written.key.as_str(), written.value.as_deref()), (key, value));
        assert_eq!(Record::read(key, value.map(str::as_bytes)), Some(record));
    };
    let file = config(&[("connector.class", "FileStreamSink"), ("topics", "t1"), ("name", "s-1")]);
    let properties = r#"{"properties":{"connector.class":"FileStreamSink","topics":"t1","name":"s-1"}}"#;
    check(Record::Connector("s-1".into(), Some(file.clone())), "connector-s-1", Some(properties));
    check(Record::Connector("s-1".into(), None), "connector-s-1", None);
    check(Record::Task("s-1".into(), 0, Some(file)), "task-s-1-0", Some(properties));
    check(Record::Commit("s-1".into(), 2), "commit-s-1", Some(r#"{"tasks":2}"#));
    let target = |target| Record::Target("s-1".into(), Some(target));
    let key = "target-state-s-1";
    check(target(Target::Started), key, Some(r#"{"state":"STARTED","state.v2":"STARTED"}"#));
    check(target(Target::Paused), key, Some(r#"{"state":"PAUSED","state.v2":"PAUSED"}"#));
    check(target(Target::Stopped), key, Some(r#"{"state":"PAUSED","state.v2":"STOPPED"}"#));
    let restart = Restart { include_tasks: true, only_failed: false, task: None };
    check(
        Record::Restart("s-1".into(), restart),
        "restart-connector-s-1",
        Some(r#"{"include-tasks":true,"only-failed":false}"#),
    );
    check(
        Record::Restart("s-1".into(), Restart { task: Some(3), ..restart }),
        "restart-connector-s-1",
        Some(r#"{"include-tasks":true,"only-failed":false,"task":3}"#),
    );
    check(
        Record::ConnectorStatus("s-1".into(), status("RUNNING", None, Some("4.3.1"))),
        "status-connector-s-1",
        Some(r#"{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:8083","generation":3,"version":"4.3.1"}"#),
    );
    check(
        Record::TaskStatus("s-1".into(), 7, status("FAILED", Some("a\nb"), None)),
        "status-task-s-1-7",
        Some(r#"{"state":"FAILED","trace":"a\nb","worker_id":"127.0.0.1:8083","generation":3,"version":null}"#),
    );
    check(Record::TaskStatus("s-1".into(), 7, None), "status-task-s-1-7", None);
    check(Record::Topic("s-1".into(), "t1".into(), false), "status-topic-t1:connector-s-1", None);
}

#[test]
fn an_older_workers_target_and_records_of_others_are_understood() {
    let old = Record::read("target-state-a", Some(br#"{"state":"PAUSED"}"#));
    assert_eq!(old, Some(Record::Target("a".into(), Some(Target::Paused))));
    assert_eq!(Record::read("session-key", Some(br#"{"key":"x"}"#)), None);
    assert_eq!(Record::read("connector-a", Some(b"no json")), None);
    let topic = br#"{"topic":{"name":"t","connector":"a","task":0,"discoverTimestamp":1}}"#;
    assert_eq!(
        Record::read("status-topic-t:connector-a", Some(topic)),
        Some(Record::Topic("a".into(), "t".into(), true))
    );
}
