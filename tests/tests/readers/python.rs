//! Files in moto, a second S3, read by fastavro, pyarrow and Python's json: values, tags and encryption.
#![allow(deprecated)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use apache_avro::types::Value as Avro;
use aws_sdk_s3::Client;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde_json::{Value, json};
use smt_host::platform::dir::Directory;
use smt_host::registry::wire;
use smt_tests::host::{Running, binary};
use smt_tests::s3::{Stored, client_of, keys_of, objects_of};
use smt_tests::{eventually, produce, world};

use super::{beside, cache, installed};

const RECORDS: usize = 20;
const BUCKET: &str = "readers";
const FORMATS: &str = "io.confluent.connect.s3.format";
/// Every type of Avro that Connect knows.
const SCHEMA: &str = r#"{"type":"record","name":"Every","fields":[
    {"name":"text","type":["null","string"],"default":null},
    {"name":"whole","type":"int"},
    {"name":"large","type":"long"},
    {"name":"single","type":"float"},
    {"name":"double","type":"double"},
    {"name":"yes","type":"boolean"},
    {"name":"bytes","type":"bytes"},
    {"name":"born","type":{"type":"int","logicalType":"date"}},
    {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},
    {"name":"list","type":{"type":"array","items":"string"}},
    {"name":"map","type":{"type":"map","values":"long"}},
    {"name":"inner","type":{"type":"record","name":"Inner","fields":[{"name":"n","type":["null","long"],"default":null}]}}
]}"#;

/// What `number` was made of, as Avro and as readers see it.
fn record(number: usize) -> (Avro, Value) {
    let (n, is_even) = (number as i64, number.is_multiple_of(2));
    let optional = |value: Option<Avro>| match value {
        Some(value) => Avro::Union(1, Box::new(value)),
        None => Avro::Union(0, Box::new(Avro::Null)),
    };
    let text = is_even.then(|| format!("Ação 😀 {number}"));
    let at = (!is_even).then_some(1_618_269_963_655 + n);
    let list: Vec<String> = (0..number % 3).map(|item| item.to_string()).collect();
    let avro = vec![
        ("text", optional(text.clone().map(Avro::String))),
        ("whole", Avro::Int(i32::MIN + number as i32)),
        ("large", Avro::Long(i64::MAX - n)),
        ("single", Avro::Float(0.5 * number as f32)),
        ("double", Avro::Double(number as f64 / 8.0)),
        ("yes", Avro::Boolean(is_even)),
        ("bytes", Avro::Bytes(vec![0, 0xff, number as u8])),
        ("born", Avro::Date(-100 * number as i32)),
        ("at", optional(at.map(Avro::TimestampMillis))),
        ("list", Avro::Array(list.iter().cloned().map(Avro::String).collect())),
        ("map", Avro::Map([("k".to_owned(), Avro::Long(n))].into())),
        ("inner", Avro::Record(vec![("n".to_owned(), optional(is_even.then_some(Avro::Long(n))))])),
    ];
    let avro = Avro::Record(avro.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let read = json!({
        "text": text, "whole": i32::MIN + number as i32, "large": i64::MAX - n, "single": 0.5 * number as f32,
        "double": number as f64 / 8.0, "yes": is_even, "bytes": format!("00ff{number:02x}"),
        "born": -100 * number as i32, "at": at, "list": list, "map": {"k": n},
        "inner": {"n": is_even.then_some(n)},
    });
    (avro, read)
}

/// JSON has no bytes: they are base64 there.
fn as_json(mut read: Value, number: usize) -> Value {
    read["bytes"] = json!(STANDARD.encode([0, 0xff, number as u8]));
    read
}

fn python() -> Command {
    Command::new(installed(cache().join("python/bin/python")))
}

/// A second implementation of S3.
struct Moto {
    child: Child,
    endpoint: String,
}

impl Moto {
    fn start() -> Moto {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = python();
        server.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("moto", Duration::from_secs(30), || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Moto { child, endpoint: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }
}

/// A sink of all records into files of ten, below a directory of its own.
fn sink(moto: &Moto, name: &str, format: &str, more: &[(&str, &str)]) -> Running {
    let mut command = binary();
    let file = format!("{}/../connectors/sink/connect_s3_sink.config", env!("CARGO_MANIFEST_DIR"));
    command.args(["sink", &file, "--brokers", &world().kafka.brokers()]);
    command.args(["--registry", &world().registry_server.url()]);
    let format = format!("{FORMATS}.{format}");
    let common = [
        ("name", name),
        ("topics", "readers"),
        ("topics.dir", name),
        ("flush.size", "10"),
        ("format.class", &format),
        ("s3.bucket.name", BUCKET),
        ("s3.region", "us-east-1"),
        ("store.url", &moto.endpoint),
    ];
    for (key, value) in common.iter().chain(more) {
        command.args(["--set", &format!("{key}={value}")]);
    }
    Running::start(command.env("AWS_ACCESS_KEY_ID", "moto").env("AWS_SECRET_ACCESS_KEY", "moto"))
}

/// The rows of each object, in order.
fn read(dir: &Path, objects: &[Stored]) -> Vec<Vec<Value>> {
    let mut script = python();
    script.arg(beside("rows.py"));
    for (number, object) in objects.iter().enumerate() {
        let name = object.key.rsplit('/').next().unwrap();
        let file = dir.join(format!("{number}-{name}"));
        std::fs::write(&file, &object.bytes).unwrap();
        script.arg(file);
    }
    let output = script.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(parsed).collect()
}

fn parsed(line: &[u8]) -> Vec<Value> {
    serde_json::from_slice(line).unwrap()
}

async fn all_keys(client: &Client, wanted: usize) {
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while keys_of(client, BUCKET).await.len() < wanted {
        assert!(std::time::Instant::now() < end, "{:?}", keys_of(client, BUCKET).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn b6_and_b7_fastavro_pyarrow_and_json_read_every_type_from_another_s3() {
    world().topic("readers", 1);
    let id = world().registry().register("readers-value", SCHEMA).unwrap();
    let schema = apache_avro::Schema::parse_str(SCHEMA).unwrap();
    let value = |number: usize| {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        value.extend(apache_avro::to_avro_datum(&schema, record(number).0).unwrap());
        Some(value)
    };
    produce("readers", 0, &(0..RECORDS).map(value).collect::<Vec<_>>());
    let moto = Moto::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = client_of(&moto.endpoint, "us-east-1", "moto", "moto");
    runtime.block_on(client.create_bucket().bucket(BUCKET).send()).unwrap();
    let avro = "avro.AvroFormat";
    let parquet = "parquet.ParquetFormat";
    let sinks = [
        ("avro", avro, &[][..]),
        ("deflate", avro, &[("avro.codec", "deflate")]),
        ("snappy", avro, &[("avro.codec", "snappy")]),
        ("bzip2", avro, &[("avro.codec", "bzip2")]),
        ("json", "json.JsonFormat", &[]),
        ("json-gzip", "json.JsonFormat", &[("s3.compression.type", "gzip")]),
        (
            "public",
            "json.JsonFormat",
            &[("s3.acl.canned", "public-read"), ("s3.ssea.name", "aws:kms"), ("s3.sse.kms.key.id", "alias/k")],
        ),
        ("parquet", parquet, &[]),
        ("parquet-gzip", parquet, &[("parquet.codec", "gzip")]),
        ("parquet-zstd", parquet, &[("parquet.codec", "zstd")]),
        ("parquet-none", parquet, &[("parquet.codec", "none")]),
    ];
    let running: Vec<Running> = sinks.iter().map(|(name, format, more)| sink(&moto, name, format, more)).collect();
    runtime.block_on(all_keys(&client, sinks.len() * RECORDS / 10));
    for mut sink in running {
        sink.signal(rustix::process::Signal::TERM);
        assert_eq!(sink.code_within(Duration::from_secs(20)), Some(0));
    }
    let objects = runtime.block_on(objects_of(&client, BUCKET));
    let acl = |key: &str| {
        let answer = runtime.block_on(client.get_object_acl().bucket(BUCKET).key(key).send()).unwrap();
        answer.grants().iter().any(|grant| grant.grantee().and_then(|grantee| grantee.uri()).is_some())
    };
    assert!(objects.iter().map(|object| &object.key).filter(|key| key.starts_with("public/")).all(|key| acl(key)));
    let dir = Directory::open(None).unwrap();
    let found = read(dir.path(), &objects);
    assert_eq!((objects.len(), found.len()), (sinks.len() * 2, sinks.len() * 2));
    for (object, rows) in objects.iter().zip(found) {
        let first: usize = object.tags["startOffset"].parse().unwrap();
        let expected =
            |number| if object.key.contains(".json") { as_json(record(number).1, number) } else { record(number).1 };
        assert_eq!(rows, (first..first + 10).map(expected).collect::<Vec<_>>(), "{}", object.key);
        // moto keeps what the embedded S3 has no use for.
        let sealed = if object.key.starts_with("public/") { "aws:kms" } else { "AES256" };
        let tags = [("startOffset", first), ("endOffset", first + 9), ("recordCount", 10)];
        let tags: BTreeMap<String, String> = tags.into_iter().map(|(k, n)| (k.to_owned(), n.to_string())).collect();
        assert_eq!((&object.tags, object.encryption.as_deref()), (&tags, Some(sealed)), "{}", object.key);
    }
}
