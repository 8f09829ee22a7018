//! A pipeline that was reset counts everything again, and once.

use std::time::Duration;

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use smt_host::exit::Exit;
use smt_host::kafka::standing::Standing;
use smt_host::pipeline::{Spec, WindowOptions};
use smt_host::reset::{self, Request, To};
use smt_host::shutdown::Shutdown;
use smt_tests::host::run;
use smt_tests::{eventually, plugin, world};

use super::classes::{Class, SIZE_MS, class, model, present, table, write};
use super::pipeline::{spec, to_the_end};

/// One record in each of three windows of each class.
fn some() -> Vec<Class> {
    let at = |i: i64| class((i % 2) as i32, present() + i * SIZE_MS, if i < 2 { "JOVEM" } else { "ADULTO" });
    (0..4).chain(0..4).map(at).collect()
}

/// Counts into a topic that holds nothing of earlier rounds.
fn round(name: &str, number: u32) -> Spec {
    let mut spec = spec(name, "idadecont", &[], WindowOptions::default());
    spec.members[0].topics[0].1 = out(name, number);
    spec
}

fn out(name: &str, number: u32) -> String {
    format!("{name}-out-{number}")
}

fn reset(name: &str, to: To) {
    let standing = Standing::of(&world().settings(), name).unwrap();
    eventually("its last member has left", Duration::from_secs(30), || standing.members().unwrap().is_empty());
    let request = Request { to, ..Request::of(&round(name, 0)) };
    reset::reset(&world().settings(), &request, &Shutdown::new()).unwrap();
}

#[test]
fn a_pipeline_that_was_reset_counts_again_from_where_it_is_told_to() {
    world().topic("reset", 2);
    let classes = some();
    write("reset", &classes);
    to_the_end(round("reset", 1)).unwrap();
    assert_eq!(table(&out("reset", 1)), model(&classes));

    reset("reset", To::Earliest);
    to_the_end(round("reset", 2)).unwrap();
    assert_eq!(table(&out("reset", 2)), model(&classes), "nothing of the first round is in it");

    // From the end on, what came before is not known any more.
    reset("reset", To::Latest);
    let more = some();
    write("reset", &more);
    to_the_end(round("reset", 3)).unwrap();
    assert_eq!(table(&out("reset", 3)), model(&more));

    // And what was begun since goes on.
    write("reset", &classes);
    to_the_end(round("reset", 3)).unwrap();
    assert_eq!(table(&out("reset", 3)), model(more.iter().chain(&classes)));
}

/// As an earlier version of the plugin would have left it, with windows twice as long.
fn stamp_with_other_windows(name: &str) {
    let standing = Standing::of(&world().settings(), name).unwrap();
    let repartition = format!("{name}-idadecont-repartition");
    let topics = standing.topics().unwrap().into_iter().filter(|(topic, _)| *topic == repartition).collect();
    let mut list = TopicPartitionList::new();
    for ((topic, partition), committed) in standing.committed(&topics).unwrap() {
        let changed = committed.metadata.replace("[30000,30000]", "[60000,60000]");
        assert_ne!(changed, committed.metadata);
        let mut element = list.add_partition(&topic, partition);
        element.set_offset(Offset::Offset(committed.offset)).unwrap();
        element.set_metadata(changed);
    }
    assert!(list.count() > 0);
    standing.consumer().commit(&list, CommitMode::Sync).unwrap();
}

#[test]
fn state_of_other_windows_is_refused_and_after_a_reset_it_is_begun_anew() {
    world().topic("changed", 2);
    let classes = some();
    write("changed", &classes);
    to_the_end(round("changed", 1)).unwrap();
    stamp_with_other_windows("changed");
    let stop = to_the_end(round("changed", 2)).unwrap_err();
    assert_eq!(stop.exit, Exit::Start, "{stop}");
    let said = stop.to_string();
    for says in ["its window was 60000 ms and is now 30000 ms", "smt-host reset --pipeline changed", "another --group"]
    {
        assert!(said.contains(says), "{says:?} is not in {said}");
    }
    reset("changed", To::Earliest);
    to_the_end(round("changed", 2)).unwrap();
    assert_eq!(table(&out("changed", 2)), model(&classes));
}

#[test]
fn a_start_may_forget_what_was_kept() {
    world().topic("forget", 2);
    let classes = some();
    write("forget", &classes);
    let file = plugin("idadecont");
    let start = |output: &str, more: &[&str]| {
        let standing = Standing::of(&world().settings(), "forget").unwrap();
        eventually("nobody is there", Duration::from_secs(30), || standing.members().unwrap().is_empty());
        let args = ["--plugin", file.to_str().unwrap(), "--input", "forget", "--group", "forget", "--until-end"];
        run(world(), &[&args[..], &["--output", output], more].concat());
        table(output)
    };
    // A group that is new has nothing to forget.
    assert_eq!(start("forget-1", &["--reset-state"]), model(&classes));
    assert_eq!(start("forget-2", &["--reset-state"]), model(&classes));
    assert_eq!(start("forget-3", &[]), model([]), "everything was read already");
}
