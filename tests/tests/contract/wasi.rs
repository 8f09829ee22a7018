//! WASI is there and grants nothing: guests of both previews, built by the compiler's own targets.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use smt_host::guest::Verdict;
use smt_tests::plugin;

use crate::{batch, load, texts};

/// Runs the test for both previews, unless the build of the plugins could not fetch their targets.
fn each_preview(name: &str, check: impl Fn(&Path)) {
    let left_out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins/.no-wasi");
    if left_out.exists() {
        eprintln!("{}", std::fs::read_to_string(left_out).unwrap());
        return;
    }
    for preview in ["wasip1", "wasip2"] {
        check(&plugin(&format!("{name}-{preview}")));
    }
}

fn run<T: AsRef<[u8]>>(file: &Path, records: &[T]) -> Verdict {
    load(file).unwrap().configure(&[]).unwrap().start().unwrap().run(&batch(records)).unwrap()
}

fn answers(file: &Path, records: &[&str]) -> Vec<String> {
    let verdict = run(file, records);
    assert!(verdict.guilty.is_empty(), "{verdict:?}");
    verdict.pieces.iter().flat_map(|piece| texts(&piece.outcome.emitted.values)).collect()
}

#[test]
fn there_are_no_files_sockets_names_environment_or_input() {
    let denied =
        ["read a file", "write a file", "list a folder", "connect", "listen", "send a datagram", "resolve a name"];
    let empty = ["environment", "arguments", "stdin"];
    each_preview("probe", |file| {
        assert_eq!(answers(file, &denied), ["denied"; 7], "{}", file.display());
        assert_eq!(answers(file, &empty), ["0"; 3], "{}", file.display());
    });
}

#[test]
fn clocks_and_chance_are_real_but_nobody_sleeps() {
    each_preview("probe", |file| {
        let start = Instant::now();
        let answers = answers(file, &["time", "sleep", "random"]);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert!(now - answers[0].parse::<u64>().unwrap() < 60);
        assert!(answers[1].parse::<u64>().unwrap() < 5_000 && start.elapsed() < Duration::from_secs(5));
        assert_ne!(answers[2], self::answers(file, &["random"])[0]);
    });
}

#[test]
fn what_is_written_to_stderr_explains_a_trap_and_leaving_costs_one_record() {
    each_preview("probe", |file| {
        let verdict = run(file, &["stdin", "fail", "time", "leave"]);
        let reasons: Vec<_> = verdict.guilty.iter().map(|g| (g.input, g.failure.to_string())).collect();
        let [(1, failed), (3, left)] = reasons.as_slice() else { panic!("{reasons:?}") };
        assert!(failed.contains("a reason on stderr"), "{failed}");
        assert!(left.contains("exit"), "{left}");
    });
}

#[test]
fn stdout_and_stderr_become_log_lines() {
    each_preview("probe", |file| {
        let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host");
        let output = Command::new(binary).arg("inspect").arg(file).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        for line in ["printed while describing", "a line in pieces on stderr"] {
            assert!(log.lines().any(|l| l.contains(line) && l.contains("probe")), "{log}");
        }
        assert!(!String::from_utf8_lossy(&output.stdout).contains("printed"), "a plugin's words are not the command's");
    });
}

#[test]
fn the_workshops_transform_does_the_same_on_every_target() {
    let schema = |file: &Path| load(file).unwrap().configure(&[]).unwrap().wiring().clone();
    // Name, sex, telephone, mail, job, birth in days (2000-01-01, and the day before it), update.
    let customer = |born: [u8; 3]| [b"\x02\x06Ana\0\0\0\0\x02".as_slice(), &born, b"\0"].concat();
    let records = [customer([0x9a, 0xab, 0x01]), customer([0x98, 0xab, 0x01]), b"broken".to_vec()];
    let plain = plugin("jovens");
    let verdict = run(&plain, &records);
    let outcome = &verdict.pieces[0].outcome;
    assert_eq!((outcome.emitted.inputs.as_slice(), outcome.rejections[0].input), ([0].as_slice(), 2));
    each_preview("jovens", |file| {
        assert_eq!(schema(file), schema(&plain));
        assert_eq!(&run(file, &records).pieces[0].outcome, outcome);
    });
}
