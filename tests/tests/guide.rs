//! The guide, followed as a person does: each command block of both files is run in order, on a platform of its own, and
//! what it prints is compared with what the guide shows. `UPDATE_EXPECT=1` writes down what is printed now.
//!
//! Blocks of the original world (`original`: Docker, Python, ksqlDB) and those that build smt-host (`setup`) are not run;
//! the test counts them.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const STARTED: &str = "smt-host platform up";
/// What a person's machine has there.
const HOME: &str = "~/.local/state/smt-host/platform";
/// A server's name in `endpoints.json`, and the workshop's address of it.
const ADDRESSES: [(&str, &str); 4] =
    [("kafka", "9092"), ("registry", "8081"), ("postgres", "5432"), ("connect", "8083")];

#[test]
fn the_guide_shows_what_its_commands_print() {
    follow("README.md");
}

#[test]
fn the_guide_in_portuguese_shows_what_its_commands_print() {
    follow("LEIAME.md");
}

/// A fenced block: its info string, and its lines.
struct Block {
    info: String,
    lines: std::ops::Range<usize>,
}

/// A platform that ends with the test.
struct Platform(tempfile::TempDir);

impl Drop for Platform {
    fn drop(&mut self) {
        shell(self, "smt-host platform down");
    }
}

fn follow(name: &str) {
    let file = root().join("workshop").join(name);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let platform = Platform(tempfile::tempdir().unwrap());
    let blocks = blocks(&lines);
    let (run, left): (Vec<_>, Vec<_>) =
        (0..blocks.len()).filter(|i| blocks[*i].info != "text").partition(|i| blocks[*i].info == "sh");
    assert!(run.len() >= 15, "{name}: only {} blocks are run", run.len());
    println!("{name}: {} blocks are run, {} are of the original world or build smt-host", run.len(), left.len());
    for i in left.iter().filter(|i| !blocks[**i].info.ends_with(" original")) {
        assert_eq!(blocks[*i].info, "sh setup", "{name}, line {}", blocks[*i].lines.start);
    }
    // Backwards, an update would not move the lines of what follows; forwards is the order, so it is done at the end.
    let mut updates = Vec::new();
    for i in run {
        let command = lines[blocks[i].lines.clone()].join("\n");
        let shown = blocks.get(i + 1).filter(|next| next.info == "text");
        let wanted = shown.map(|shown| lines[shown.lines.clone()].join("\n"));
        let printed = step(&platform, name, &command, wanted.as_deref());
        updates.extend(shown.map(|shown| (shown.lines.clone(), printed)));
    }
    if updating() {
        for (at, printed) in updates.into_iter().rev() {
            lines.splice(at, printed.lines().map(str::to_owned));
        }
        std::fs::write(file, lines.join("\n") + "\n").unwrap();
    }
}

fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Runs a block; what only looks is run again until it shows what the guide shows.
fn step(platform: &Platform, name: &str, command: &str, wanted: Option<&str>) -> String {
    let looks = ["-X POST", "generate", "create", "platform"].iter().all(|changes| !command.contains(changes));
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let (good, printed) = shell(platform, command);
        assert!(good || (looks && Instant::now() < deadline), "{name}: {command}\n{printed}");
        let same = wanted.is_none_or(|wanted| masked(wanted) == masked(&printed));
        // An update waits a while for what is on its way.
        if same || (updating() && (!looks || Instant::now() + Duration::from_secs(34) > deadline)) {
            return printed;
        }
        if !looks || Instant::now() > deadline {
            let wanted = wanted.unwrap_or_default();
            panic!(
                "{name}: {command}\n--- the guide shows\n{wanted}\n--- it printed\n{printed}\n--- masked\n{:#?}\n{:#?}",
                masked(wanted),
                masked(&printed)
            );
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Whether it ended well, and what it printed, both with the workshop's addresses.
fn shell(platform: &Platform, command: &str) -> (bool, String) {
    let dir = platform.0.path();
    let endpoints = std::fs::read_to_string(dir.join("endpoints.json")).unwrap_or_default();
    let endpoints: Value = serde_json::from_str(&endpoints).unwrap_or_default();
    let mut command = command.replace(STARTED, &format!("{STARTED} --ports free"));
    if let Some(connect) = endpoints["connect"].as_str() {
        command = command.replace("localhost:8083", connect);
    }
    let bin = root().join("target/debug");
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())))
        .unwrap();
    let mut shell = Command::new("timeout");
    shell
        .args(["100", "sh", "-ec", &format!("exec 2>&1\n{command}")])
        .current_dir(root())
        .env("PATH", path)
        .env("SMT_PLATFORM_DIR", dir);
    shell.env("SMT_PLUGINS", root().join("target/plugins")).stdin(Stdio::null());
    // What a person's shell needs with free ports, from `platform env`; with the workshop's it needs nothing.
    for (name, key) in [
        ("SMT_BROKERS", "kafka"),
        ("SMT_REGISTRY", "registry"),
        ("SMT_CONNECTION_STRING", "postgres"),
        ("SMT_CONNECT", "connect"),
    ] {
        if let Some(address) = endpoints[key].as_str() {
            shell.env(name, address);
        }
    }
    let output = shell.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), workshop_addresses(printed, dir))
}

/// The ports that a person sees.
fn workshop_addresses(printed: String, dir: &Path) -> String {
    let endpoints = std::fs::read_to_string(dir.join("endpoints.json")).unwrap_or_default();
    let endpoints: Value = serde_json::from_str(&endpoints).unwrap_or_default();
    let s3 = endpoints["s3"]["endpoint"].as_str();
    let known = ADDRESSES.iter().filter_map(|(key, port)| Some((endpoints[*key].as_str()?, *port)));
    let ports = known.chain(s3.map(|s3| (s3, "9000"))).filter_map(|(address, port)| Some((port_of(address)?, port)));
    let printed = ports
        .fold(printed, |text, (free, port)| text.replace(&format!("127.0.0.1:{free}"), &format!("127.0.0.1:{port}")));
    printed.replace(&dir.display().to_string(), HOME)
}

fn port_of(address: &str) -> Option<String> {
    let after = address.rsplit_once("127.0.0.1:")?.1;
    Some(after.chars().take_while(char::is_ascii_digit).collect())
}

/// Lines in any order, since partitions are read side by side; numbers, widths and the values of records masked.
fn masked(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(masked_line).filter(|line| !line.is_empty()).collect();
    lines.sort();
    lines
}

fn masked_line(line: &str) -> String {
    let mut masked = String::new();
    let mut value = false;
    for c in line.trim().chars() {
        // `": "` begins a value of a record as `print` shows it; JSON of the REST API has no blank there.
        if value {
            value = c != '"';
            if !value {
                masked.push_str("…\"");
            }
            continue;
        }
        let c = if c.is_ascii_digit() {
            '#'
        } else if c.is_whitespace() {
            ' '
        } else {
            c
        };
        if !(matches!(c, '#' | ' ' | '-') && masked.ends_with(c)) {
            masked.push(c);
        }
        value = masked.ends_with("\": \"");
    }
    masked.replace("#.#", "#")
}

fn blocks(lines: &[String]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(String, usize)> = None;
    for (i, line) in lines.iter().enumerate() {
        let Some(info) = line.strip_prefix("```") else { continue };
        match open.take() {
            None => open = Some((info.to_owned(), i + 1)),
            Some((info, start)) => blocks.push(Block { info, lines: start..i }),
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

fn root() -> PathBuf {
    std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

#[test]
fn both_guides_have_the_same_commands() {
    let commands = |name: &str| {
        let text = std::fs::read_to_string(root().join("workshop").join(name)).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let blocks = blocks(&lines);
        blocks.iter().filter(|b| b.info != "text").map(|b| lines[b.lines.clone()].join("\n")).collect::<Vec<_>>()
    };
    assert_eq!(commands("README.md"), commands("LEIAME.md"));
}
