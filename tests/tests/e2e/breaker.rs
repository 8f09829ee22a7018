//! A plugin that fails everything stops its pipeline; one whose input is bad here and there does not.

use std::process::Stdio;
use std::time::Duration;

use smt_tests::customers::{BOUND, CUSTOMERS, customer};
use smt_tests::host::{Running, command, run};
use smt_tests::{plugin, produce, read_committed, world};

#[test]
fn a_plugin_that_fails_every_record_stops_with_its_exit_code_and_buries_few() {
    for fault in ["trap", "reject", "bad-schema"] {
        let world = world();
        let topic = format!("breaker-{fault}");
        let (output, dead) = (format!("{topic}-out"), format!("{topic}-dead"));
        world.topic(&topic, 1);
        produce(&topic, 0, &vec![Some(b"FAULT".to_vec()); 3000]);
        let (file, setting) = (plugin("faults"), format!("fault={fault}"));
        let names = ["--plugin", file.to_str().unwrap(), "--input", &topic, "--output", &output, "--group", &topic];
        let more = ["--set", &setting, "--dead-letter-topic", &dead, "--until-end"];
        let mut command = command(world, &[&names[..], &more].concat());
        let code = Running::start(command.stderr(Stdio::null())).code_within(Duration::from_secs(60));
        assert_eq!(code, Some(4), "{fault}");
        assert!(read_committed(&dead).len() < 1000, "{fault}");
    }
}

#[test]
fn records_that_cannot_be_decoded_are_never_put_down_to_the_plugin() {
    let world = world();
    world.topic("breaker-garbage", 1);
    let id = world.registry().register("breaker-garbage-value", CUSTOMERS).unwrap();
    let good = customer(CUSTOMERS, id, "Ana", Some(BOUND));
    // Two ways of being bad: no frame, and the right frame before half a datum.
    let (garbage, cut) = (Some(b"garbage".to_vec()), good.as_ref().map(|bytes| bytes[..10].to_vec()));
    // Now and then, and more in a row than a plugin may fail.
    let mut values: Vec<_> = (0..600).map(|i| [&good, &garbage, &cut][i % 3].clone()).collect();
    values.extend(vec![garbage; 300]);
    produce("breaker-garbage", 0, &values);
    let file = plugin("jovens");
    let names = ["--plugin", file.to_str().unwrap(), "--input", "breaker-garbage", "--group", "breaker-garbage"];
    let more = ["--output", "breaker-good", "--dead-letter-topic", "breaker-garbage-dead", "--until-end"];
    run(world, &[&names[..], &more].concat());
    assert_eq!(read_committed("breaker-good").len(), 200);
    assert_eq!(read_committed("breaker-garbage-dead").len(), 700);
}
