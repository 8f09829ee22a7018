//! The demo's whole flow against an independent model: the workshop's SQL, written again over what is in the table.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use apache_avro::types::Value;
use rustix::process::Signal;
use smt_host::kafka::Settings;
use smt_host::registry::{self, Registry};
use smt_tests::customers::{BOUND, decoded};
use smt_tests::host::{Process, Running, binary, descendants};
use smt_tests::s3::{client_of, keys_of};
use smt_tests::{Seen, eventually, plugin, read_committed_of};

/// From nothing to all customers counted and their windows closed, on a busy machine.
const UP_MAX: Duration = Duration::from_secs(180);
const WINDOW_MS: i64 = 30_000;
const WORKSHOPS: [&str; 7] =
    ["postg-connector", "jovens", "idadeclass", "idadecont", "customers-s3-sink", "s3-jovens-sink", "s3-contagem-sink"];
const SINK: &str = include_str!("../../../connectors/sink/connect_s3_sink_jovens.config");

type Fields = Vec<(String, Value)>;
/// What a query makes of a row, if anything.
type Sql = fn(&Fields) -> Option<Fields>;

/// A demo that holds its platform.
struct Demo {
    host: Running,
    children: Vec<Process>,
    endpoints: serde_json::Value,
}

impl Demo {
    /// Returns when the demo has checked itself and waits for the end.
    fn start(dir: &Path, customers: u32) -> Demo {
        let (endpoints, log) = (dir.join("endpoints.json"), dir.join("demo.log"));
        std::fs::remove_file(&endpoints).ok();
        let mut command = binary();
        command.args(["demo", "--hold", "--interval", "0.05", "--customers", &customers.to_string(), "--dir"]).arg(dir);
        command.arg("--plugins").arg(plugin("jovens").parent().unwrap());
        let out = File::create(&log).unwrap();
        let mut host = Running::start(command.stdout(out.try_clone().unwrap()).stderr(out));
        eventually("the demo holds", UP_MAX, || {
            let said = std::fs::read_to_string(&log).unwrap();
            assert!(host.ended().is_none(), "the demo ended:\n{said}");
            said.contains("The platform stays up until Ctrl-C")
        });
        let children = descendants(host.id());
        let names: Vec<&str> = children.iter().map(|child| child.name.as_str()).collect();
        assert!(names.contains(&"java") && names.contains(&"postgres"), "{names:?}");
        let endpoints = serde_json::from_slice(&std::fs::read(&endpoints).unwrap()).unwrap();
        Demo { host, children, endpoints }
    }

    fn at(&self, name: &str) -> &str {
        self.endpoints[name].as_str().unwrap()
    }

    fn nothing_is_left(children: &[Process]) {
        eventually("no child is left", Duration::from_secs(20), || !children.iter().any(Process::lives));
    }
}

/// The rows of the table as Connect writes them, without their order.
async fn table(url: &str) -> Vec<Fields> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "SELECT nome, sexo, endereco, telefone, email, foto, profissao, nascimento - DATE '1970-01-01', \
               floor(extract(epoch FROM dt_update) * 1000)::bigint FROM customers";
    let rows = client.query(sql, &[]).await.unwrap();
    let row = |row: tokio_postgres::Row| {
        let text = |at: usize| row.get::<_, Option<String>>(at).map_or(Value::Null, Value::String);
        let born = row.get::<_, Option<i32>>(7).map_or(Value::Null, Value::Date);
        let updated = row.get::<_, Option<i64>>(8).map_or(Value::Null, Value::TimestampMillis);
        let names = ["nome", "sexo", "endereco", "telefone", "email", "foto", "nascimento", "profissao", "dt_update"];
        let values = [text(0), text(1), text(2), text(3), text(4), text(5), born, text(6), updated];
        names.into_iter().map(str::to_owned).zip(values).collect()
    };
    rows.into_iter().map(row).collect()
}

fn column(row: &Fields, name: &str) -> Value {
    row.iter().find(|(column, _)| column == name).unwrap().1.clone()
}

/// SELECT columns, named as ksqlDB names them.
fn select(row: &Fields, columns: &[&str]) -> Fields {
    columns.iter().map(|name| (name.to_uppercase(), column(row, name))).collect()
}

/// A NULL is not on any side of the bound.
fn young(row: &Fields) -> bool {
    matches!(column(row, "nascimento"), Value::Date(days) if days >= BOUND)
}

/// SELECT … WHERE nascimento >= '2000-01-01'
fn jovem(row: &Fields) -> Option<Fields> {
    let columns = ["nome", "sexo", "telefone", "email", "profissao", "nascimento", "dt_update"];
    young(row).then(|| select(row, &columns))
}

/// SELECT …, CASE WHEN nascimento >= '2000-01-01' THEN 'JOVEM' ELSE 'ADULTO' END AS idadecat
fn class(row: &Fields) -> Option<Fields> {
    let mut fields = select(row, &["nome", "telefone", "email", "profissao", "dt_update"]);
    let class = if young(row) { "JOVEM" } else { "ADULTO" };
    fields.insert(4, ("IDADECAT".to_owned(), Value::String(class.to_owned())));
    Some(fields)
}

/// A record without the offset, which filtering and transaction markers change.
#[derive(Debug, PartialEq)]
struct Record {
    partition: i32,
    key: Option<Vec<u8>>,
    timestamp_ms: Option<i64>,
    headers: Vec<(String, Vec<u8>)>,
    fields: Fields,
}

fn record(seen: &Seen, fields: Fields) -> Record {
    let Seen { partition, key, timestamp_ms, headers, .. } = seen.clone();
    Record { partition, key, timestamp_ms, headers, fields }
}

/// Compares everything in the topics with the table, record by record and, within a partition, in order.
fn check(demo: &Demo, rows_expected: usize) {
    let registry = Registry::new(registry::Config::new(demo.at("registry")));
    let topic = |name: &str| read_committed_of(&Settings::new(demo.at("kafka")), name);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(table(demo.at("postgres")));
    assert_eq!(rows.len(), rows_expected);

    let customers = topic("postgres-customers");
    let sources: Vec<Fields> = customers.iter().map(|seen| decoded(&registry, seen)).collect();
    let sorted = |rows: &[Fields]| {
        let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        texts.sort_unstable();
        texts
    };
    same("postgres-customers", &sorted(&sources), &sorted(&rows));
    assert!(customers.iter().all(|seen| seen.key.is_none() && seen.headers.is_empty()));

    for (name, sql) in [("jovens", jovem as Sql), ("idadeclass", class)] {
        let expected = customers.iter().zip(&sources).filter_map(|(seen, row)| Some(record(seen, sql(row)?)));
        let found = topic(name).iter().map(|seen| record(seen, decoded(&registry, seen))).collect::<Vec<_>>();
        let expected = expected.collect::<Vec<_>>();
        assert!(
            !expected.is_empty() && (name == "idadeclass") == (expected.len() == rows.len()),
            "a model that filters"
        );
        same(name, &found, &expected);
    }
    check_windows(&registry, &Settings::new(demo.at("kafka")));
}

/// The workshop's table: SELECT IDADECAT, COUNT(*) … WINDOW TUMBLING (SIZE 30 SECONDS) GROUP BY IDADECAT.
fn check_windows(registry: &Registry, settings: &Settings) {
    let mut expected: BTreeMap<(Vec<u8>, i64), (i64, i64)> = BTreeMap::new();
    for seen in read_committed_of(settings, "idadeclass") {
        let Value::String(class) = column(&decoded(registry, &seen), "IDADECAT") else { panic!("no class: {seen:?}") };
        let timestamp = seen.timestamp_ms.unwrap();
        let window = timestamp.div_euclid(WINDOW_MS) * WINDOW_MS;
        let (count, latest) = expected.entry((class.into_bytes(), window)).or_insert((0, timestamp));
        *count += 1;
        *latest = timestamp.max(*latest);
    }
    let mut found = BTreeMap::new();
    for seen in read_committed_of(settings, "idadecont") {
        let (class, start) = seen.key.as_deref().and_then(|key| key.split_last_chunk::<8>()).unwrap();
        assert_eq!(seen.partition, 1, "both classes belong into partition 1 of 2: {class:?}");
        let Value::Long(count) = column(&decoded(registry, &seen), "CONTAGEM") else { panic!("no count: {seen:?}") };
        let now = (count, seen.timestamp_ms.unwrap());
        let before = found.insert((class.to_vec(), i64::from_be_bytes(*start)), now);
        assert!(before.is_none_or(|(before, _)| before <= count), "a count never goes back");
    }
    let lists = |map: BTreeMap<_, _>| map.into_iter().collect::<Vec<_>>();
    same("idadecont", &lists(found), &lists(expected));
}

/// Says the first difference only: thousands of records help nobody.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &[T], expected: &[T]) {
    let differs = found.iter().zip(expected).find(|(found, expected)| found != expected);
    assert!(differs.is_none(), "{what}: found and expected: {differs:#?}");
    assert_eq!(found.len(), expected.len(), "{what}");
}

/// What the demo itself found at its end.
fn audited(dir: &Path, rows: usize) {
    let said = std::fs::read_to_string(dir.join("demo.log")).unwrap();
    let line = format!("| idadecont          | counted in all windows   | {rows:<8} | {rows:<9} | ok |");
    assert!(said.contains(&line), "{line:?} is not in:\n{said}");
    for sink in [
        "| customers-s3-sink | postgres-customers |",
        "| s3-jovens-sink    | jovens ",
        "| s3-contagem-sink  | idadecont ",
    ] {
        let line = said.lines().rfind(|line| line.starts_with(sink)).unwrap();
        assert!(line.ends_with("| ok |"), "{line}");
    }
}

/// The customers' objects hold two records each, and all but a tail of each partition.
fn check_objects(demo: &Demo, rows: usize) {
    let customers = objects(demo, "postgres-customers");
    assert!([rows / 2, rows / 2 - 1].contains(&customers), "{customers} of {rows} rows");
    assert!(objects(demo, "jovens") > 0);
}

/// How many objects of a topic there are.
fn objects(demo: &Demo, topic: &str) -> usize {
    let text = |name: &str| demo.endpoints["s3"][name].as_str().unwrap().to_owned();
    let client = client_of(&text("endpoint"), &text("region"), &text("access_key_id"), &text("secret_access_key"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keys = runtime.block_on(keys_of(&client, &text("bucket")));
    keys.iter().filter(|key| key.starts_with(&format!("raw-data/kafka/{topic}/"))).count()
}

/// A request to the demo's worker, and what it answers.
fn ask(method: &str, url: &str, body: Option<serde_json::Value>) -> (u16, serde_json::Value) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent = config.timeout_global(Some(Duration::from_secs(30))).build().new_agent();
    let mut answer = match (method, body) {
        ("POST", Some(body)) => agent.post(url).send_json(body),
        ("PUT", _) => agent.put(url).send_empty(),
        _ => agent.get(url).call(),
    }
    .unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap_or_default())
}

/// All seven of the workshop run, one is paused, and one that is posted beside them has its objects.
fn check_connect(demo: &Demo) {
    let url = format!("{}/connectors", demo.at("connect"));
    let states = |name: &str| {
        let (_, status) = ask("GET", &format!("{url}/{name}/status"), None);
        let task = status["tasks"][0]["state"].clone();
        [status["connector"]["state"].as_str().unwrap_or_default(), task.as_str().unwrap_or_default()].join(" ")
    };
    let (_, names) = ask("GET", &url, None);
    for name in WORKSHOPS {
        assert!(names.as_array().unwrap().contains(&name.into()), "{name} is not in {names}");
        assert_eq!(states(name), "RUNNING RUNNING", "{name}");
    }
    assert_eq!(ask("PUT", &format!("{url}/jovens/pause"), None).0, 202);
    eventually("jovens is paused", Duration::from_secs(20), || states("jovens") == "PAUSED PAUSED");
    let sink: serde_json::Value = serde_json::from_str(SINK).unwrap();
    let mut config = sink["config"].clone();
    config["topics"] = "idadeclass".into();
    let sink = serde_json::json!({ "name": "classes", "config": config });
    assert_eq!(ask("POST", &url, Some(sink)).0, 201);
    eventually("a connector that was posted flows", Duration::from_secs(30), || objects(demo, "idadeclass") > 0);
}

#[test]
fn every_customer_goes_all_the_way_and_no_process_stays_behind() {
    let dir = tempfile::Builder::new().prefix("smt-demo-").tempdir_in("/tmp").unwrap();
    let mut demo = Demo::start(dir.path(), 5_000);
    check(&demo, 5_000);
    check_objects(&demo, 5_000);
    audited(dir.path(), 5_000);
    check_connect(&demo);
    demo.host.signal(Signal::INT);
    assert_eq!(demo.host.code_within(Duration::from_secs(15)), Some(0), "asked to end");
    assert!(!demo.children.iter().any(Process::lives), "children end before the demo does");

    // The same directory goes on; a host that is killed takes its children with it.
    let demo = Demo::start(dir.path(), 100);
    check(&demo, 5_100);
    audited(dir.path(), 5_100);
    let Demo { host, children, .. } = demo;
    drop(host);
    Demo::nothing_is_left(&children);

    let mut demo = Demo::start(dir.path(), 100);
    check(&demo, 5_200);
    demo.host.signal(Signal::TERM);
    assert_eq!(demo.host.code_within(Duration::from_secs(15)), Some(0));
    Demo::nothing_is_left(&demo.children);
}
