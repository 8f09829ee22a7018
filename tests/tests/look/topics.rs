//! `smt-host topics`

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use expect_test::expect;
use rustix::process::Signal;
use smt_tests::host::{Running, binary};
use smt_tests::world;

use crate::{command, customers, output, seen};

#[test]
fn topics_are_listed_as_in_ksqldb_and_internal_ones_only_when_asked_for() {
    customers();
    let mine = |text: &str| {
        text.lines()
            .filter(|line| line.contains("look-customers") || line.contains("Kafka Topic"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let listed = seen(&["topics"]);
    let columns = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let shown: Vec<_> = mine(&listed).iter().map(|line| columns(line)).collect();
    assert_eq!(
        shown,
        [vec!["Kafka Topic", "Partitions", "Partition Replicas", "Records"], vec!["look-customers", "2", "1", "5"]]
    );
    let json: serde_json::Value = serde_json::from_str(&seen(&["topics", "--json"])).unwrap();
    let one = json.as_array().unwrap().iter().find(|topic| topic["topic"] == "look-customers").unwrap();
    assert_eq!(one.to_string(), r#"{"topic":"look-customers","partitions":2,"replicas":[1,1],"records":5}"#);
}

#[test]
fn a_topic_is_made_once_and_described() {
    expect!["Created topic look-made: 2 partitions, 1 replicas\n"].assert_eq(&seen(&[
        "topics",
        "create",
        "look-made",
        "--partitions",
        "2",
        "--replicas",
        "1",
    ]));
    let again = output(&["topics", "create", "look-made"]);
    assert_eq!(again.status.code(), Some(3));
    expect![[r#"
        error: topic look-made exists, with 2 partitions
        hint: smt-host topics describe look-made shows it
    "#]]
    .assert_eq(&String::from_utf8_lossy(&again.stderr));
    expect![[r#"
        Topic: look-made
        Records ever added: 0
        Value schema: none is registered
        Configuration: none, all as the broker has it

         Partition | Leader | Replicas | In Sync | Start Offset | End Offset | Records
        -------------------------------------------------------------------------------
         0         | 1      | 1        | 1       | 0            | 0          | 0
         1         | 1      | 1        | 1       | 0            | 0          | 0
        -------------------------------------------------------------------------------
    "#]]
    .assert_eq(&seen(&["topics", "describe", "look-made"]));
}

#[test]
fn what_was_set_and_the_registered_schema_are_described() {
    let shown = seen(&["topics", "describe", customers()]);
    let shown: Vec<&str> = shown.lines().collect();
    let schema = shown[2].split(", id").next().unwrap();
    assert_eq!(schema, "Value schema: subject look-customers-value, version 1");
    expect![[r#"
        Topic: look-customers
        Records ever added: 5
        Configuration:
          retention.ms=-1

         Partition | Leader | Replicas | In Sync | Start Offset | End Offset | Records
        -------------------------------------------------------------------------------
         0         | 1      | 1        | 1       | 0            | 3          | 3
         1         | 1      | 1        | 1       | 0            | 2          | 2
        -------------------------------------------------------------------------------"#]]
    .assert_eq(&[&shown[..2], &shown[3..]].concat().join("\n"));
    let json: serde_json::Value = serde_json::from_str(&seen(&["topics", "describe", customers(), "--json"])).unwrap();
    assert_eq!((&json["records"], &json["set"]["retention.ms"]), (&5.into(), &"-1".into()));
    assert_eq!(json["value-schema"]["version"], 1);
}

#[test]
fn a_platforms_directory_needs_no_addresses() {
    seen(&["topics", "describe", customers()]);
    let here =
        binary().args(["topics", "describe", customers(), "--json"]).current_dir(world().dir.path()).output().unwrap();
    assert!(here.status.success(), "{here:?}");
    let elsewhere = binary().args(["topics", "--dir", "/nowhere"]).output().unwrap();
    let said = String::from_utf8(elsewhere.stderr).unwrap();
    assert_eq!(elsewhere.status.code(), Some(2), "{said}");
}

#[test]
fn watching_goes_on_once_a_second_and_ends_well() {
    let mut child = command(&["topics", "--watch", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let mut running = Running::of(child);
    for line in lines.take(2) {
        assert!(serde_json::from_str::<serde_json::Value>(&line).unwrap().is_array(), "{line}");
    }
    running.signal(Signal::INT);
    assert_eq!(running.code_within(Duration::from_secs(10)), Some(0));
}
