//! `smt-host status`, against groups as pipelines and sinks leave them, and a Connect that answers.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use expect_test::expect;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::kafka::From;
use smt_tests::world;

use crate::{customers, output, seen, topic, write};

fn commit(group: &str, topic: &str, partition: i32, offset: i64) {
    commit_with(group, topic, partition, offset, "");
}

/// With what a pipeline writes beside its offset.
fn commit_with(group: &str, topic: &str, partition: i32, offset: i64, metadata: &str) {
    let consumer: BaseConsumer = world().settings().consumer(group, From::Earliest).create().unwrap();
    let mut list = TopicPartitionList::new();
    let mut element = list.add_partition(topic, partition);
    element.set_offset(Offset::Offset(offset)).unwrap();
    element.set_metadata(metadata);
    consumer.commit(&list, CommitMode::Sync).unwrap();
}

/// Answers as Connect does, to the three paths that are asked.
fn connect() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            // The rest of the request, up to its empty line.
            let _headers = lines.take_while(|line| !line.is_empty()).count();
            let body = match first.split(' ').nth(1).unwrap_or_default() {
                "/connectors" => r#"["postg-connector"]"#,
                "/connectors/postg-connector" => {
                    r#"{"name":"postg-connector","type":"source","config":{"connector.class":"io.confluent.connect.jdbc.JdbcSourceConnector"}}"#
                }
                _ => r#"{"connector":{"state":"RUNNING"},"tasks":[{"id":0,"state":"RUNNING"}],"type":"source"}"#,
            };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).ok();
        }
    });
    url
}

#[test]
fn pipelines_and_connectors_are_seen_from_kafka_and_from_connect() {
    let customers = customers();
    topic("look-young", 1);
    topic("smt-dead-letters-look-young", 1);
    write("smt-dead-letters-look-young", 0, &[(None, Some(b"bad".to_vec()))]);
    // All of one partition but a record, and nothing of the other.
    let told = r#"[1,{},{},[["look-a","?","AVRO"],["look-b","KAFKA","AVRO"]]]"#;
    commit_with("smt-look-told", customers, 0, 3, told);
    commit("smt-look-told", customers, 1, 2);
    // A topic that is named like it proves nothing.
    commit("smt-look-young", customers, 0, 2);
    commit("connect-look-sink", customers, 0, 3);
    commit("connect-look-sink", customers, 1, 2);
    let connect = connect();
    expect![[r#"
         Stream Name | Kafka Topic    | Key Format | Value Format | Windowed | Reads          | Status  | Lag | Records/s | Dead Letters | Open Windows
        ------------------------------------------------------------------------------------------------------------------------------------------------
         LOOK-TOLD   | look-a, look-b | ?, KAFKA   | AVRO         | false    | look-customers | STOPPED | 0   | 0         | 0            | -
         LOOK-YOUNG  | ?              | ?          | ?            | false    | look-customers | STOPPED | 3   | 0         | 1            | -
        ------------------------------------------------------------------------------------------------------------------------------------------------

         Connector Name  | Type   | Class                                         | Status                      | Lag | Records/s
        --------------------------------------------------------------------------------------------------------------------------
         look-sink       | SINK   | -                                             | STOPPED                     | 0   | 0
         postg-connector | SOURCE | io.confluent.connect.jdbc.JdbcSourceConnector | RUNNING (1/1 tasks RUNNING) | -   | -
        --------------------------------------------------------------------------------------------------------------------------
    "#]].assert_eq(&seen(&["status", "--connect", &connect]));
    expect![[r#"
        {
          "streams": [
            {
              "name": "look-told",
              "outputs": [
                {
                  "topic": "look-a",
                  "key-format": null,
                  "value-format": "AVRO"
                },
                {
                  "topic": "look-b",
                  "key-format": "KAFKA",
                  "value-format": "AVRO"
                }
              ],
              "windowed": false,
              "status": "STOPPED",
              "progress": {
                "group": "smt-look-told",
                "members": 0,
                "inputs": [
                  "look-customers"
                ],
                "lag": 0,
                "records-per-second": 0.0
              },
              "dead-letters": 0,
              "open-windows": null
            },
            {
              "name": "look-young",
              "outputs": null,
              "windowed": false,
              "status": "STOPPED",
              "progress": {
                "group": "smt-look-young",
                "members": 0,
                "inputs": [
                  "look-customers"
                ],
                "lag": 3,
                "records-per-second": 0.0
              },
              "dead-letters": 1,
              "open-windows": null
            }
          ],
          "connectors": [
            {
              "name": "look-sink",
              "type": "SINK",
              "class": "-",
              "status": "STOPPED",
              "progress": {
                "group": "connect-look-sink",
                "members": 0,
                "inputs": [
                  "look-customers"
                ],
                "lag": 0,
                "records-per-second": 0.0
              }
            },
            {
              "name": "postg-connector",
              "type": "SOURCE",
              "class": "io.confluent.connect.jdbc.JdbcSourceConnector",
              "status": "RUNNING (1/1 tasks RUNNING)",
              "progress": null
            }
          ]
        }
    "#]]
    .assert_eq(&seen(&["status", "--connect", &connect, "--json"]));
    let away = output(&["status", "--connect", "http://127.0.0.1:1"]);
    let said = String::from_utf8(away.stderr).unwrap();
    assert!(away.status.code() == Some(5) && said.contains("Connect cannot be asked at http://127.0.0.1:1"), "{said}");
}
