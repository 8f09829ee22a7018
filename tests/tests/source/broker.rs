//! A broker that goes and comes back while the source publishes what the generator inserts.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use smt_host::platform::kafka::Kafka;
use smt_host::platform::postgres::Postgres;
use smt_tests::host::{Running, binary};
use smt_tests::{World, ends, eventually, read_committed_of};

use crate::{SOON, Source, command_in, file_in, ids, try_sql};

/// The workshop's table, with a number by which its rows are told apart.
const TABLE: &str = "CREATE TABLE customers (id bigserial PRIMARY KEY, nome text, sexo text, endereco text, \
                     telefone text, email text, foto text, nascimento date, profissao text, dt_update timestamp)";
const TOPIC: &str = "broker-customers";

#[test]
fn a_broker_stopped_in_order_and_killed_under_load_loses_and_doubles_no_row() {
    let mut world = World::start();
    let settings = world.settings();
    let postgres = Postgres::start(world.dir.path()).unwrap();
    let url = postgres.url();
    try_sql(&url, TABLE).unwrap();
    let keys = [
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
        ("table.whitelist", "customers"),
        ("batch.max.rows", "50"),
    ];
    let log = world.dir.path().join("source.log");
    let mut command = command_in(&world, &file_in(&world, "broker", &url, &keys));
    let source = Source(command.stderr(File::create(&log).unwrap()).spawn().unwrap());
    let mut generator = binary();
    generator.args(["generate", "--interval", "0.02", "-n", "20", "--silent", "-cs", &url]);
    let generator = Running::start(generator.stdout(Stdio::null()));

    let said = |what: &str| std::fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains(what)).count();
    let reach = || ends(&settings, TOPIC, 1, "read_committed").map_or(0, |ends| ends[0]);
    for (times, end) in [(1, Kafka::stop as fn(&mut Kafka)), (2, Kafka::kill9)] {
        let before = reach();
        eventually("rows arrive", SOON, || reach() > before + 200);
        end(&mut world.kafka);
        // Rows pile up, and what is sent is not answered.
        let waiting = try_sql(&url, "SELECT max(id) FROM customers").unwrap();
        let waiting: i64 = waiting[0].parse().unwrap();
        let more =
            || try_sql(&url, "SELECT max(id) FROM customers").unwrap()[0].parse::<i64>().unwrap() > waiting + 200;
        eventually("rows are inserted", SOON, more);
        world.kafka.restart().unwrap();
        eventually("rows arrive again", SOON, || reach() > waiting);
        assert!(said("kafka is away") <= times, "an outage is told of once");
    }
    drop(generator);
    let rows = try_sql(&url, "SELECT id FROM customers ORDER BY id").unwrap();
    let rows: Vec<i64> = rows.iter().map(|id| id.parse().unwrap()).collect();
    eventually("the last rows", Duration::from_secs(120), || read_committed_of(&settings, TOPIC).len() >= rows.len());
    source.stop();
    // Once each, and in order.
    let found = ids(&read_committed_of(&settings, TOPIC));
    assert!(found == rows, "{} rows, {} records", rows.len(), found.len());
}
