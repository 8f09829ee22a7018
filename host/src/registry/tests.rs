//! The client against the embedded server, over a real socket.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::server::{Server, start};
use super::{Config, Error, Registry};
use crate::exit::{Exit, Stop};

const V1: &str = r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": "string"}], "connect.name": "r"}"#;
const V2: &str = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"string"},{"name":"b","type":["null","int"],"default":null}]}"#;
const BAD: &str = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"string"},{"name":"c","type":"int"}]}"#;

fn serve(dir: &Path) -> (Server, Registry) {
    let server = start("127.0.0.1:0".parse().unwrap(), dir).unwrap();
    let registry = Registry::new(Config::new(&server.url()));
    (server, registry)
}

fn raw(server: &Server, path: &str) -> (u16, Value) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut response = agent.get(format!("{}{path}", server.url())).call().unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.schemaregistry.v1+json");
    (response.status().as_u16(), response.body_mut().read_json().unwrap())
}

#[test]
fn registering_is_idempotent_and_an_id_belongs_to_a_text() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, registry) = serve(dir.path());
    assert_eq!(registry.latest("s/ü-value").unwrap(), None);
    assert_eq!(registry.register("s/ü-value", V1).unwrap(), 1);
    assert_eq!(Registry::clone(&registry).register("s/ü-value", V1).unwrap(), 1);
    assert_eq!(registry.register("other", &V1.replace(' ', "")).unwrap(), 1);
    assert_eq!(registry.register("s/ü-value", V2).unwrap(), 2);
    let (id, version, schema) = registry.latest("s/ü-value").unwrap().unwrap();
    assert_eq!((id, version, &*schema), (2, 2, V2));
    assert_eq!(&*registry.schema(1).unwrap(), V1.replace(' ', ""));
}

#[test]
fn an_incompatible_schema_is_refused_with_reasons() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, registry) = serve(dir.path());
    assert!(registry.check("s", BAD).unwrap().compatible, "an unknown subject takes anything");
    registry.register("s", V1).unwrap();
    assert!(registry.check("s", V2).unwrap().compatible);
    let found = registry.check("s", BAD).unwrap();
    assert!(!found.compatible && found.messages.iter().any(|text| text.contains('c')), "{found:?}");
    let error = registry.register("s", BAD).unwrap_err();
    let Error::Incompatible { subject, messages } = &error else { panic!("{error:?}") };
    assert_eq!((subject.as_str(), messages), ("s", &found.messages));
    assert_eq!(Stop::from(error).exit, Exit::Start);
}

#[test]
fn a_restart_keeps_ids_and_cuts_a_torn_line() {
    let dir = tempfile::tempdir().unwrap();
    let (server, registry) = serve(dir.path());
    registry.register("s", V1).unwrap();
    registry.register("s", V2).unwrap();
    assert!(start("127.0.0.1:0".parse().unwrap(), dir.path()).is_err(), "a directory has one server");
    drop(server);
    let file = dir.path().join("schemas.jsonl");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_slice(b"{\"event\":\"ver");
    std::fs::write(&file, bytes).unwrap();
    for id in [3, 4] {
        let (_server, registry) = serve(dir.path());
        assert_eq!(registry.register("s", V2).unwrap(), 2);
        assert_eq!(&*registry.schema(1).unwrap(), V1.replace(' ', ""));
        assert_eq!(registry.register(&format!("new{id}"), &BAD.replace("\"c\"", &format!("\"c{id}\""))).unwrap(), id);
    }
}

#[test]
fn what_is_missing_has_its_own_code() {
    let dir = tempfile::tempdir().unwrap();
    let (server, registry) = serve(dir.path());
    registry.register("s", V1).unwrap();
    for (path, code) in [
        ("/schemas/ids/9", 40403),
        ("/subjects/x/versions", 40401),
        ("/subjects/s/versions/9", 40402),
        ("/subjects/s/versions/zero", 42202),
        ("/config/s", 40408),
        ("/nothing", 404),
    ] {
        let (status, body) = raw(&server, path);
        assert_eq!(body["error_code"], code, "{path}");
        assert_eq!(u32::from(status), if code > 1000 { code / 100 } else { code });
    }
    assert_eq!(raw(&server, "/config").1["compatibilityLevel"], "BACKWARD");
    assert_eq!(raw(&server, "/config/s?defaultToGlobal=true").1["compatibilityLevel"], "BACKWARD");
    assert_eq!(raw(&server, "/subjects").1, serde_json::json!(["s"]));
    assert_eq!(registry.schema(9).unwrap_err(), Error::NotFound { what: "schema id 9".into() });
    let refused = registry.register("s", "{").unwrap_err();
    assert!(matches!(refused, Error::Refused { status: 422, code: 42201, .. }), "{refused:?}");
}

#[test]
fn the_next_address_is_asked_when_one_is_dead() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = serve(dir.path());
    let registry = Registry::new(Config::new(&format!("http://127.0.0.1:1, {}/", server.url())));
    registry.ping().unwrap();
    assert_eq!(registry.register("s", V1).unwrap(), 1);
}

#[test]
fn a_dead_registry_is_given_up_at_the_deadline() {
    let mut config = Config::new("http://me:secret@127.0.0.1:1");
    config.deadline = Duration::from_millis(300);
    assert!(!format!("{config:?}").contains("secret"));
    let start = Instant::now();
    let error = Registry::new(config).ping().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2));
    let stop = Stop::from(error);
    assert_eq!(stop.exit, Exit::Dependency);
    assert!(stop.what.contains("http://127.0.0.1:1:") && !stop.to_string().contains("secret"), "{stop}");
}

#[test]
fn credentials_in_an_address_are_basic_authentication() {
    let config = Config::new("https://me:p%40ss@host:1/path/,other:2");
    assert_eq!(config.urls, ["https://host:1/path", "http://other:2"]);
    assert_eq!(config.basic_auth, Some(("me".into(), "p@ss".into())));
}
