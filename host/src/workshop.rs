//! The exercises of the workshop: lay one out, build what was made of it, judge it on prepared records.
//!
//! It needs no broker. It never changes a student's file, and never says only that something is wrong.

mod count;
mod data;
mod exercise;
mod findings;
mod lang;
mod lay_out;
mod make;
mod transform;

use std::path::PathBuf;

use serde_json::json;

use crate::exit::{Exit, Stop};
use crate::guest::{Engine, Limits, Plugin, World};
use exercise::Exercise;
use findings::Findings;
use lang::Lang;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The exercises there are.
    List {
        /// For scripts.
        #[arg(long)]
        json: bool,
    },
    /// Lay an exercise out: the task in English and Portuguese, and a plugin to begin with.
    Start(Which),
    /// Build an exercise, run it on prepared records, and say what is right, what is not, and why.
    Check {
        #[command(flatten)]
        which: Which,
        /// The language of the explanations [default: the terminal's, by LC_ALL and LANG]
        #[arg(long)]
        lang: Option<Lang>,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The exercise's number.
    number: usize,
    /// Where the exercises are: a folder of their own.
    #[arg(long, default_value = "exercises")]
    dir: PathBuf,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Stop> {
    match args.command {
        Command::List { json } => {
            list(json);
            Ok(())
        }
        Command::Start(which) => {
            let exercise = Exercise::find(which.number)?;
            let folder = lay_out::start(exercise, &which.dir)?;
            if which.json {
                println!("{}", json!({ "exercise": exercise.number(), "folder": folder.display().to_string() }));
            } else {
                let (number, dir) = (exercise.number(), which.dir.display());
                println!("{}: the task is in README.md, the plugin in src/lib.rs", folder.display());
                println!("then: smt-host workshop check {number} --dir {dir}");
            }
            Ok(())
        }
        Command::Check { which, lang } => check(&which, lang.unwrap_or_else(Lang::of_environment)),
    }
}

fn list(json: bool) {
    if json {
        let all = exercise::ALL.iter().map(|e| json!({ "exercise": e.number(), "name": e.name, "title": e.title }));
        println!("{}", serde_json::Value::Array(all.collect()));
        return;
    }
    for exercise in &exercise::ALL {
        println!("{}  {}", exercise.number(), exercise.title);
    }
}

fn check(which: &Which, lang: Lang) -> Result<(), Stop> {
    let exercise = Exercise::find(which.number)?;
    let built = make::build(exercise, &which.dir, lang)?;
    let findings = judge(exercise, &built, lang)?;
    if which.json {
        println!("{}", findings.json(exercise.number()));
    } else {
        print!("{findings}");
    }
    if findings.right() {
        return Ok(());
    }
    let number = exercise.number();
    let what =
        lang.say(format!("exercise {number} is not right yet"), format!("o exercício {number} ainda não está certo"));
    let hint = "altere src/lib.rs como dizem as linhas acima e confira de novo";
    let hint = lang.say("change src/lib.rs as the lines above say, and check again", hint);
    Err(Stop::new(Exit::CheckFailed, what).hint(hint))
}

/// A plugin that cannot even be loaded is a finding, too.
fn judge(exercise: &Exercise, built: &std::path::Path, lang: Lang) -> Result<Findings, Stop> {
    let data = exercise.data()?;
    let mut findings = Findings::new(lang);
    let engine = Engine::new(None)?;
    let configured = Plugin::load(&engine, built, Limits::default()).and_then(|plugin| plugin.configure(&[]));
    let configured = match configured {
        Ok(configured) => configured,
        Err(error) => {
            let pt = format!("o host não carrega o plugin: {}", error.what);
            let finding = findings.wrong(format!("the host does not load the plugin: {}", error.what), pt);
            finding.because(error.hint.clone(), error.hint);
            return Ok(findings);
        }
    };
    match (configured.world(), data.windows.is_empty()) {
        (World::Transform, true) => transform::judge(&configured, &data, &mut findings)?,
        (World::Aggregate(grouping), false) => count::judge(&configured, grouping, &data, &mut findings)?,
        (_, transforms) => {
            let wanted = if transforms { "#[transform]" } else { "#[aggregate]" };
            findings
                .wrong(
                    format!("the plugin is of the world {}", configured.plugin().world()),
                    format!("o plugin é do mundo {}", configured.plugin().world()),
                )
                .because(
                    format!("this exercise is solved with {wanted}"),
                    format!("este exercício se resolve com {wanted}"),
                );
        }
    }
    Ok(findings)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_prepared_records_of_every_exercise_can_be_read() {
        for exercise in &exercise::ALL {
            let data = exercise.data().unwrap();
            assert!(data.rows.len() >= 5, "{}", exercise.name);
            assert!(!data.fields.is_empty(), "{}", exercise.name);
            let whys = data.rows.iter().map(|row| &row.why).chain(data.windows.iter().map(|window| &window.why));
            let (en, pt): (usize, usize) = whys
                .map(|why| (usize::from(!why.en.is_empty()), usize::from(!why.pt.is_empty() && why.pt != why.en)))
                .fold((0, 0), |(en, pt), (one, other)| (en + one, pt + other));
            assert!(en == pt && en > 0, "{}: each why in both languages", exercise.name);
        }
    }

    #[test]
    fn an_exercise_that_is_not_there_is_refused_with_those_that_are() {
        for number in [0, 6] {
            assert!(Exercise::find(number).unwrap_err().to_string().contains("1 to 5"));
        }
    }
}
