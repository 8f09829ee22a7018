//! What the operator chooses: where reading begins, key formats, windows in the configuration file.

use std::time::Duration;

use smt_host::kafka::{From, partition};
use smt_host::pipeline::{Spec, WindowOptions};
use smt_host::registry::wire;
use smt_tests::host::command;
use smt_tests::{eventually, plugin, produce, read_committed, world};

use super::classes::{class, model, present, table, write};
use super::faults::texts;
use super::pipeline::{Running, spec, to_the_end};

#[test]
fn a_pipeline_that_begins_at_the_end_counts_only_what_comes_then() {
    world().topic("latest", 1);
    let start = present();
    write("latest", &[class(0, start, "JOVEM"), class(0, start, "JOVEM")]);
    let latest = Spec { from: From::Latest, ..spec("latest", "idadecont", &[], WindowOptions::default()) };
    let running = Running::start(latest);
    // Where the end is, it finds out some time after it has its partition.
    eventually("what comes is counted", Duration::from_secs(60), || {
        write("latest", &[class(0, start + 1, "ADULTO")]);
        !read_committed("latest-out").is_empty()
    });
    running.stop().unwrap();
    let keys: Vec<_> = table("latest-out").into_keys().map(|(key, _)| key).collect();
    assert_eq!(keys, ["ADULTO"]);
}

#[test]
fn a_key_in_avro_is_registered_framed_and_of_the_partition_of_these_bytes() {
    world().topic("avro-keys", 3);
    produce("avro-keys", 0, &texts(&["a 1", "bc 1", "d 1", "a 2"]));
    to_the_end(spec("avro-keys", "faults-aggregate", &[("fault", "avro-key")], WindowOptions::default())).unwrap();
    let (id, _, schema) = world().registry().latest("avro-keys-out-key").unwrap().expect("the key is registered");
    assert_eq!(&*schema, "\"string\"");
    let seen = read_committed("avro-keys-out");
    let mut keys = Vec::new();
    for seen in &seen {
        let (key, start) = seen.key.as_deref().unwrap().split_last_chunk::<8>().unwrap();
        assert_eq!(i64::from_be_bytes(*start) % 10_000, 0);
        assert_eq!(seen.partition, partition::of_key(key, 3));
        keys.push(key.to_vec());
    }
    let framed = |text: &str| {
        let mut key = Vec::new();
        wire::frame(id, &mut key);
        [key, vec![2 * text.len() as u8], text.as_bytes().to_vec()].concat()
    };
    keys.sort();
    assert_eq!(keys, ["a", "d", "bc"].map(framed));
}

#[test]
fn windows_in_the_configuration_file_are_those_of_their_plugin() {
    world().topic("window-table", 1);
    let start = present();
    let classes = [
        class(0, start + 1, "JOVEM"),
        class(0, start + 30_000, "JOVEM"),
        class(0, start + 34_999, "JOVEM"),
        class(0, start + 2, "ADULTO"),
        class(0, start + 35_000, "JOVEM"),
        class(0, start + 3, "ADULTO"),
    ];
    write("window-table", &classes);
    let file = world().dir.path().join("window-table.toml");
    let text = format!(
        "[[pipeline]]\nname = \"window-table\"\ngroup = \"window-table\"\ninput = [\"window-table\"]\n\
         dead-letter-topic = \"window-table-dead\"\n[[pipeline.plugin]]\nfile = {:?}\n\
         outputs = {{ idadecont = \"window-table-out\" }}\n\
         [pipeline.plugin.window]\ngrace = \"5s\"\nlate = \"dead-letter\"\nidle = \"off\"\nemit = \"final\"\n",
        plugin("idadecont").to_str().unwrap()
    );
    std::fs::write(&file, text).unwrap();
    let output = command(world(), &["run", "--config", file.to_str().unwrap(), "--until-end"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Final: the first window alone, and each row once.
    assert_eq!(table("window-table-out"), model(&[classes[0].clone(), classes[3].clone()]));
    assert_eq!(read_committed("window-table-out").len(), 2);
    assert_eq!(read_committed("window-table-dead").len(), 1, "grace is over at 35 s");
}
