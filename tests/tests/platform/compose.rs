//! `docker-compose.yml`: what `docker compose config` and a careful reader would ask of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{read, top};

/// Compose's own loader, with every profile, in a folder like a new user's: the file of keys is as he copies it.
fn load(compose: &str) -> Result<Value, String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("docker-compose.yml"), compose).unwrap();
    std::fs::copy(top().join(".env_kafka_connect.example"), dir.path().join(".env_kafka_connect")).unwrap();
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/smt-host");
    let loader = std::env::var_os("SMT_CACHE").map_or_else(home, PathBuf::from).join("bin/compose-config");
    let output = Command::new(&loader).arg("docker-compose.yml").current_dir(dir.path()).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}; `make setup` builds it", loader.display()));
    let said = String::from_utf8(output.stderr).unwrap();
    // A variable that is not set is but a warning to it.
    if said.is_empty() && output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(said)
    }
}

#[test]
fn compose_takes_the_file_as_it_is() {
    let project = load(&read("docker-compose.yml")).unwrap();
    let names: BTreeSet<&String> = project["services"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), services().len(), "{names:?}");
    for service in ["s3", "connect"] {
        assert_eq!(project["services"][service]["environment"]["AWS_ACCESS_KEY_ID"], "workshop", "{service}");
    }
}

#[test]
fn compose_refuses_the_file_with_any_of_these_mistakes() {
    let mistakes = [
        ("healthcheck:", "helthcheck:", "helthcheck"),
        ("      broker:\n        condition", "      brokr:\n        condition", "undefined service \"brokr\""),
        ("- kafka:/var", "- kafkas:/var", "undefined volume kafkas"),
        ("service_healthy", "service_well", "condition value must be one of"),
        ("interval: 10s", "interval: 10 of them", "unknown unit"),
        ("127.0.0.1:9092:9092", "127.0.0.1:port:9092", "hostPort: port"),
        ("env_file: .env_kafka_connect", "env_file: .env_other", ".env_other not found"),
        ("$$AWS_ACCESS_KEY_ID", "$AWS_ACCESS_KEY_IDS", "variable is not set"),
        ("$$AWS_ACCESS_KEY_ID", "${AWS_ACCESS_KEY_ID", "invalid interpolation"),
        ("image: postgres:", "depends_on: [connect]\n    image: postgres:", "dependency cycle"),
    ];
    let right = read("docker-compose.yml");
    for (text, mistake, expected) in mistakes {
        let wrong = right.replacen(text, mistake, 1);
        assert_ne!(wrong, right, "{text} is not in the file");
        let said = load(&wrong).expect_err(mistake);
        assert!(said.contains(expected), "{mistake}: {said}");
    }
}

fn compose() -> Value {
    serde_yaml_ng::from_str(&read("docker-compose.yml")).unwrap()
}

/// Every service by name.
fn services() -> Vec<(String, Value)> {
    compose()["services"].as_object().unwrap().iter().map(|(name, service)| (name.clone(), service.clone())).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn the_workshops_services_are_there_and_only_known_keys_are_used() {
    let known = BTreeSet::from([
        "image",
        "build",
        "ports",
        "environment",
        "env_file",
        "volumes",
        "healthcheck",
        "depends_on",
        "restart",
        "command",
        "entrypoint",
        "profiles",
    ]);
    let services = services();
    let names: Vec<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["broker", "schema-registry", "postgres", "s3", "connect", "smt-host", "generator"]);
    for (name, service) in &services {
        for key in service.as_object().unwrap().keys() {
            assert!(known.contains(key.as_str()), "{name} has the key {key}");
        }
    }
}

#[test]
fn every_image_is_pinned_and_every_port_is_this_machines_own() {
    for (name, service) in services() {
        let (_, tag) = service["image"].as_str().unwrap().rsplit_once(':').unwrap_or_else(|| panic!("{name}: no tag"));
        assert!(tag != "latest" && tag.contains(|c: char| c.is_ascii_digit()), "{name}: {tag}");
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
}

#[test]
fn who_waits_for_a_healthy_service_waits_for_one_with_a_health_check() {
    let services = services();
    for (name, service) in &services {
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let (_, needed) = services.iter().find(|(other, _)| other == needed).unwrap();
            assert_eq!(how["condition"], "service_healthy", "{name}");
            assert!(needed["healthcheck"]["test"].is_array(), "{name} waits for what has no health check");
        }
    }
}

#[test]
fn every_volume_and_file_that_is_named_is_there() {
    let compose = compose();
    let ignored = read(".gitignore");
    for (name, service) in services() {
        for volume in texts(&service["volumes"]) {
            let (volume, _) = volume.split_once(':').unwrap();
            assert!(compose["volumes"].get(volume).is_some(), "{name}: volume {volume}");
        }
        if let Some(file) = service["env_file"].as_str() {
            assert!(top().join(format!("{file}.example")).is_file(), "{name}: no example of {file}");
            assert!(ignored.lines().any(|line| line == file), "{file} is not ignored by git");
        }
        let dockerfile = match &service["build"] {
            Value::String(context) => format!("{context}/Dockerfile"),
            Value::Object(build) => build["dockerfile"].as_str().unwrap().to_owned(),
            _ => continue,
        };
        assert!(top().join(&dockerfile).is_file(), "{name}: {dockerfile}");
    }
}

#[test]
fn the_database_is_the_one_of_the_workshops_connector_file() {
    let source: Value = serde_json::from_str(&read("connectors/source/connect_jdbc_postgres.config")).unwrap();
    let services = services();
    let of = |wanted: &str| services.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
    assert_eq!(source["config"]["connection.password"], of("postgres")["environment"]["POSTGRES_PASSWORD"]);
    assert_eq!(source["config"]["connection.url"], "jdbc:postgresql://postgres:5432/postgres");
    let url = of("generator")["environment"]["SMT_CONNECTION_STRING"].clone();
    assert_eq!(url, "postgresql://postgres:Postgres2023!@postgres:5432/postgres");
}

/// README's command, up to the call of Connect, which is not here.
#[test]
fn readmes_command_sends_a_sink_to_the_s3_beside_it() {
    let readme = read("README.md");
    let (start, _) = readme.match_indices("sed -e").next().unwrap();
    let (command, _) = readme[start..].split_once("| curl").unwrap();
    let output = Command::new("sh").args(["-c", command]).current_dir(top()).output().unwrap();
    let sink: Value = serde_json::from_slice(&output.stdout).unwrap();
    let config = &sink["config"];
    assert_eq!(config["store.url"], "http://s3:9000");
    assert_eq!(config["s3.region"], "us-east-1");
    let s3 = compose()["services"]["s3"].clone();
    let bucket = format!("mkdir -p /data/{} ", config["s3.bucket.name"].as_str().unwrap());
    assert!(s3["command"][0].as_str().unwrap().starts_with(&bucket), "no folder is made for {bucket}");
    assert_eq!(config["s3.ssea.name"], "AES256");
    let key = s3["environment"]["MINIO_KMS_SECRET_KEY"].as_str().unwrap().split_once(':').unwrap().1;
    assert_eq!(key.len(), 44, "32 bytes in base64");
}
