//! Limits of accumulators and records, just inside and just outside.

use smt_host::exit::{Exit, Stop};
use smt_host::guest::Limits;
use smt_host::kafka::topics;
use smt_host::pipeline::{Spec, WindowOptions};
use smt_tests::{produce, read_committed, world};

use super::faults::{counts, texts};
use super::pipeline::{limited, spec, to_the_end};

fn refused(spec: Spec, says: &[&str]) {
    let stop: Stop = to_the_end(spec).expect_err("a limit ends the pipeline");
    assert_eq!(stop.exit, Exit::Plugin, "{stop}");
    let said = stop.to_string();
    assert!(says.iter().all(|says| said.contains(says)), "{said}");
}

fn of(name: &str, fault: &str, accumulator_bytes_max: usize) -> Spec {
    let limits = Limits { accumulator_bytes_max, ..Limits::default() };
    limited(name, "faults-aggregate", &[("fault", fault)], WindowOptions::default(), limits)
}

#[test]
fn a_record_that_alone_makes_an_accumulator_too_large_is_a_dead_letter() {
    // One of these takes nine bytes.
    for (name, limit, counted) in [("hoard-inside", 9, 1), ("hoard-outside", 8, 0)] {
        world().topic(name, 1);
        produce(name, 0, &texts(&["a 1"]));
        to_the_end(of(name, "none", limit)).unwrap();
        let written = ["out", "dead"].map(|topic| read_committed(&format!("{name}-{topic}")).len());
        assert_eq!(written, [counted, 1 - counted], "{name}");
    }
}

#[test]
fn an_accumulator_that_grows_too_large_ends_the_pipeline_and_what_it_counted_is_not_lost() {
    world().topic("hoard", 1);
    produce("hoard", 0, &texts(&["b 1", "a FAULT", "a FAULT"]));
    // Each of the two alone has just enough room.
    refused(of("hoard", "grow", (1 << 20) + 9), &["merge fails for key \"a\"", "is read again at the next start"]);
    assert_eq!(read_committed("hoard-out").len(), 0);
    to_the_end(of("hoard", "none", 9)).unwrap();
    assert_eq!(counts("hoard-out").into_values().collect::<Vec<_>>(), ["2", "1"]);
}

#[test]
fn a_row_larger_than_a_record_may_be_ends_the_pipeline_with_its_key() {
    // 36 bytes beside key, window start and the row's 900.
    for (key, fits) in [("k".repeat(56), true), ("k".repeat(57), false)] {
        let name = format!("wide-{fits}");
        world().topic(&name, 1);
        produce(&name, 0, &texts(&[&format!("{key} FAULT")]));
        let mut spec = spec(&name, "faults-aggregate", &[("fault", "wide-row")], WindowOptions::default());
        spec.kafka.properties.push(("message.max.bytes".to_owned(), "1000".to_owned()));
        if fits {
            to_the_end(spec).unwrap();
            assert_eq!(read_committed(&format!("{name}-out")).len(), 1);
        } else {
            refused(spec, &["its row for key \"kkk", "takes 1001 bytes, above the 1000 of message.max.bytes"]);
        }
    }
}

#[test]
fn what_was_applied_is_removed_from_the_repartition_topic() {
    world().topic("purge", 1);
    for _ in 0..2 {
        produce("purge", 0, &texts(&["a 1", "b 1"]));
        to_the_end(spec("purge", "faults-aggregate", &[], WindowOptions::default())).unwrap();
    }
    let topic = "purge-faults-aggregate-repartition";
    assert_eq!(topics::shape(&world().settings(), topic).unwrap().unwrap().partitions, 1);
    // Both of the first run's partials; those of the second may be in use yet.
    assert!(read_committed(topic).iter().all(|seen| seen.offset >= 2), "{:?}", read_committed(topic));
    assert_eq!(counts("purge-out").values().collect::<Vec<_>>(), ["2", "2"]);
}
