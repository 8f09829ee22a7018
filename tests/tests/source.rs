//! The source connector as a user starts it, between a real Postgres and a real Kafka.
// The names of apache-avro that are short; their replacements are builders.
#![allow(clippy::unwrap_used, deprecated)]

#[path = "source/broker.rs"]
mod broker;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use apache_avro::types::Value;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rustix::process::{Pid, Signal, kill_process};
use smt_host::platform::dir::Directory;
use smt_host::platform::postgres::Postgres;
use smt_host::registry::wire;
use smt_tests::{Seen, World, eventually, read_committed, world};

const SOON: Duration = Duration::from_secs(60);

/// One Postgres for all tests but those that stop it. It ends with the process.
static SHARED: LazyLock<Postgres> = LazyLock::new(|| Postgres::start(world().dir.path()).unwrap());

/// Runs SQL statements in a connection of their own; gives the first column of the last one's rows.
fn try_sql(url: &str, statements: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let answers = client.simple_query(statements).await?;
        let first = |answer: &tokio_postgres::SimpleQueryMessage| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        Ok(answers.iter().filter_map(first).collect())
    })
}

fn sql(statements: &str) -> Vec<String> {
    try_sql(&SHARED.url(), statements).unwrap()
}

/// A connector file; what a test says of it wins.
fn file(name: &str, url: &str, keys: &[(&str, &str)]) -> PathBuf {
    file_in(world(), name, url, keys)
}

fn file_in(world: &World, name: &str, url: &str, keys: &[(&str, &str)]) -> PathBuf {
    let (login, address) = url.trim_start_matches("postgres://").rsplit_once('@').unwrap();
    let mut config = serde_json::json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "connection.url": format!("jdbc:postgresql://{address}"),
        "connection.user": login.split_once(':').unwrap().0,
        "connection.password": login.split_once(':').unwrap().1,
        "connection.backoff.ms": 300,
        "topic.prefix": format!("{name}-"),
        "poll.interval.ms": 20,
    });
    for (key, value) in keys {
        config[*key] = (*value).into();
    }
    let file = world.dir.path().join(format!("{name}.config"));
    std::fs::write(&file, serde_json::json!({ "name": name, "config": config }).to_string()).unwrap();
    file
}

/// A running `smt-host source`; ends with the test.
struct Source(Child);

impl Source {
    fn start(file: &Path) -> Source {
        Source(command(file).spawn().unwrap())
    }

    fn kill9(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to stop, as a service manager does.
    fn stop(mut self) {
        let begun = Instant::now();
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
        assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn command(file: &Path) -> Command {
    command_in(world(), file)
}

fn command_in(world: &World, file: &Path) -> Command {
    let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
    assert!(binary.is_file(), "{} is missing: run `cargo build -p smt-host`", binary.display());
    let mut command = Command::new(binary);
    let offsets = format!("{}-offsets", file.file_stem().unwrap().to_str().unwrap());
    command.arg("source").arg(file).args(["--brokers", &world.kafka.brokers(), "--offsets-topic", &offsets]);
    command.args(["--registry", &world.registry_server.url()]).stdin(Stdio::null());
    command
}

/// How far a topic reaches, committed or not.
fn reach(topic: &str) -> i64 {
    let consumer: BaseConsumer = world().settings().client("tests").create().unwrap();
    consumer.fetch_watermarks(topic, 0, Duration::from_secs(10)).map_or(0, |(_, high)| high)
}

/// Waits until so many records can be read, and gives them.
fn arrived(topic: &str, count: usize) -> Vec<Seen> {
    // Each transaction has a marker, so the topic reaches further than it has records.
    eventually(topic, SOON, || reach(topic) > count as i64 && read_committed(topic).len() >= count);
    read_committed(topic)
}

/// A record's fields by name, decoded with the schema that its id names.
fn fields(seen: &Seen) -> Vec<(String, Value)> {
    let (id, mut datum) = wire::unframe(seen.value.as_deref().unwrap()).unwrap();
    let schema = apache_avro::Schema::parse_str(&world().registry().schema(id).unwrap()).unwrap();
    match apache_avro::from_avro_datum(&schema, &mut datum, None).unwrap() {
        Value::Record(fields) => fields,
        other => panic!("{other:?} is no record"),
    }
}

fn field(seen: &Seen, name: &str) -> Value {
    let found = fields(seen).into_iter().find(|(field, _)| field == name).unwrap().1;
    if let Value::Union(_, value) = found { *value } else { found }
}

/// The first column of each: a long that is never null.
fn ids(records: &[Seen]) -> Vec<i64> {
    let id = |seen: &Seen| match apache_avro::from_avro_datum(&apache_avro::Schema::Long, &mut seen.datum(), None) {
        Ok(Value::Long(id)) => id,
        other => panic!("{other:?} is no id"),
    };
    records.iter().map(id).collect()
}

/// The newest offset record, as texts.
fn offset(name: &str) -> (String, String) {
    let seen = read_committed(&format!("{name}-offsets")).pop().unwrap();
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
    (text(seen.key), text(seen.value))
}

/// Inserts rows, many of them of one instant, until told to stop.
fn write(url: &str, table: &str, stop: &AtomicBool) {
    let insert = format!("INSERT INTO {table} (at) SELECT now() FROM generate_series(1, 70)");
    while !stop.load(Ordering::Relaxed) {
        // The database may be away; the table itself says what was written.
        if try_sql(url, &insert).is_err() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Runs `disturb` while rows are written; afterwards topic and table hold the same, once each.
fn check_nothing_is_lost_or_doubled(name: &str, url: &str, disturb: impl FnOnce() -> Source) {
    let stop = AtomicBool::new(false);
    let source = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(url, name, &stop));
        let source = disturb();
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        source
    });
    let rows = try_sql(url, &format!("SELECT id FROM {name} ORDER BY id")).unwrap();
    let rows: Vec<i64> = rows.iter().map(|id| id.parse().unwrap()).collect();
    let mut found = ids(&arrived(&format!("{name}-{name}"), rows.len()));
    found.sort_unstable();
    assert!(found == rows, "{} rows, {} records", rows.len(), found.len());
    source.stop();
}

fn table(name: &str) -> String {
    format!("CREATE TABLE {name} (id bigserial PRIMARY KEY, at timestamp NOT NULL)")
}

#[test]
fn a_source_killed_five_times_under_load_loses_and_doubles_nothing() {
    let name = "killed";
    sql(&table(name));
    let keys = [
        ("mode", "timestamp"),
        ("timestamp.column.name", "at"),
        // A row is committed a little after its instant; without a delay, such rows are lost, as in the original.
        ("timestamp.delay.interval.ms", "500"),
        ("table.whitelist", name),
        ("batch.max.rows", "50"),
    ];
    let file = file(name, &SHARED.url(), &keys);
    let topic = format!("{name}-{name}");
    check_nothing_is_lost_or_doubled(name, &SHARED.url(), || {
        for _ in 0..5 {
            let before = reach(&topic);
            let source = Source::start(&file);
            eventually("records", SOON, || reach(&topic) > before + 100);
            source.kill9();
        }
        Source::start(&file)
    });
    let last = sql("SELECT floor(extract(epoch FROM max(at)) * 1000) || ' ' ||
        (extract(microseconds FROM max(at))::int8 % 1000000) * 1000 FROM killed");
    let (millis, nanos) = last[0].split_once(' ').unwrap();
    assert_eq!(
        offset(name),
        (
            r#"["killed",{"protocol":"1","table":"public.killed"}]"#.to_owned(),
            format!(r#"{{"timestamp_nanos":{nanos},"timestamp":{millis}}}"#)
        )
    );
}

#[test]
fn a_database_that_goes_and_comes_back_under_load_costs_nothing() {
    let name = "restarted";
    let dir = Directory::open(None).unwrap();
    let postgres = Postgres::start(dir.path()).unwrap();
    let url = postgres.url();
    try_sql(&url, &table(name)).unwrap();
    let keys = [("mode", "incrementing"), ("incrementing.column.name", "id"), ("table.whitelist", name)];
    let source = Source::start(&file(name, &url, &keys));
    let topic = format!("{name}-{name}");
    let mut postgres = Some(postgres);
    check_nothing_is_lost_or_doubled(name, &url, || {
        for _ in 0..2 {
            let before = reach(&topic);
            eventually("records", SOON, || reach(&topic) > before + 100);
            drop(postgres.take());
            let again = Postgres::start(dir.path()).unwrap();
            assert_eq!(again.url(), url);
            postgres = Some(again);
        }
        source
    });
}

#[test]
fn a_table_that_comes_later_is_read_too_and_one_that_goes_is_no_failure() {
    sql(&format!("{}; {}", table("first_table"), "INSERT INTO first_table (at) VALUES (now())"));
    let keys = [
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
        ("table.include.list", "public[.].*_table"),
        ("table.poll.interval.ms", "100"),
    ];
    let source = Source::start(&file("tables", &SHARED.url(), &keys));
    assert_eq!(ids(&arrived("tables-first_table", 1)), [1]);
    sql(&format!("{}; {}", table("second_table"), "INSERT INTO second_table (at) VALUES (now()), (now())"));
    assert_eq!(ids(&arrived("tables-second_table", 2)), [1, 2]);
    sql("DROP TABLE first_table; INSERT INTO second_table (at) VALUES (now())");
    assert_eq!(ids(&arrived("tables-second_table", 3)), [1, 2, 3]);
    source.stop();
}

#[test]
fn bulk_reads_the_whole_table_each_time_and_stores_no_offset() {
    sql(&format!("{}; INSERT INTO bulk (at) VALUES (now()), (now())", table("bulk")));
    let source = Source::start(&file("bulk", &SHARED.url(), &[("mode", "bulk"), ("table.whitelist", "bulk")]));
    assert_eq!(ids(&arrived("bulk-bulk", 4))[..4], [1, 2, 1, 2]);
    source.stop();
    assert_eq!(read_committed("bulk-offsets"), []);
}

#[test]
fn timestamp_and_id_together_read_a_later_row_of_the_same_instant() {
    let insert = "INSERT INTO twofold (at) VALUES ('2021-04-12 22:39:23.655123')";
    sql(&format!("{}; {insert}", table("twofold")));
    let keys = [
        ("mode", "timestamp+incrementing"),
        ("timestamp.column.name", "at"),
        ("incrementing.column.name", "id"),
        ("table.whitelist", "twofold"),
    ];
    let source = Source::start(&file("twofold", &SHARED.url(), &keys));
    arrived("twofold-twofold", 1);
    sql(insert);
    assert_eq!(ids(&arrived("twofold-twofold", 2)), [1, 2]);
    source.stop();
    let value = r#"{"timestamp_nanos":655123000,"incrementing":2,"timestamp":1618267163655}"#;
    assert_eq!(offset("twofold").1, value);
}

#[test]
fn a_query_goes_to_the_topic_of_the_prefix_with_the_zone_and_granularity_asked_for() {
    sql(&format!("{}; INSERT INTO asked (at) VALUES ('2021-04-12 22:39:23.655123')", table("asked")));
    let keys = [
        ("mode", "timestamp"),
        ("timestamp.column.name", "at"),
        ("query", "SELECT * FROM (SELECT id, at FROM asked) q"),
        ("topic.prefix", "answered"),
        ("quote.sql.identifiers", "never"),
        ("db.timezone", "America/Sao_Paulo"),
        ("timestamp.granularity", "nanos_iso_datetime_string"),
    ];
    let source = Source::start(&file("asked", &SHARED.url(), &keys));
    let records = arrived("answered", 1);
    source.stop();
    assert_eq!(field(&records[0], "at"), Value::String("2021-04-12T22:39:23.655123000".into()));
    let (id, _) = wire::unframe(records[0].value.as_deref().unwrap()).unwrap();
    let schema = world().registry().schema(id).unwrap();
    assert!(schema.contains(r#""name":"ConnectDefault","namespace":"io.confluent.connect.avro""#), "{schema}");
    let key = r#"["asked",{"query":"query"}]"#;
    // Three hours after what the clock in the column shows.
    let value = r#"{"timestamp_nanos":655123000,"timestamp":1618277963655}"#;
    assert_eq!(offset("asked"), (key.to_owned(), value.to_owned()));
}

#[test]
fn a_mistake_in_the_file_says_what_and_what_instead() {
    let url = SHARED.url();
    let mode = ("mode", "bulk");
    let check = |keys: &[(&str, &str)], args: &[&str], code: i32, wanted: &str| {
        let output = command(&file("mistaken", &url, keys)).args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(wanted), "{wanted:?} is not in: {text}");
        assert!(!text.contains(url.split(['/', ':', '@']).nth(4).unwrap()), "the password is in: {text}");
    };
    check(&[("mod", "bulk")], &[], 2, "did you mean \"mode\"?");
    check(&[mode, ("transforms", "a")], &[], 2, "connector key \"transforms\" is not supported");
    check(&[mode, ("db.timezone", "Mars")], &[], 2, "for example America/Sao_Paulo");
    check(&[mode, ("table.whitelist", "nowhere")], &[], 7, "\"nowhere\", but there is no such table");
    check(&[mode, ("connection.password", "wrong")], &[], 7, "password authentication failed");
    let nowhere = ("connection.url", "jdbc:postgresql://127.0.0.1:1/postgres");
    check(&[mode, nowhere], &["--fail-fast"], 5, "the database at 127.0.0.1:1/postgres cannot be reached");
}
