//! What counting in windows costs: CPU time next to the stateless path, and bytes through the repartition topic.

use std::time::Duration;

use rdkafka::producer::{BaseProducer, Producer};
use smt_host::registry::wire;
use smt_plugin::{Encode, TimestampMillis, schema_of};
use smt_tests::{World, read_committed};

use super::{customers, load, report};

const RECORDS: usize = 1_000_000;
const ROUNDS: usize = 3;
const CLASSES: &str = "bench-idadeclass";
const KEYS: &str = "bench-keys";

pub(crate) fn run(world: &World) {
    println!("  producing {RECORDS} classified customers, and {RECORDS} records of 100,000 keys");
    classified(world);
    keyed(world);
    customers::topic_once(world, load::INPUT, RECORDS);
    let (mut counted, mut filtered) = (0, 0);
    let (windows, stateless) = report::alternate(
        ROUNDS,
        || cpu(world, "idadecont", CLASSES, &mut counted),
        || cpu(world, "jovens", load::INPUT, &mut filtered),
    );
    report::row(&["", "jovens", "idadecont", "ratio"]);
    let ratio = format!("{:.2}", windows / stateless);
    report::row(&["CPU-s / million", &format!("{stateless:.2}"), &format!("{windows:.2}"), &ratio]);
    let mut round = 0;
    cpu(world, "faults-aggregate", KEYS, &mut round);
    report::row(&["keys", "repartition records", "bytes an input"]);
    for (keys, group) in
        [("2", "bench-idadecont-1-idadecont"), ("100,000", "bench-faults-aggregate-1-faults-aggregate")]
    {
        let partials = read_committed(&format!("{group}-repartition"));
        let size = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let bytes: usize = partials.iter().map(|seen| size(&seen.key) + size(&seen.value)).sum();
        let each = bytes as f64 / RECORDS as f64;
        report::row(&[keys, &partials.len().to_string(), &format!("{each:.4}")]);
    }
}

/// One run of the release host over the whole topic, in a group of its own.
fn cpu(world: &World, name: &str, input: &str, round: &mut usize) -> f64 {
    *round += 1;
    load::host_seconds(world, name, input, &format!("bench-{name}-{round}"), RECORDS)
}

/// As idadeclass writes them, over the last minutes.
fn classified(world: &World) {
    world.topic(CLASSES, 2);
    let schema = schema_of::<idadeclass::Classified<'_>>();
    let id = world.registry().register(&format!("{CLASSES}-value"), &schema).expect("registered");
    fill(world, CLASSES, |i, value| {
        wire::frame(id, value);
        let (name, email) = (format!("Maria Conceição Souza {i}"), format!("maria.souza{i}@example.com"));
        let row = idadeclass::Classified {
            nome: Some(&name),
            telefone: Some("(31) 98765-4321"),
            email: Some(&email),
            profissao: Some("Engenheira de dados"),
            idadecat: Some(if i % 3 == 0 { "JOVEM" } else { "ADULTO" }),
            dt_update: Some(TimestampMillis(1_764_000_000_000 + i as i64)),
        };
        row.encode(value);
    });
}

/// Text whose first word is the key.
fn keyed(world: &World) {
    world.topic(KEYS, 2);
    fill(world, KEYS, |i, value| value.extend(format!("{:016x} x", (i as u64 % 100_000) * 0x9e37_79b9).bytes()));
}

fn fill(world: &World, topic: &str, mut write: impl FnMut(usize, &mut Vec<u8>)) {
    let producer: BaseProducer = world.settings().idempotent().create().expect("a producer");
    let mut value = Vec::new();
    for i in 0..RECORDS {
        value.clear();
        write(i, &mut value);
        customers::send(&producer, topic, (i / 2 % 2) as i32, None, &value);
    }
    producer.flush(Duration::from_secs(60)).expect("delivered");
}
