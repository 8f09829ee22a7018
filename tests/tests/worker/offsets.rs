//! `/offsets` of pipelines: a group's where there are no windows; with windows, all or nothing.

use std::collections::BTreeMap;

use serde_json::json;
use smt_tests::customers::{CUSTOMERS, customer};
use smt_tests::{produce, read_committed};

use super::*;

const SCHEMA: &str = r#"{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[{"name":"IDADECAT","type":["null","string"],"default":null}]}"#;

/// A worker with the workshop's plugins, and `plugin` as a connector of this name.
fn running(group: &str, name: &str, plugin: &str, output: &str) -> Worker {
    let plugins = format!("{}/../target/plugins", env!("CARGO_MANIFEST_DIR"));
    let worker = worker(group, &["--plugin-dir", &plugins]);
    let config = json!({ "connector.class": "smt-host.PluginPipeline", "plugin.path": format!("{plugin}.wasm"),
                         "topics": format!("{name}-in"), format!("output.{output}"): format!("{name}-out") });
    assert_eq!(worker.call("PUT", &format!("/connectors/{name}/config"), &config.to_string()).status, 201);
    worker.becomes(name, "RUNNING RUNNING");
    worker
}

fn offset(topic: &str, offset: u64) -> String {
    let partition = json!({ "kafka_partition": 0, "kafka_topic": topic });
    json!({ "offsets": [{ "partition": partition, "offset": { "kafka_offset": offset } }] }).to_string()
}

impl Worker {
    fn offsets(&self, name: &str) -> Value {
        self.call("GET", &format!("/connectors/{name}/offsets"), "").json()
    }

    fn is_at(&self, name: &str, wanted: &str) {
        let wanted: Value = serde_json::from_str(wanted).unwrap();
        eventually(&format!("{name} at {wanted}"), SOON, || self.offsets(name) == wanted);
    }

    fn stops(&self, name: &str) {
        assert_eq!(self.call("PUT", &format!("/connectors/{name}/stop"), "").status, 204);
        self.becomes(name, "STOPPED");
    }

    fn resumes(&self, name: &str) {
        assert_eq!(self.call("PUT", &format!("/connectors/{name}/resume"), "").status, 202);
        self.becomes(name, "RUNNING RUNNING");
    }
}

/// What `smt-host status` says of a pipeline's outputs.
fn told(name: &str) -> Value {
    let mut command = binary();
    command.args(["status", "--json", "--brokers", &world().kafka.brokers()]);
    command.args(["--registry", &world().registry_server.url()]);
    let status: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let all = status["streams"].as_array().unwrap();
    all.iter().find(|stream| stream["name"] == name).unwrap()["outputs"].clone()
}

#[test]
fn a_pipelines_offsets_are_moved_and_forgotten_as_a_sinks() {
    world().topic("moved-in", 1);
    let id = world().registry().register("moved-in-value", CUSTOMERS).unwrap();
    let customers: Vec<_> = ["a", "b", "c"].iter().map(|name| customer(CUSTOMERS, id, name, Some(20_000))).collect();
    produce("moved-in", 0, &customers);
    let worker = running("moved", "moved", "jovens", "jovens");
    worker.is_at("moved", &offset("moved-in", 3));
    let changed = |method: &str, body: &str| worker.call(method, "/connectors/moved/offsets", body);
    assert_eq!(changed("PATCH", &offset("moved-in", 1)).status, 400, "while it runs");
    assert_eq!(changed("DELETE", "").status, 400, "while it runs");
    worker.stops("moved");
    let altered = changed("PATCH", &offset("moved-in", 1));
    assert_eq!(
        altered.json()["message"],
        "The offsets for this connector have been altered successfully",
        "{altered:?}"
    );
    worker.is_at("moved", &offset("moved-in", 1));
    worker.resumes("moved");
    worker.is_at("moved", &offset("moved-in", 3));
    assert_eq!(read_committed("moved-out").len(), 3 + 2);
    worker.stops("moved");
    let reset = changed("DELETE", "");
    assert_eq!(reset.json()["message"], "The offsets for this connector have been reset successfully", "{reset:?}");
    worker.is_at("moved", r#"{"offsets":[]}"#);
    worker.resumes("moved");
    worker.is_at("moved", &offset("moved-in", 3));
    assert_eq!(read_committed("moved-out").len(), 3 + 2 + 3);
    assert_eq!(told("moved"), json!([{ "topic": "moved-out", "key-format": null, "value-format": "AVRO" }]));
    worker.stop();
}

/// The newest count of each window, together.
fn counted(topic: &str) -> i64 {
    let newest: BTreeMap<_, _> = read_committed(topic).into_iter().map(|seen| (seen.key.clone(), seen)).collect();
    // A long behind a union's branch: so small, one byte.
    newest.values().map(|seen| i64::from(seen.datum()[1]) / 2).sum()
}

#[test]
fn a_windowed_pipeline_begins_anew_with_its_state_or_not_at_all() {
    world().topic("counted-in", 1);
    let id = world().registry().register("counted-in-value", SCHEMA).unwrap();
    let mut jovem = Vec::new();
    smt_host::registry::wire::frame(id, &mut jovem);
    jovem.extend(b"\x02\x0aJOVEM");
    produce("counted-in", 0, &vec![Some(jovem.clone()); 3]);
    let worker = running("counted", "counted", "idadecont", "idadecont");
    eventually("three", SOON, || counted("counted-out") == 3);
    assert_eq!(told("counted"), json!([{ "topic": "counted-out", "key-format": "KAFKA", "value-format": "AVRO" }]));
    // What the pipeline reads of its own topics is not shown.
    worker.is_at("counted", &offset("counted-in", 3));
    worker.stops("counted");
    let refused = worker.call("PATCH", "/connectors/counted/offsets", &offset("counted-in", 0));
    assert_eq!(refused.status, 400, "{refused:?}");
    let why = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(why.contains("'DELETE' request to the '/connectors/counted/offsets'"), "{why}");
    assert!(why.contains("smt-host reset --group"), "{why}");
    worker.is_at("counted", &offset("counted-in", 3));
    let written = read_committed("counted-out").len();
    let reset = worker.call("DELETE", "/connectors/counted/offsets", "");
    assert_eq!(reset.status, 200, "{reset:?}");
    worker.is_at("counted", &offset("counted-in", 0));
    worker.resumes("counted");
    worker.is_at("counted", &offset("counted-in", 3));
    produce("counted-in", 0, &[Some(jovem)]);
    worker.is_at("counted", &offset("counted-in", 4));
    eventually("a row more than before", SOON, || read_committed("counted-out").len() > written);
    // Three that were counted before count once.
    eventually("four", SOON, || counted("counted-out") == 4);
    worker.stop();
}
