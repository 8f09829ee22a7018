//! The exercises, as a student meets them: what is laid out builds, what is wrong is explained, what is right passes.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use smt_tests::host::binary;

const EXERCISES: [&str; 5] = ["1-bound", "2-field", "3-route", "4-count", "5-misbehave"];

/// A change to the solution, and what the student is told then.
struct Mistake {
    exercise: usize,
    replace: &'static str,
    by: &'static str,
    told: &'static [&'static str],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        exercise: 1,
        replace: ">= Date",
        by: "> Date",
        told: &["a record is missing", "Bruno Lima", "the day of the bound itself is kept"],
    },
    Mistake {
        exercise: 1,
        replace: "Date::ymd(1990, 1, 1)",
        by: "Date::ymd(1989, 12, 31)",
        told: &["a record comes out that should not", "1989-12-31", "one day or more too early"],
    },
    Mistake {
        exercise: 1,
        replace: "nascimento? >=",
        by: "nascimento.unwrap_or(Date::ymd(1999, 1, 1)) >=",
        told: &["an unknown birth date is not kept"],
    },
    Mistake {
        exercise: 1,
        replace: "pub nome",
        by: "#[avro(rename = \"Nome\")]\n    pub nome",
        told: &["the column Nome"],
    },
    Mistake {
        exercise: 2,
        replace: "pub dominio",
        by: "#[avro(rename = \"dominio\")]\n    pub dominio",
        told: &["DOMINIO is not in the output", "upper and lower case differ"],
    },
    Mistake {
        exercise: 2,
        replace: ".map(|(_, domain)| domain)",
        by: ".map(|(_, domain)| domain).or(Some(\"\"))",
        told: &["wrong value: DOMINIO", "without an email DOMINIO is NULL", "no domain"],
    },
    Mistake { exercise: 2, replace: "|(_, domain)| domain", by: "|(user, _)| user", told: &["what follows the @"] },
    Mistake {
        exercise: 3,
        replace: "#[output(topic = \"adultos\")]",
        by: "#[output(topic = \"adults\")]",
        told: &["no output goes to the topic adultos", "adults, which the task does not have"],
    },
    Mistake {
        exercise: 3,
        replace: "if young {",
        by: "if !young {",
        told: &["wrong topic", "born after the bound: to jovens"],
    },
    Mistake {
        exercise: 3,
        replace: "is_some_and(|day| day",
        by: "is_none_or(|day| day",
        told: &["like ELSE in CASE", "wrong topic"],
    },
    Mistake {
        exercise: 4,
        replace: "tumbling = \"30s\"",
        by: "tumbling = \"60s\"",
        told: &["windows of 30000 ms", "windows of 60000 ms"],
    },
    Mistake {
        exercise: 4,
        replace: "        customer.profissao\n",
        by: "        Some(customer.profissao.unwrap_or(\"\"))\n",
        told: &["a group \"\"", "a customer without one is in no group"],
    },
    Mistake {
        exercise: 4,
        replace: "grace = \"10s\"",
        by: "grace = \"11s\"",
        told: &["grace is not that of the task", "10000 ms", "11000 ms"],
    },
    Mistake {
        exercise: 4,
        replace: "grace = \"10s\", ",
        by: "",
        told: &["grace is not that of the task", "the host's default"],
    },
    Mistake {
        exercise: 4,
        replace: "emit = \"final\"",
        by: "emit = \"changes\"",
        told: &["counts are written before they are final", "the same window several times"],
    },
    Mistake {
        exercise: 4,
        replace: "self.number.get()",
        by: "self.number.get() + 1",
        told: &["\"CONTAGEM\":2", "\"CONTAGEM\":3"],
    },
    Mistake {
        exercise: 5,
        replace: "Result<Phone<'_>, Reject> {",
        by: "Option<Phone<'_>> {\n    all(customer).ok()\n}\n\nfn all(customer: Customer<'_>) -> Result<Phone<'_>, Reject> {",
        told: &["a record is lost without a word", "quotes the telephone"],
    },
    Mistake {
        exercise: 5,
        replace: "Reject::new(\"telefone is null\")",
        by: "Reject::new(\"bad\")",
        told: &["does not name what is wrong", "a dead letter: bad"],
    },
];

/// Laid out once, since what is built for one exercise need not be built for the next.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let dir = std::path::absolute(Path::new(env!("CARGO_TARGET_TMPDIR")).join("exercises")).unwrap();
        if dir.exists() {
            std::fs::remove_dir_all(&dir).unwrap();
        }
        for number in 1..=EXERCISES.len() {
            let output = workshop("start", number, &dir, &[]);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        dir
    })
}

fn workshop(what: &str, number: usize, dir: &Path, more: &[&str]) -> Output {
    workshop_command(what, number, dir, more).output().unwrap()
}

fn workshop_command(what: &str, number: usize, dir: &Path, more: &[&str]) -> Command {
    let mut command = binary();
    // What is asserted is English, whatever the terminal of whoever runs it speaks.
    command.env("LC_ALL", "C");
    command.args(["workshop", what, &number.to_string(), "--dir"]).arg(dir).args(more);
    // Stays from one run to the next, so that only changes are built.
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("exercises.target"));
    command
}

/// Exit code and everything that is printed, with this as the plugin.
fn check(number: usize, source: &str) -> (Option<i32>, String) {
    let file = folder().join(EXERCISES[number - 1]).join("src/lib.rs");
    std::fs::write(file, source).unwrap();
    let output = workshop("check", number, folder(), &[]);
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
    )
}

fn solution(number: usize) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/workshop/{}.rs", EXERCISES[number - 1]));
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn what_is_there_is_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    assert!(workshop("start", 1, dir.path(), &[]).status.success());
    let again = workshop("start", 1, dir.path(), &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not written over"));
    assert!(workshop("start", 2, dir.path(), &["--json"]).status.success());
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("mine"), "").unwrap();
    assert_eq!(workshop("start", 1, other.path(), &[]).status.code(), Some(2));
    let missing = workshop("check", 3, dir.path(), &[]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("smt-host workshop start 3"));
}

/// In one test, as all of them write to one folder.
#[test]
fn each_exercise_is_judged_by_what_was_made_of_it() {
    let skeletons = [
        &["the bound is 1990-01-01, no longer 2000-01-01"][..],
        &["the field DOMINIO is not in the output to contatos"],
        &["no output goes to the topic adultos", "a record is missing"],
        &["windows of 30000 ms", "windows of 10000 ms"],
        &["a record makes the plugin fail", "the plugin trapped", "CPU time", "__connect.errors.exception.message"],
    ];
    for (number, told) in (1..).zip(skeletons) {
        let skeleton = folder().join(EXERCISES[number - 1]).join("src/lib.rs");
        let (code, text) = check(number, &std::fs::read_to_string(skeleton).unwrap());
        expect_told(&format!("skeleton {number}"), code, &text, told);
    }
    for number in 1..=EXERCISES.len() {
        let (code, text) = check(number, &solution(number));
        assert_eq!(code, Some(0), "solution {number}: {text}");
        assert!(!text.contains("not yet"), "solution {number}: {text}");
    }
    let json = workshop("check", 5, folder(), &["--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&json["right"], &json["exercise"]), (&true.into(), &"5".into()), "{json}");
    in_portuguese();
    for mistake in MISTAKES {
        let solution = solution(mistake.exercise);
        assert!(solution.contains(mistake.replace), "{}", mistake.replace);
        let (code, text) = check(mistake.exercise, &solution.replacen(mistake.replace, mistake.by, 1));
        expect_told(mistake.by, code, &text, mistake.told);
    }
}

/// The language is what is asked for, else what the terminal speaks; a script's members are the same in both.
fn in_portuguese() {
    let source = solution(1).replacen(">= Date", "> Date", 1);
    std::fs::write(folder().join(EXERCISES[0]).join("src/lib.rs"), source).unwrap();
    let ask = |lang: &str, more: &[&str]| {
        let mut command = workshop_command("check", 1, folder(), more);
        let output = command.env("LC_ALL", lang).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let portuguese =
        ["ainda não falta um registro", "esperado", "quem nasceu no próprio dia do limite", "não está certo"];
    let english = ["not yet a record is missing", "expected", "the day of the bound itself", "is not right yet"];
    for (text, told) in [
        (ask("pt_BR.UTF-8", &[]), portuguese),
        (ask("C", &["--lang", "pt"]), portuguese),
        (ask("C", &[]), english),
        (ask("pt_BR.UTF-8", &["--lang", "en"]), english),
    ] {
        told.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in\n{text}"));
    }
    let json = ask("pt_BR.UTF-8", &["--json"]);
    assert!(json.contains(r#""expected":"jovens "#) && json.contains("falta um registro"), "{json}");
}

fn expect_told(what: &str, code: Option<i32>, text: &str, told: &[&str]) {
    assert_eq!(code, Some(1), "{what}: {text}");
    for part in told {
        assert!(text.contains(part), "{what}: {part:?} is not in\n{text}");
    }
}
