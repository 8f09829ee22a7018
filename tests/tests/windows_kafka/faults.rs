//! Plugins that misbehave, and state that is not theirs.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::exit::Exit;
use smt_host::guest::Limits;
use smt_host::kafka::From;
use smt_host::pipeline::{Progress, WindowOptions};
use smt_tests::{produce, read_committed, world};

use super::pipeline::{Running, limited, spec, to_the_end};

pub(crate) fn texts(texts: &[&str]) -> Vec<Option<Vec<u8>>> {
    texts.iter().map(|text| Some(text.as_bytes().to_vec())).collect()
}

/// The last count of each key; keys are the records' first words.
pub(crate) fn counts(topic: &str) -> std::collections::BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let key = |key: &[u8]| text(&key[..key.len() - 8]);
    read_committed(topic)
        .iter()
        .map(|seen| (key(seen.key.as_ref().unwrap()), text(seen.value.as_ref().unwrap())))
        .collect()
}

#[test]
fn guilty_and_rejected_records_are_dead_letters_and_the_rest_is_counted() {
    for fault in ["reject", "trap-partial", "lie-group", "null-key"] {
        let name = format!("dead-{fault}");
        world().topic(&name, 1);
        produce(&name, 0, &texts(&["a 1", "b 1", "a FAULT", "a 2", "c FAULT"]));
        let progress = to_the_end(spec(&name, "faults-aggregate", &[("fault", fault)], WindowOptions::default()));
        let progress = progress.unwrap_or_else(|stop| panic!("{fault}: {stop}"));
        let dead: Vec<_> = read_committed(&format!("{name}-dead")).into_iter().map(|seen| seen.value).collect();
        assert_eq!(dead, texts(&["a FAULT", "c FAULT"]), "{fault}");
        let expected = [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "1".to_owned())];
        assert_eq!(counts(&format!("{name}-out")), expected.into(), "{fault}");
        let counters = [&progress.records_in, &progress.dead, &progress.filtered].map(Progress::get);
        assert_eq!(counters, [5, 2, 0], "{fault}");
    }
}

#[test]
fn a_plugin_that_fails_in_merge_or_finish_ends_its_pipeline_and_what_was_complete_stays() {
    for (fault, says) in [
        ("trap-merge", "merge fails for key \"b\" in the window that starts at"),
        ("merge-fewer", "merge fails for key \"b\" in the window that starts at"),
        ("trap-finish", "finish fails for key \"b\" in the window that starts at"),
        ("finish-index", "finish fails for key \"b\" in the window that starts at"),
    ] {
        let name = format!("fault-{fault}");
        world().topic(&name, 1);
        let run = || to_the_end(spec(&name, "faults-aggregate", &[("fault", fault)], WindowOptions::default()));
        produce(&name, 0, &texts(&["a 1", "b 1"]));
        run().unwrap_or_else(|stop| panic!("{fault}: {stop}"));
        produce(&name, 0, &texts(&["a 2", "b FAULT", "b FAULT"]));
        for _ in 0..2 {
            let stop = run().err().unwrap_or_else(|| panic!("{fault} goes on"));
            assert_eq!(stop.exit, Exit::Plugin, "{fault}: {stop}");
            assert!(stop.what.contains("faults-aggregate") && stop.what.contains(says), "{fault}: {stop}");
            assert!(stop.to_string().contains("nothing of it is lost or counted twice"), "{fault}: {stop}");
        }
        let output = counts(&format!("{name}-out"));
        assert_eq!(output.get("b").map(String::as_str), Some("1"), "{fault}");
        // Mended, it reads again what was undone.
        to_the_end(spec(&name, "faults-aggregate", &[], WindowOptions::default())).unwrap();
        let expected = [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "3".to_owned())];
        assert_eq!(counts(&format!("{name}-out")), expected.into(), "{fault}");
    }
}

/// A worker whose plugin is in an endless loop, asked to stop, leaves everything for later.
#[test]
fn a_plugin_that_spins_is_given_up_within_five_seconds_and_nothing_is_lost_or_counted_twice() {
    for fault in ["spin-partial", "spin-merge"] {
        world().topic(fault, 1);
        produce(fault, 0, &texts(&["a 1", "b 1"]));
        to_the_end(spec(fault, "faults-aggregate", &[], WindowOptions::default())).unwrap();
        produce(fault, 0, &texts(&["a 2", "b FAULT", "b FAULT"]));
        // No limit would end it before that.
        let limits = Limits { cpu_per_record: Duration::from_secs(60), ..Limits::default() };
        let spinning = limited(fault, "faults-aggregate", &[("fault", fault)], WindowOptions::default(), limits);
        let mut running = Running::start(spinning);
        let before = own_cpu();
        running.until("the plugin spins", |_| own_cpu() > before + Duration::from_secs(1));
        let asked = Instant::now();
        running.stop().unwrap_or_else(|stop| panic!("{fault}: {stop}"));
        assert!(asked.elapsed() < Duration::from_secs(5), "{fault} took {:?}", asked.elapsed());
        to_the_end(spec(fault, "faults-aggregate", &[], WindowOptions::default())).unwrap();
        let expected = [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "3".to_owned())];
        assert_eq!(counts(&format!("{fault}-out")), expected.into(), "{fault}");
        assert_eq!(read_committed(&format!("{fault}-dead")).len(), 0, "{fault}");
    }
}

fn own_cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec as u64, used.tv_nsec as u32)
}

#[test]
fn state_of_another_shape_or_without_offsets_is_refused_with_two_ways_out() {
    let check = |name: &str, says: &str| {
        let stop = to_the_end(spec(name, "faults-aggregate", &[], WindowOptions::default())).unwrap_err();
        assert_eq!(stop.exit, Exit::Start, "{stop}");
        let said = stop.to_string();
        for says in [says, &format!("smt-host reset --pipeline {name}"), "another --group"] {
            assert!(said.contains(says), "{said}");
        }
    };
    for name in ["shape", "orphan"] {
        world().topic(name, 1);
        produce(name, 0, &texts(&["a 1"]));
        to_the_end(spec(name, "faults-aggregate", &[], WindowOptions::default())).unwrap();
    }
    // As a plugin with other windows would have left it.
    recommit("shape", |metadata| metadata.replace("10000,10000", "60000,5000"));
    check("shape", "its window was 60000 ms every 5000 ms and is now 10000 ms");
    recommit("orphan", |_| String::new());
    check("orphan", "orphan-faults-aggregate-changelog partition 0 holds some");
}

/// Commits what the group has, with its metadata changed.
fn recommit(group: &str, change: impl Fn(&str) -> String) {
    let consumer: BaseConsumer = world().settings().consumer(group, From::Earliest).create().unwrap();
    let mut asked = TopicPartitionList::new();
    asked.add_partition(&format!("{group}-faults-aggregate-repartition"), 0);
    let committed = consumer.committed_offsets(asked, Duration::from_secs(30)).unwrap();
    let mut changed = TopicPartitionList::new();
    for element in committed.elements() {
        assert!(matches!(element.offset(), Offset::Offset(_)), "{element:?}");
        let mut new = changed.add_partition(element.topic(), element.partition());
        new.set_offset(element.offset()).unwrap();
        new.set_metadata(change(element.metadata()));
    }
    consumer.commit(&changed, CommitMode::Sync).unwrap();
}

#[test]
fn a_repartition_record_that_is_not_ours_is_refused_and_not_counted() {
    world().topic("garbage", 1);
    produce("garbage", 0, &texts(&["a 1"]));
    let run = || to_the_end(spec("garbage", "faults-aggregate", &[], WindowOptions::default()));
    run().unwrap();
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    let record = BaseRecord::to("garbage-faults-aggregate-repartition").key("a").payload("rubbish").partition(0);
    producer.send(record).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
    produce("garbage", 0, &texts(&["a 2"]));
    let stop = run().unwrap_err();
    assert_eq!(stop.exit, Exit::Start);
    assert!(stop.what.contains("a repartition record cannot be read: version 114 is not known"), "{stop}");
}
