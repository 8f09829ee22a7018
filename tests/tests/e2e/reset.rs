//! `smt-host reset`: offsets and state change together, and only where nobody is at work.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

use expect_test::{Expect, expect};
use rdkafka::consumer::{BaseConsumer, Consumer};
use smt_host::kafka::From;

use smt_host::window::{Late, RESET, wire};
use smt_tests::host::binary;
use smt_tests::{eventually, produce, world};

use crate::kept::{Kept, metadata, write};

/// Five records in each input partition, of which the group has read some; four groups in two windows, one removed.
fn begun(name: &str) -> Kept {
    let kept = Kept::new(name);
    for partition in 0..2 {
        produce(&kept.input, partition, &vec![Some(b"v".to_vec()); 5]);
    }
    write(&kept.repartition(), &[(0, b"k".to_vec(), Some(b"p".to_vec())), (0, b"k".to_vec(), Some(b"p".to_vec()))]);
    kept.groups(&[(0, 0, "a", 3), (0, 30_000, "a", 1), (1, 0, "b", 2), (1, 30_000, "b", 2)]);
    let removed = wire::group_key(30_000, b"b");
    write(&kept.changelog(), &[(1, removed, None), (0, wire::TIMES_KEY.to_vec(), Some(b"t".to_vec()))]);
    let beside = metadata(Some(60_000), 60_000, Late::default());
    kept.commit(&[(&kept.input, 0, 4, &beside), (&kept.repartition(), 0, 1, "windows")]);
    kept
}

fn reset(kept: &Kept, args: &[&str]) -> Output {
    let mut command = binary();
    command.args(["reset", "--brokers", &world().kafka.brokers(), "--group", &kept.group]).args(args);
    if !args.contains(&"--state-dir") {
        command.args(["--state-dir", "/nonexistent"]);
    }
    command.output().unwrap()
}

fn check(output: &Output, code: i32, said: Expect) {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    said.assert_eq(&text.replace(&world().kafka.brokers(), "<brokers>"));
    assert_eq!(output.status.code(), Some(code), "{text}");
}

fn offsets(kept: &Kept) -> BTreeMap<(String, i32), (i64, String)> {
    kept.offsets().into_iter().map(|(at, committed)| (at, (committed.offset, committed.metadata))).collect()
}

/// Beside the offsets nothing stands after a reset, but that it was one.
fn expected(kept: &Kept, inputs: [i64; 2]) -> BTreeMap<(String, i32), (i64, String)> {
    let all = [(kept.input.clone(), inputs, RESET), (kept.repartition(), [2, 0], RESET)];
    let each = all.into_iter().flat_map(|(topic, offsets, beside)| {
        (0..2).zip(offsets).map(move |(at, offset)| ((topic.clone(), at), (offset, beside.to_owned())))
    });
    each.collect()
}

#[test]
fn offsets_state_and_the_local_store_begin_anew_together() {
    let kept = begun("all");
    let state = tempfile::tempdir().unwrap();
    let store = state.path().join(&kept.group).join("store");
    std::fs::create_dir_all(store.join("deep")).unwrap();
    assert_eq!(kept.keys(), 4);
    let output = reset(&kept, &["--yes", "--state-dir", state.path().to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stdout).replace(store.to_str().unwrap(), "<store>");
    let output = Output { stdout: told.into_bytes(), ..output };
    check(
        &output,
        0,
        expect![[r#"
        Reset of group kept-all, which has no members:

        | what   | where                          | now               | then         |
        |--------|--------------------------------|-------------------|--------------|
        | offset | kept-all-input-0               | 4                 | 0 (earliest) |
        | offset | kept-all-input-1               | none              | 0 (earliest) |
        | offset | kept-all-count-repartition-0   | 1                 | 2 (its end)  |
        | offset | kept-all-count-repartition-1   | none              | 0 (its end)  |
        | state  | kept-all-count-changelog       | 3 keys in windows | none         |
        | store  | <store> | on this machine   | removed      |

        Records already written to output topics stay; what is read again is written again.

        Done: group kept-all begins anew.
    "#]],
    );
    assert_eq!(offsets(&kept), expected(&kept, [0, 0]));
    assert_eq!(kept.keys(), 0, "stream times go too");
    assert!(!store.exists() && state.path().exists());
    // Once more changes nothing.
    assert_eq!(reset(&kept, &["--yes"]).status.code(), Some(0));
    assert_eq!(offsets(&kept), expected(&kept, [0, 0]));
}

#[test]
fn reading_begins_anew_where_it_is_told_to() {
    let second = (world().begun_ms + 1).to_string();
    let between = jiff_text(world().begun_ms + 2);
    let behind = (world().begun_ms + 1000).to_string();
    for (name, to, offset) in [
        ("earliest", "earliest", 0),
        ("latest", "latest", 5),
        ("time", &second, 1),
        ("iso", &between, 2),
        ("behind", &behind, 5),
    ] {
        let kept = begun(name);
        let output = reset(&kept, &["--yes", "--to", to]);
        assert!(output.status.success(), "{to}: {output:?}");
        assert_eq!(offsets(&kept), expected(&kept, [offset; 2]), "{to}");
    }
}

/// With a zone, in UTC.
fn jiff_text(ms: i64) -> String {
    format!("{}", smt_host::reset::To::Time(ms)).trim_start_matches("from ").to_owned()
}

#[test]
fn a_group_with_members_is_left_alone_and_they_are_named() {
    let kept = begun("members");
    let before = (offsets(&kept), kept.keys());
    let member: BaseConsumer =
        world().settings().consumer(&kept.group, From::Earliest).set("client.id", "somebody").create().unwrap();
    member.subscribe(&[&kept.input]).unwrap();
    eventually("it is a member", Duration::from_secs(30), || {
        member.poll(Duration::from_millis(50));
        member.assignment().unwrap().count() == 2
    });
    let output = reset(&kept, &["--yes"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("group {} has 1 member: somebody-", kept.group)), "{said}");
    assert!(said.contains(" at 127.0.0.1\nhint: stop it first"), "{said}");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!((offsets(&kept), kept.keys()), before);
    drop(member);
    eventually("it has left", Duration::from_secs(30), || kept.standing().members().unwrap().is_empty());
    assert_eq!(reset(&kept, &["--yes"]).status.code(), Some(0));
}

#[test]
fn nothing_changes_without_a_yes_or_for_what_does_not_exist() {
    let kept = begun("no");
    let before = (offsets(&kept), kept.keys());
    let output = reset(&kept, &[]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("kept-no-count-changelog"));
    check(
        &Output { stdout: Vec::new(), ..output },
        2,
        expect![[r#"
        error: nothing was changed: there is no terminal to ask on
        hint: if the table above is what you want, add --yes
    "#]],
    );
    check(
        &reset(&kept, &["--yes", "--plugin", "counts"]),
        2,
        expect![[r#"
        error: plugin counts keeps nothing in group kept-no: there is no topic kept-no-counts-changelog; did you mean "count"?
        hint: plugins that do: count; another group is named with --group
    "#]],
    );
    check(
        &reset(&kept, &["--yes", "--input", "kept-no-inputs"]),
        3,
        expect![[r#"
        error: topic kept-no-inputs does not exist; did you mean "kept-no-input"?
        hint: check --input
    "#]],
    );
    assert_eq!((offsets(&kept), kept.keys()), before);
    let nobody = Kept { group: "kept-nobody".to_owned(), input: String::new() };
    check(
        &reset(&nobody, &["--yes"]),
        3,
        expect![[r#"
        error: group kept-nobody has committed nothing and keeps nothing
        hint: check --pipeline or --group; --input TOPIC sets offsets of a group that has none yet
    "#]],
    );
}

#[test]
fn a_group_that_has_read_nothing_is_sent_where_it_is_told_to() {
    let kept = Kept::new("fresh");
    produce(&kept.input, 1, &vec![Some(b"v".to_vec()); 5]);
    kept.groups(&[(0, 0, "a", 3)]);
    let output = reset(&kept, &["--yes", "--input", &kept.input, "--plugin", "count", "--to", "latest"]);
    assert!(output.status.success(), "{output:?}");
    let found: Vec<i64> = kept.offsets().into_values().map(|committed| committed.offset).collect();
    assert_eq!((found, kept.keys()), (vec![0, 0, 0, 5], 0));
}
