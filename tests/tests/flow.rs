//! The whole way of records through real plugins, broker and registry, by the command that a user types.
// The names of apache-avro that are short; their replacements are builders.
#![allow(clippy::unwrap_used, deprecated)]

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use apache_avro::types::Value;
use rdkafka::consumer::{BaseConsumer, Consumer};
use smt_host::registry::wire;
use smt_tests::{Seen, eventually, plugin, produce, read_committed, world};

/// The table's schema as the source connector registers it.
const CUSTOMERS: &str = r#"{"type":"record","name":"customers","fields":[{"name":"nome","type":["null","string"],"default":null},{"name":"sexo","type":["null","string"],"default":null},{"name":"endereco","type":["null","string"],"default":null},{"name":"telefone","type":["null","string"],"default":null},{"name":"email","type":["null","string"],"default":null},{"name":"foto","type":["null","string"],"default":null},{"name":"nascimento","type":["null",{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}],"default":null},{"name":"profissao","type":["null","string"],"default":null},{"name":"dt_update","type":["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null}],"connect.name":"customers"}"#;
/// The same with columns removed, reordered and added.
const EVOLVED: &str = r#"{"type":"record","name":"customers","fields":[{"name":"nascimento","type":["null",{"type":"int","logicalType":"date"}],"default":null},{"name":"cidade","type":["null","string"],"default":null},{"name":"nome","type":["null","string"],"default":null},{"name":"sexo","type":["null","string"],"default":null},{"name":"telefone","type":["null","string"],"default":null},{"name":"email","type":["null","string"],"default":null},{"name":"profissao","type":["null","string"],"default":null},{"name":"dt_update","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}]}"#;
/// 2000-01-01 in days.
const BOUND: i32 = 10957;

fn host(args: &[&str]) -> Command {
    let binary = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
    assert!(binary.is_file(), "{} is missing: run `cargo build -p smt-host`", binary.display());
    let world = world();
    let mut command = Command::new(binary);
    command.args(args).args(["--brokers", &world.kafka.brokers(), "--registry", &world.registry_server.url()]);
    command.args(["--state-dir".as_ref(), world.dir.path().join("state").as_os_str()]);
    command.stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    let output = host(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {}\n{text}", output.status);
    output
}

/// One customer in the writer schema given, framed.
fn customer(schema: &str, id: u32, name: &str, born: Option<i32>) -> Option<Vec<u8>> {
    let schema = apache_avro::Schema::parse_str(schema).unwrap();
    let text = |text: &str| Value::Union(1, Box::new(Value::String(text.to_owned())));
    let null = || Value::Union(0, Box::new(Value::Null));
    let apache_avro::Schema::Record(record) = &schema else { panic!("a record") };
    let field = |field: &str| match field {
        "nome" => text(name),
        "nascimento" => born.map_or_else(null, |days| Value::Union(1, Box::new(Value::Date(days)))),
        "dt_update" => Value::Union(1, Box::new(Value::TimestampMillis(1_618_269_963_655))),
        "profissao" => null(),
        other => text(other),
    };
    let fields = record.fields.iter().map(|f| (f.name.clone(), field(&f.name))).collect();
    let mut framed = Vec::new();
    wire::frame(id, &mut framed);
    framed.extend(apache_avro::to_avro_datum(&schema, Value::Record(fields)).unwrap());
    Some(framed)
}

/// An output record decoded by the apache-avro crate with the schema that its id names.
fn decoded(seen: &Seen) -> Vec<(String, Value)> {
    let (id, mut datum) = wire::unframe(seen.value.as_deref().unwrap()).unwrap();
    let schema = apache_avro::Schema::parse_str(&world().registry().schema(id).unwrap()).unwrap();
    let value = apache_avro::from_avro_datum(&schema, &mut datum, None).unwrap();
    let Value::Record(fields) = value else { panic!("a record") };
    let bare = |value| if let Value::Union(_, inner) = value { *inner } else { value };
    fields.into_iter().map(|(name, value)| (name, bare(value))).collect()
}

fn field(seen: &Seen, name: &str) -> Value {
    decoded(seen).into_iter().find(|(n, _)| n == name).unwrap().1
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

#[test]
fn both_plugins_follow_the_workshops_sql_through_evolution_nulls_and_garbage() {
    let world = world();
    world.topic("flow-customers", 2);
    let first = world.registry().register("flow-customers-value", CUSTOMERS).unwrap();
    let second = world.registry().register("flow-customers-value", EVOLVED).unwrap();
    let people =
        [("Ana", Some(BOUND)), ("João Conceição", Some(BOUND - 1)), ("Ninguém", None), ("Zoë 😀", Some(BOUND + 9000))];
    let mut values: Vec<Option<Vec<u8>>> = people.iter().map(|(n, b)| customer(CUSTOMERS, first, n, *b)).collect();
    values.push(None);
    values.push(Some(b"not avro at all".to_vec()));
    values.extend(people.iter().map(|(n, b)| customer(EVOLVED, second, n, *b)));
    produce("flow-customers", 1, &values);

    for name in ["jovens", "idadeclass"] {
        let file = plugin(name);
        let output = format!("flow-{name}");
        run(&[
            "--plugin",
            file.to_str().unwrap(),
            "--input",
            "flow-customers",
            "--output",
            &output,
            "--group",
            &output,
            "--dead-letter-topic",
            &format!("flow-dead-{name}"),
            "--until-end",
        ]);
    }

    let jovens = read_committed("flow-jovens");
    let names: Vec<Value> = jovens.iter().map(|seen| field(seen, "NOME")).collect();
    assert_eq!(names, ["Ana", "Zoë 😀", "Ana", "Zoë 😀"].map(text));
    assert_eq!(field(&jovens[0], "NASCIMENTO"), Value::Date(BOUND));
    assert!(jovens.iter().all(|seen| seen.partition == 1), "an output stays in its input's partition");
    assert_eq!(jovens[0].timestamp_ms, Some(world.begun_ms), "and keeps its timestamp");

    let classes: Vec<Value> = read_committed("flow-idadeclass").iter().map(|seen| field(seen, "IDADECAT")).collect();
    let expected = ["JOVEM", "ADULTO", "ADULTO", "JOVEM"].map(text);
    assert_eq!(classes, [expected.clone(), expected].concat());

    let dead = read_committed("flow-dead-jovens");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].value.as_deref(), Some(b"not avro at all".as_slice()));
    assert_eq!(dead[0].header("__connect.errors.offset"), Some("5"));
    assert_eq!(dead[0].header("__connect.errors.stage"), Some("VALUE_CONVERTER"));
}

#[test]
fn each_misbehaving_plugin_costs_exactly_the_marked_records() {
    for fault in ["spin", "grow", "trap", "lie-index", "lie-lengths", "flood", "bad-output-number", "reject"] {
        let topic = format!("faults-{fault}");
        world().topic(&topic, 1);
        let marked = [7, 8, 450];
        let values: Vec<Option<Vec<u8>>> = (0..500)
            .map(|i| Some(if marked.contains(&i) { format!("{i} FAULT") } else { format!("{i}") }.into_bytes()))
            .collect();
        produce(&topic, 0, &values);
        let (output, dead) = (format!("{topic}-out"), format!("{topic}-dead"));
        run(&[
            "--plugin",
            plugin("faults").to_str().unwrap(),
            "--set",
            &format!("fault={fault}"),
            "--input",
            &topic,
            "--output",
            &output,
            "--group",
            &topic,
            "--dead-letter-topic",
            &dead,
            "--until-end",
        ]);
        let blamed: Vec<Option<Vec<u8>>> = read_committed(&dead).into_iter().map(|seen| seen.value).collect();
        let expected = |keep: bool| {
            let chosen = values.iter().enumerate().filter(move |(i, _)| marked.contains(i) != keep);
            chosen.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(blamed, expected(false), "{fault}: blamed");
        let through: Vec<Option<Vec<u8>>> = read_committed(&output).into_iter().map(|seen| seen.value).collect();
        assert_eq!(through, expected(true), "{fault}: let through");
    }
}

/// Killed hard when the test fails, too.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// How many offsets a topic spans, markers included: grows with each commit.
fn written(topic: &str) -> i64 {
    let consumer: BaseConsumer = world().settings().client("tests").create().unwrap();
    (0..2).filter_map(|p| consumer.fetch_watermarks(topic, p, Duration::from_secs(5)).ok()).map(|(_, high)| high).sum()
}

#[test]
fn ten_kills_under_load_lose_and_double_nothing() {
    const ROUNDS: usize = 10;
    const RECORDS_A_ROUND: usize = 4_000;
    let world = world();
    world.topic("kill-customers", 2);
    world.topic("kill-classes", 2);
    let id = world.registry().register("kill-customers-value", CUSTOMERS).unwrap();
    let file = plugin("idadeclass");
    let args = [
        "--plugin",
        file.to_str().unwrap(),
        "--input",
        "kill-customers",
        "--output",
        "kill-classes",
        "--group",
        "kill",
        "--commit-interval",
        "10ms",
    ];
    for round in 0..ROUNDS {
        for partition in 0..2 {
            let name = |i| format!("{round}-{partition}-{i}");
            let values =
                (0..RECORDS_A_ROUND / 2).map(|i| customer(CUSTOMERS, id, &name(i), Some(BOUND + i as i32 % 2)));
            produce("kill-customers", partition, &values.collect::<Vec<_>>());
        }
        let before = written("kill-classes");
        let child = Killed(host(&args).stderr(Stdio::null()).spawn().unwrap());
        eventually("the host writes", Duration::from_secs(60), || {
            // More than markers.
            written("kill-classes") > before + 100
        });
        // Not a wait for anything: the moment of the kill is meant to be arbitrary.
        std::thread::sleep(Duration::from_millis(round as u64 * 7 % 40));
        drop(child);
    }
    run(&[args.as_slice(), &["--until-end"]].concat());
    let mut seen = std::collections::HashMap::new();
    for record in read_committed("kill-classes") {
        *seen.entry(format!("{:?}", field(&record, "NOME"))).or_insert(0) += 1;
    }
    assert_eq!(seen.values().filter(|count| **count > 1).count(), 0, "doubled");
    let missing = |round: usize, partition: usize| {
        let found = |i: &usize| seen.contains_key(&format!("{:?}", text(&format!("{round}-{partition}-{i}"))));
        RECORDS_A_ROUND / 2 - (0..RECORDS_A_ROUND / 2).filter(found).count()
    };
    let lost: Vec<_> = (0..ROUNDS).flat_map(|r| [(r, 0, missing(r, 0)), (r, 1, missing(r, 1))]).collect();
    assert!(lost.iter().all(|(_, _, missing)| *missing == 0), "lost (round, partition, records): {lost:?}");
    assert_eq!(seen.len(), ROUNDS * RECORDS_A_ROUND, "more than were written");
}
