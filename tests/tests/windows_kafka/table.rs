//! The workshop's table, by the command that a user types.

use smt_tests::customers::{BOUND, CUSTOMERS, customer};
use smt_tests::host::run;
use smt_tests::{plugin, produce, read_committed, world};

use super::classes::{Class, class, model, present, row, table, write};

fn idadecont(input: &str, options: &[&str]) {
    let (output, file) = (format!("{input}-out"), plugin("idadecont"));
    let args =
        ["--plugin", file.to_str().unwrap(), "--input", input, "--output", &output, "--group", input, "--until-end"];
    run(world(), &[&args[..], options].concat());
}

#[test]
fn customers_are_counted_by_class_as_in_the_workshop() {
    let world = world();
    world.topic("table-customers", 2);
    let id = world.registry().register("table-customers-value", CUSTOMERS).unwrap();
    for partition in 0..2 {
        let born = |i: i32| Some(BOUND - i % 3);
        let values: Vec<_> = (0..1000).map(|i| customer(CUSTOMERS, id, &format!("{i}"), born(i))).collect();
        produce("table-customers", partition, &values);
    }
    let file = plugin("idadeclass");
    let args = ["--plugin", file.to_str().unwrap(), "--input", "table-customers", "--output", "table-classes"];
    run(world, &[&args[..], &["--group", "table-classes-of", "--until-end"]].concat());
    idadecont("table-classes", &[]);

    // Record i of each partition is stamped i ms after the beginning.
    let class_of = |i: i64| if i % 3 == 0 { "JOVEM" } else { "ADULTO" };
    let expected: Vec<Class> = (0..1000).map(|i| class(0, world.begun_ms + i, class_of(i))).collect();
    assert_eq!(table("table-classes-out"), model(expected.iter().chain(&expected)));
    for seen in read_committed("table-classes-out") {
        let (key, start) = row(&seen).0;
        assert_eq!(seen.partition, 1, "both classes are of partition 1 of 2");
        assert_eq!(seen.key.unwrap(), [key.as_bytes(), &start.to_be_bytes()].concat());
        assert_eq!(seen.headers, []);
    }
}

#[test]
fn a_record_on_a_windows_end_is_of_the_next_and_one_on_graces_end_is_late() {
    let world = world();
    world.topic("edge", 1);
    let start = present();
    let classes = [
        class(0, start, "JOVEM"),
        class(0, start + 29_999, "JOVEM"),
        class(0, start + 30_000, "JOVEM"),
        // One before grace's end: the first window still takes records.
        class(0, start + 34_999, "JOVEM"),
        class(0, start + 1, "ADULTO"),
        // On grace's end it is closed.
        class(0, start + 35_000, "JOVEM"),
        class(0, start + 2, "ADULTO"),
        Class { partition: 0, timestamp: start + 35_001, class: None },
    ];
    write("edge", &classes);
    idadecont("edge", &["--grace", "5s", "--late", "dead-letter", "--dead-letter-topic", "edge-dead"]);
    assert_eq!(table("edge-out"), model(classes.iter().enumerate().filter(|(i, _)| *i != 6).map(|(_, class)| class)));
    let dead = read_committed("edge-dead");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].header("__connect.errors.offset"), Some("6"));
    assert_eq!(dead[0].header("__connect.errors.exception.message"), Some("0 ms late: its windows are closed"));
}
