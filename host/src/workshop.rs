//! The exercises of the workshop: lay one out, build what was made of it, judge it on prepared records.
//!
//! It needs no broker. It never changes a student's file, and never says only that something is wrong.

mod count;
mod data;
mod exercise;
mod findings;
mod lay_out;
mod make;
mod transform;

use std::path::PathBuf;

use serde_json::json;

use crate::exit::{Exit, Stop};
use crate::guest::{Engine, Limits, Plugin, World};
use exercise::Exercise;
use findings::Findings;

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
    Check(Which),
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
        Command::Check(which) => check(&which),
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

fn check(which: &Which) -> Result<(), Stop> {
    let exercise = Exercise::find(which.number)?;
    let built = make::build(exercise, &which.dir)?;
    let findings = judge(exercise, &built)?;
    if which.json {
        println!("{}", findings.json(exercise.number()));
    } else {
        print!("{findings}");
    }
    if findings.right() {
        return Ok(());
    }
    let what = format!("exercise {} is not right yet", exercise.number());
    Err(Stop::new(Exit::CheckFailed, what).hint("change src/lib.rs as the lines above say, and check again"))
}

/// A plugin that cannot even be loaded is a finding, too.
fn judge(exercise: &Exercise, built: &std::path::Path) -> Result<Findings, Stop> {
    let data = exercise.data()?;
    let mut findings = Findings::default();
    let engine = Engine::new(None)?;
    let configured = Plugin::load(&engine, built, Limits::default()).and_then(|plugin| plugin.configure(&[]));
    let configured = match configured {
        Ok(configured) => configured,
        Err(error) => {
            findings.wrong(format!("the host does not load the plugin: {}", error.what)).because(error.hint);
            return Ok(findings);
        }
    };
    match (configured.world(), data.windows.is_empty()) {
        (World::Transform, true) => transform::judge(&configured, &data, &mut findings)?,
        (World::Aggregate(grouping), false) => count::judge(&configured, grouping, &data, &mut findings)?,
        (_, transforms) => {
            let wanted = if transforms { "#[transform]" } else { "#[aggregate]" };
            findings
                .wrong(format!("the plugin is of the world {}", configured.plugin().world()))
                .because(format!("this exercise is solved with {wanted}"));
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
        }
    }

    #[test]
    fn an_exercise_that_is_not_there_is_refused_with_those_that_are() {
        for number in [0, 6] {
            assert!(Exercise::find(number).unwrap_err().to_string().contains("1 to 5"));
        }
    }
}
