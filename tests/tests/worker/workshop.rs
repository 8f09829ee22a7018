//! The workshop's files, posted as they are; a worker that is killed and goes on.

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::kafka::topics;
use smt_host::platform::postgres::Postgres;
use smt_host::platform::s3::S3;
use smt_tests::read_committed;
use smt_tests::s3::objects;

use super::*;

/// Runs SQL statements in a connection of their own.
pub(super) fn sql(url: &str, statements: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(statements).await.unwrap();
    });
}

/// A worker to which database and S3 are told where the workshop's files name other hosts.
pub(super) fn worker(group: &str, postgres: &Postgres, s3: &S3, more: &[&str]) -> Worker {
    let url = postgres.url();
    let (login, address) = url.trim_start_matches("postgres://").rsplit_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let secrets = world().dir.path().join(format!("{group}.properties"));
    let keys = [("password", password), ("id", s3.access_key_id()), ("key", s3.secret_access_key())];
    std::fs::write(&secrets, keys.map(|(key, value)| format!("{key}={value}\n")).concat()).unwrap();
    let secret = |key: &str| format!("${{file:{}:{key}}}", secrets.display());
    let set = [
        format!("connection.url=jdbc:postgresql://{address}"),
        format!("connection.user={user}"),
        format!("connection.password={}", secret("password")),
        "poll.interval.ms=50".to_owned(),
        format!("s3.bucket.name={}", s3.bucket()),
        format!("s3.region={}", s3.region()),
        format!("store.url={}", s3.endpoint()),
        format!("aws.access.key.id={}", secret("id")),
        format!("aws.secret.access.key={}", secret("key")),
    ];
    let set = set.iter().flat_map(|pair| ["--set", pair.as_str()]);
    let plugins = format!("{}/../target/plugins", env!("CARGO_MANIFEST_DIR"));
    let options: Vec<&str> = set.chain(["--plugin-dir", &plugins]).chain(more.iter().copied()).collect();
    super::worker(group, &options)
}

pub(super) fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../connectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn insert(postgres: &Postgres, names: &[&str]) {
    let row = |name: &&str| {
        format!(
            "INSERT INTO customers VALUES ('{name}', 'F', 'r', 't', 'e', 'f', '2001-02-03', 'p', clock_timestamp());"
        )
    };
    sql(&postgres.url(), &names.iter().map(row).collect::<String>());
}

#[test]
fn the_workshops_files_are_posted_unchanged_and_a_killed_worker_goes_on() {
    let dir = world().dir.path().join("workshop");
    std::fs::create_dir_all(&dir).unwrap();
    let (postgres, s3) = (Postgres::start(&dir).unwrap(), S3::start(&dir, "workshop").unwrap());
    sql(
        &postgres.url(),
        "CREATE TABLE customers (nome text, sexo text, endereco text, telefone text, email text, foto text, \
         nascimento date, profissao text, dt_update timestamp)",
    );
    for topic in ["postgres-customers", "jovens"] {
        world().topic(topic, 1);
    }
    world().topic("idadecont", 1);
    let worker = self::worker("workshop", &postgres, &s3, &[]);
    let post = |body: &str| assert_eq!(worker.call("POST", "/connectors", body).status, 201, "{body}");
    post(&file("source/connect_jdbc_postgres.config"));
    for sink in ["connect_s3_sink", "s3_sink_jovens", "s3_sink_count"] {
        post(&file(&format!("sink/{sink}.config")));
    }
    post(
        r#"{"name":"jovens","config":{"connector.class":"smt-host.PluginPipeline","plugin.path":"jovens.wasm",
             "topics":"postgres-customers"}}"#,
    );
    let all = ["postg-connector", "customers-s3-sink", "s3-jovens-sink", "s3-contagem-sink", "jovens"];
    all.iter().for_each(|name| worker.becomes(name, "RUNNING RUNNING"));
    let first: Vec<String> = (0..6).map(|n| format!("n{n}")).collect();
    insert(&postgres, &first.iter().map(String::as_str).collect::<Vec<_>>());
    eventually("customers", SOON, || read_committed("postgres-customers").len() == 6);
    eventually("the young", SOON, || read_committed("jovens").len() == 6);
    eventually("objects of two", SOON, || count(&s3, "raw-data/kafka/postgres-customers/") == 3);
    // Killed with rows on their way; whoever comes next has the same connectors from Kafka alone.
    insert(&postgres, &["k0", "k1"]);
    worker.kill9();
    insert(&postgres, &["k2", "k3"]);
    let worker = self::worker("workshop", &postgres, &s3, &[]);
    all.iter().for_each(|name| worker.becomes(name, "RUNNING RUNNING"));
    eventually("the rest", SOON, || read_committed("jovens").len() >= 10);
    eventually("a file of ten", SOON, || count(&s3, "raw-data/kafka/jovens/") == 1);
    eventually("objects of two", SOON, || count(&s3, "raw-data/kafka/postgres-customers/") == 5);
    assert_eq!([read_committed("postgres-customers").len(), read_committed("jovens").len()], [10, 10]);
    produce_counts();
    eventually("counts and keys", SOON, || count(&s3, "raw-data/kafka/idadecont/") == 2);
    let topics = || worker.call("GET", "/connectors/jovens/topics", "").text;
    eventually("topics", SOON, || topics() == r#"{"jovens":{"topics":["jovens","postgres-customers"]}}"#);
    nothing_secret_is_told(worker, &postgres, &s3);
}

/// Ten windowed counts: an Avro record of one long, with a key.
fn produce_counts() {
    let schema =
        r#"{"type":"record","name":"Count","fields":[{"name":"CONTAGEM","type":["null","long"],"default":null}]}"#;
    let mut value = Vec::new();
    smt_host::registry::wire::frame(world().registry().register("idadecont-value", schema).unwrap(), &mut value);
    value.extend([2, 14]);
    let key = [b"JOVEM".as_slice(), &1_618_269_960_000_i64.to_be_bytes()].concat();
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for _ in 0..10 {
        let record = BaseRecord::to("idadecont").key(&key).payload(&value);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
}

fn count(s3: &S3, prefix: &str) -> usize {
    objects(s3).iter().filter(|object| object.key.starts_with(prefix)).count()
}

fn nothing_secret_is_told(worker: Worker, postgres: &Postgres, s3: &S3) {
    let url = postgres.url();
    let password = url.trim_start_matches("postgres://").split(['@', ':']).nth(1).unwrap();
    let told = worker.call("GET", "/connectors?expand=info&expand=status", "").text;
    let tasks = worker.call("GET", "/connectors/postg-connector/tasks", "").text;
    assert!(tasks.contains(r#""connection.password":"********""#), "{tasks}");
    let log = worker.stop();
    for secret in [password, s3.secret_access_key(), "Postgres2023!"] {
        for text in [&told, &tasks, &log] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(log.contains("connector started"), "{log}");
}

#[test]
fn a_task_that_fails_is_told_with_its_reason_and_starts_again_when_asked() {
    let dir = world().dir.path().join("failing");
    std::fs::create_dir_all(&dir).unwrap();
    let (postgres, s3) = (Postgres::start(&dir).unwrap(), S3::start(&dir, "workshop").unwrap());
    sql(&postgres.url(), "CREATE TABLE fails (id int); INSERT INTO fails VALUES (1)");
    let worker = self::worker("failing", &postgres, &s3, &[]);
    let config = r#"{"connector.class":"JdbcSource","connection.url":"jdbc:postgresql://overridden/","mode":"incrementing",
                     "incrementing.column.name":"no","table.whitelist":"fails","topic.prefix":"x-"}"#;
    assert_eq!(worker.call("PUT", "/connectors/fails/config", config).status, 201);
    // E4: the connector itself goes on.
    worker.becomes("fails", "RUNNING FAILED");
    let trace = worker.call("GET", "/connectors/fails/tasks/0/status", "").json()["trace"].as_str().unwrap().to_owned();
    assert!(trace.contains(r#"has no column "no""#), "{trace}");
    sql(&postgres.url(), "ALTER TABLE fails ADD COLUMN no int DEFAULT 7 NOT NULL");
    let restarted = worker.call("POST", "/connectors/fails/restart?includeTasks=true&onlyFailed=true", "");
    assert_eq!((restarted.status, restarted.json()["tasks"][0]["state"].as_str()), (202, Some("RESTARTING")));
    assert_eq!(restarted.json()["connector"]["state"], "RUNNING");
    worker.becomes("fails", "RUNNING RUNNING");
    eventually("a record", SOON, || read_committed("x-fails").len() == 1);
    worker.stop();
}

#[test]
fn each_task_of_a_sink_fails_and_is_restarted_on_its_own() {
    let dir = world().dir.path().join("tasks");
    std::fs::create_dir_all(&dir).unwrap();
    let (postgres, s3) = (Postgres::start(&dir).unwrap(), S3::start(&dir, "workshop").unwrap());
    world().topic("tasks-in", 2);
    let worker = self::worker("tasks", &postgres, &s3, &[]);
    let config = r#"{"connector.class":"S3Sink","topics":"tasks-in","tasks.max":"2","s3.bucket.name":"x","flush.size":"1",
                     "s3.region":"x","format.class":"io.confluent.connect.s3.format.json.JsonFormat",
                     "value.converter":"org.apache.kafka.connect.json.JsonConverter",
                     "value.converter.schemas.enable":"false"}"#;
    assert_eq!(worker.call("PUT", "/connectors/tasks/config", config).status, 201);
    worker.becomes("tasks", "RUNNING RUNNING RUNNING");
    // Whoever has its partition fails, and then whoever takes that over.
    smt_tests::produce("tasks-in", 0, &[Some(b"no json".to_vec())]);
    worker.becomes("tasks", "RUNNING FAILED FAILED");
    let trace = |task: usize| {
        let status = worker.call("GET", &format!("/connectors/tasks/tasks/{task}/status"), "").json();
        status["trace"].as_str().is_some_and(|trace| trace.contains("tasks-in"))
    };
    assert!(trace(0) && trace(1));
    let mut before = TopicPartitionList::new();
    before.add_partition_offset("tasks-in", 0, Offset::Offset(1)).unwrap();
    topics::purge(&world().settings(), &before).unwrap();
    assert_eq!(worker.call("POST", "/connectors/tasks/tasks/1/restart", "").status, 204);
    worker.becomes("tasks", "RUNNING FAILED RUNNING");
    assert!(trace(0) && !trace(1));
    smt_tests::produce("tasks-in", 0, &[Some(b"{}".to_vec())]);
    smt_tests::produce("tasks-in", 1, &[Some(b"{}".to_vec())]);
    // The one that runs has both partitions.
    eventually("objects", SOON, || count(&s3, "topics/tasks-in/") == 2);
    assert_eq!(worker.states("tasks"), "RUNNING FAILED RUNNING");
    let restarted = worker.call("POST", "/connectors/tasks/restart?includeTasks=true&onlyFailed=true", "").json();
    let states = [&restarted["connector"], &restarted["tasks"][0], &restarted["tasks"][1]].map(|part| &part["state"]);
    assert_eq!(states, ["RUNNING", "RESTARTING", "RUNNING"]);
    worker.becomes("tasks", "RUNNING RUNNING RUNNING");
    let log = worker.stop();
    let again: Vec<&str> = log.lines().filter(|line| line.contains("tasks started again")).collect();
    assert!(again.len() == 2 && again[0].contains("1..2") && again[1].contains("0..1"), "{again:?}");
}
