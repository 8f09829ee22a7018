//! The whole way of records through real plugins, broker and registry, by the command that a user types.

use std::process::Stdio;
use std::time::Duration;

use apache_avro::types::Value;
use smt_tests::customers::{BOUND, CUSTOMERS, EVOLVED, customer, field, text};
use smt_tests::host::{Running, command, run};
use smt_tests::{ends, eventually, plugin, produce, read_committed, world};

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
        run(
            world,
            &[
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
            ],
        );
    }

    let jovens = read_committed("flow-jovens");
    let names: Vec<Value> = jovens.iter().map(|seen| field(seen, "NOME")).collect();
    assert_eq!(names, ["Ana", "Zoë 😀", "Ana", "Zoë 😀"].map(text));
    assert_eq!(field(&jovens[0], "NASCIMENTO"), Value::Date(BOUND));
    assert!(jovens.iter().all(|seen| field(seen, "TELEFONE") == text("telefone")), "promoted from bytes");
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
        let world = world();
        let topic = format!("faults-{fault}");
        world.topic(&topic, 1);
        let marked = [7, 8, 450];
        let values: Vec<Option<Vec<u8>>> = (0..500)
            .map(|i| Some(if marked.contains(&i) { format!("{i} FAULT") } else { format!("{i}") }.into_bytes()))
            .collect();
        produce(&topic, 0, &values);
        let (output, dead) = (format!("{topic}-out"), format!("{topic}-dead"));
        run(
            world,
            &[
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
            ],
        );
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

/// How many offsets both partitions of a topic span, markers included: grows with each commit.
fn written(topic: &str) -> i64 {
    ends(&world().settings(), topic, 2, "read_uncommitted").map_or(0, |ends| ends.iter().sum())
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
        // The next one gets the partitions of a killed one after so long.
        "-X",
        "session.timeout.ms=2000",
        "-X",
        "heartbeat.interval.ms=500",
    ];
    for round in 0..ROUNDS {
        for partition in 0..2 {
            let name = |i| format!("{round}-{partition}-{i}");
            let values =
                (0..RECORDS_A_ROUND / 2).map(|i| customer(CUSTOMERS, id, &name(i), Some(BOUND + i as i32 % 2)));
            produce("kill-customers", partition, &values.collect::<Vec<_>>());
        }
        let before = written("kill-classes");
        let host = Running::start(command(world, &args).stderr(Stdio::null()));
        eventually("the host writes", Duration::from_secs(60), || {
            // More than markers.
            written("kill-classes") > before + 100
        });
        // Not a wait for anything: the moment of the kill is meant to be arbitrary.
        std::thread::sleep(Duration::from_millis(round as u64 * 7 % 40));
        drop(host);
    }
    run(world, &[args.as_slice(), &["--until-end"]].concat());
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
