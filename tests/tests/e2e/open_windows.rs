//! `smt-host windows`, as seen from Kafka: the open windows, who holds them open, and what came too late.

use std::fs::File;
use std::process::Output;
use std::time::Duration;

use expect_test::expect;
use rustix::process::Signal;
use smt_host::window::{Late, SourcePartition, wire};
use smt_tests::host::{Running, binary};
use smt_tests::{eventually, world};

use crate::kept::{Kept, metadata, write};

/// Windows of 30 s with 5 s of grace, as owners write them beside their offsets.
const WINDOWS: &str = r#"["smt-state-1",{"id":"0","shape":{"window":[30000,30000],"key":"bytes","accumulator":1,"partitions":2},
    "times":{"grace_ms":5000,"retention_ms":35000,"idle_ms":30000}}]"#;
const START: i64 = 1_618_269_960_000;

fn windows(kept: &Kept, args: &[&str]) -> Output {
    let output = binary()
        .args(["windows", "--brokers", &world().kafka.brokers(), "--group", &kept.group])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// What a partition's owner knows of time.
fn times(kept: &Kept, watermark: i64) -> Option<Vec<u8>> {
    let heard: Vec<_> = (0..2).map(|at| (SourcePartition::new(kept.input.as_str(), at), watermark)).collect();
    let heard = wire::encode_marker(&heard);
    Some([&[1, 1][..], &watermark.to_be_bytes(), &heard[2..]].concat())
}

/// The window before START is closed.
fn begun(name: &str) -> Kept {
    let kept = Kept::new(name);
    kept.groups(&[
        (1, START - 30_000, "JOVEM", 9),
        (1, START, "JOVEM", 3),
        (0, START, "ADULTO", 4),
        (1, START + 30_000, "JOVEM", 1),
    ]);
    let heard = |partition| (partition, wire::TIMES_KEY.to_vec(), times(&kept, START + 5_000));
    write(&kept.changelog(), &[heard(0), heard(1)]);
    let late = Late { count: 2, lateness_ms_max: 1_500 };
    kept.commit(&[
        (&kept.input, 0, 4, &metadata(Some(START + 12_000), START + 13_000, late)),
        (&kept.input, 1, 7, &metadata(Some(START + 36_000), START + 37_000, Late::default())),
        (&kept.repartition(), 0, 1, WINDOWS),
        (&kept.repartition(), 1, 1, WINDOWS),
    ]);
    kept
}

/// Without what the present changes.
fn stable(text: &[u8]) -> String {
    // A table's rule is as wide as what changes.
    let lines = std::str::from_utf8(text).unwrap().lines().filter(|line| !line.starts_with("|-"));
    let words = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        while let Some(ago) = words.iter().position(|word| *word == "ago") {
            // A duration is words that begin with a number.
            let from = words[..ago].iter().rposition(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
            words.splice(from.map_or(0, |at| at + 1)..=ago, ["<a while ago>"]);
        }
        words.join(" ")
    };
    lines.map(|line| words(line) + "\n").collect()
}

#[test]
fn open_windows_are_shown_with_who_holds_them_open_and_what_was_late() {
    let kept = begun("windows");
    let shown = windows(&kept, &[]);
    expect![[r#"
        plugin count of group kept-windows: windows of 30s, grace 5s, idle after 30s; 2 open

        | window (UTC) | keys | records | open because |
        | 2021-04-12 23:26:00 – 23:26:30 | 2 | 7 | kept-windows-input-0 is at 2021-04-12 23:26:12, 23s short, since <a while ago> |
        | 2021-04-12 23:26:30 – 23:27:00 | 1 | 1 | kept-windows-input-0 is at 2021-04-12 23:26:12, 53s short, since <a while ago> |
        | | | | kept-windows-input-1 is at 2021-04-12 23:26:36, 29s short, since <a while ago> |

        | input | stream time (UTC) | since | late records | latest by |
        | kept-windows-input-0 | 2021-04-12 23:26:12 | <a while ago> | 2 | 1s 500ms |
        | kept-windows-input-1 | 2021-04-12 23:26:36 | <a while ago> | 0 | - |

    "#]].assert_eq(&stable(&shown.stdout));
    let json: serde_json::Value = serde_json::from_slice(&windows(&kept, &["--json"]).stdout).unwrap();
    assert_eq!(json["plugins"][0]["open"][0]["records"], 7);
    assert_eq!(json["plugins"][0]["open"][1]["held-back-by"][1]["missing-ms"], 29_000);
    assert_eq!(json["plugins"][0]["inputs"][0]["late-records"], 2);
}

#[test]
fn a_group_without_windows_is_told_so() {
    let kept = Kept::new("windowless");
    let output =
        binary().args(["windows", "--brokers", &world().kafka.brokers(), "--group", &kept.group]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    expect![[r#"
        error: no plugin of group kept-windowless keeps windows
        hint: check --pipeline or --group; windows are seen from a pipeline's first commit on
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn watching_goes_on_with_what_comes_until_it_is_asked_to_end() {
    let kept = begun("watched");
    let shown = world().dir.path().join("watched");
    let mut command = binary();
    command.args(["windows", "--watch", "--json", "--brokers", &world().kafka.brokers(), "--group", &kept.group]);
    let mut host = Running::start(command.stdout(File::create(&shown).unwrap()));
    let records = || {
        let text = std::fs::read_to_string(&shown).unwrap();
        let last = text.lines().next_back().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        last.and_then(|report| report["plugins"][0]["open"][0]["records"].as_u64())
    };
    eventually("it shows", Duration::from_secs(30), || records() == Some(7));
    kept.groups(&[(1, START, "JOVEM", 13)]);
    eventually("it goes on", Duration::from_secs(30), || records() == Some(17));
    host.signal(Signal::INT);
    assert_eq!(host.code_within(Duration::from_secs(10)), Some(0));
}
