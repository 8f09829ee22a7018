//! Builds an exercise with the student's own cargo. What the compiler says is shown as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::exercise::Exercise;
use super::lang::Lang;
use crate::exit::{Exit, Stop};

const TARGET: &str = "wasm32-unknown-unknown";

/// The plugin's file.
pub(super) fn build(exercise: &Exercise, dir: &Path, lang: Lang) -> Result<PathBuf, Stop> {
    let folder = dir.join(exercise.name);
    if !folder.join("Cargo.toml").exists() {
        let hint = format!("smt-host workshop start {} --dir {}", exercise.number(), dir.display());
        return Err(Stop::usage(format!("there is no exercise in {}", folder.display())).hint(hint));
    }
    needs_target()?;
    eprintln!("{} {} …", lang.say("building", "compilando"), folder.display());
    let cargo = Command::new("cargo")
        .args(["build", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .current_dir(&folder)
        .stderr(Stdio::inherit())
        .output()
        .map_err(no_cargo)?;
    if !cargo.status.success() {
        let number = exercise.number();
        let what = lang
            .say(format!("exercise {number} does not compile yet"), format!("o exercício {number} ainda não compila"));
        let hint = "as mensagens do compilador, acima, dizem o quê e onde";
        let hint = lang.say("the compiler's messages above say what and where", hint);
        return Err(Stop::new(Exit::CheckFailed, what).hint(hint));
    }
    built(&cargo.stdout, &exercise.package()).ok_or_else(|| {
        let what = format!("building {} made no .wasm file", folder.display());
        Stop::new(Exit::CheckFailed, what).hint("Cargo.toml needs crate-type = [\"cdylib\"] under [lib]")
    })
}

/// Otherwise the compiler says that it cannot find `core`.
fn needs_target() -> Result<(), Stop> {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let there = asked.map_err(no_cargo)?.stdout;
    let there = PathBuf::from(String::from_utf8_lossy(&there).trim());
    if there.is_dir() {
        return Ok(());
    }
    Err(Stop::start(format!("the compiler has no target {TARGET}")).hint(format!("rustup target add {TARGET}")))
}

fn no_cargo(error: std::io::Error) -> Stop {
    Stop::start(format!("cargo cannot be run: {error}")).hint("install Rust from https://rustup.rs")
}

/// Cargo tells of each artifact in a line of JSON.
fn built(stdout: &[u8], package: &str) -> Option<PathBuf> {
    let lines = stdout.split(|byte| *byte == b'\n');
    let mut messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let artifact = messages.find(|message| {
        message["reason"] == "compiler-artifact" && message["target"]["name"] == package.replace('-', "_").as_str()
    })?;
    let files = artifact["filenames"].as_array()?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}
