//! State that outlives its process, with and without the local copy; and state that does not fit.

use std::time::Duration;

use smt_host::exit::Exit;
use smt_host::pipeline::aggregate::{EmitMode, Idle};
use smt_host::pipeline::{Delivery, Member, Progress, Spec, WindowOptions};
use smt_tests::{read_committed, world};

use super::classes::{Class, SIZE_MS, class, model, present, table, write};
use super::pipeline::{Running, spec, store, to_the_end};

/// Some of each class in three windows of both partitions.
fn some(count: i64) -> Vec<Class> {
    let start = present();
    let class_of = |i: i64| if i % 4 == 0 { "JOVEM" } else { "ADULTO" };
    (0..count).map(|i| class((i % 2) as i32, start + i % 3 * SIZE_MS + i % 100, class_of(i))).collect()
}

#[test]
fn counts_go_on_after_a_restart_with_and_without_the_local_copy() {
    for (keep, workers) in [(true, 1), (false, 1), (true, 2), (false, 2)] {
        let name = format!("restart-{keep}-{workers}");
        world().topic(&name, 2);
        let classes = some(600);
        for part in classes.chunks(200) {
            write(&name, part);
            let spec = spec(&name, "idadecont", &[], WindowOptions::default());
            to_the_end(Spec { workers, ..spec }).unwrap();
            if !keep {
                std::fs::remove_dir_all(store(&name)).unwrap();
            }
        }
        assert_eq!(table(&format!("{name}-out")), model(&classes), "local copy kept: {keep}, {workers} workers");
    }
}

/// Final counts, and no waiting.
fn at_once() -> WindowOptions {
    WindowOptions {
        emit: Some(EmitMode::Final),
        grace: Some(Duration::ZERO),
        idle: Some(Idle::After(Duration::from_millis(500))),
        ..WindowOptions::default()
    }
}

#[test]
fn a_final_count_comes_once_and_only_for_windows_that_all_partitions_have_passed() {
    world().topic("final", 2);
    let start = present();
    let classes = [
        class(0, start, "JOVEM"),
        class(0, start + SIZE_MS, "JOVEM"),
        class(0, start + 2 * SIZE_MS, "JOVEM"),
        class(1, start + 1, "JOVEM"),
        class(1, start + 2, "ADULTO"),
        class(1, start + SIZE_MS, "JOVEM"),
        class(1, start + SIZE_MS - 1, "ADULTO"),
    ];
    write("final", &classes);
    let windows = WindowOptions { idle: Some(Idle::Off), ..at_once() };
    let progress = to_the_end(spec("final", "idadecont", &[], windows)).unwrap();
    // The last one is late: its partition has passed the first window's end.
    assert_eq!(table("final-out"), model(classes[..6].iter().filter(|class| class.timestamp < start + SIZE_MS)));
    assert_eq!(read_committed("final-out").len(), 2, "each row once");
    let counted = [&progress.late, &progress.windows_closed].map(Progress::get);
    assert_eq!((counted, progress.windows_open()), ([1, 1], 2));
}

#[test]
fn every_window_of_a_quiet_topic_is_final_in_the_end() {
    world().topic("past", 2);
    let start = present() - 10 * SIZE_MS;
    let classes = [class(0, start, "JOVEM"), class(0, start + 5, "ADULTO"), class(0, start + SIZE_MS, "JOVEM")];
    write("past", &classes);
    let mut running = Running::start(spec("past", "idadecont", &[], at_once()));
    // Partition 1 never had a record: its time is the wall clock's. That of partition 0 goes on from its last record.
    running.until("the first window is final", |progress| Progress::get(&progress.records_out) >= 2);
    running.stop().unwrap();
    assert_eq!(table("past-out"), model(&classes[..2]));
}

#[test]
fn what_does_not_fit_is_refused_before_it_adds_to_state() {
    world().topic("refused", 1);
    write("refused", &some(1)[..1]);
    let fresh = || spec("refused", "idadecont", &[], WindowOptions::default());
    to_the_end(fresh()).unwrap();

    let check = |spec: Spec, exit: Exit, says: &[&str]| {
        let stop = to_the_end(spec).unwrap_err();
        assert_eq!(stop.exit, exit, "{stop}");
        let said = stop.to_string();
        assert!(says.iter().all(|says| said.contains(says)), "{said}");
    };
    check(
        Spec { delivery: Delivery::AtLeastOnce, ..fresh() },
        Exit::Start,
        &["idadecont", "count twice", "--delivery"],
    );
    let twice: Vec<Member> = fresh().members.into_iter().cycle().take(2).collect();
    check(Spec { members: twice, ..fresh() }, Exit::Usage, &["idadecont twice"]);
    let short = WindowOptions { retention: Some(Duration::from_secs(1)), ..WindowOptions::default() };
    check(spec("refused", "idadecont", &[], short), Exit::Usage, &["a retention of 1000 ms is shorter"]);
    let missing = Spec { create_topics: false, group: "refused-other".to_owned(), ..fresh() };
    check(missing, Exit::Start, &["refused-other-idadecont-repartition", "1 partitions", "retention.ms=-1"]);
}

#[test]
fn a_key_too_many_ends_the_pipeline_with_its_name() {
    world().topic("keys", 1);
    let start = present();
    write("keys", &[class(0, start, "JOVEM"), class(0, start, "ADULTO")]);
    let limited = |keys_max| WindowOptions { keys_max: Some(keys_max), ..WindowOptions::default() };
    let stop = to_the_end(spec("keys", "idadecont", &[], limited(1))).unwrap_err();
    assert_eq!(stop.exit, Exit::Plugin);
    assert!(stop.what.contains("idadecont") && stop.what.contains("above the limit of 1"), "{stop}");
    assert_eq!(table("keys-out").len(), 0);
    // Nothing is lost.
    to_the_end(spec("keys", "idadecont", &[], limited(2))).unwrap();
    assert_eq!(table("keys-out").len(), 2);
}
