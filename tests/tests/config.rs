//! The configuration file and the options, by the command that a user types: what is refused, how it is told, and that
//! several plugins in one pipeline do their work.
#![allow(clippy::unwrap_used)]

#[path = "config/messages.rs"]
mod messages;

use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect;
use smt_tests::{plugin, produce, read_committed, world};

/// A directory with a configuration in which `@name` is the file of that plugin.
fn config(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let text = ["jovens", "idadeclass", "faults"]
        .iter()
        .fold(text.to_owned(), |text, name| text.replace(&format!("@{name}"), plugin(name).to_str().unwrap()));
    std::fs::write(dir.path().join("smt-host.toml"), text).unwrap();
    dir
}

/// Runs in `dir`, without anything of this process's environment that smt-host looks at.
fn host(dir: &Path, args: &[&str]) -> Command {
    let binary = std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/smt-host")).unwrap();
    assert!(binary.is_file(), "{} is missing: run `cargo build -p smt-host`", binary.display());
    let mut command = Command::new(binary);
    command.current_dir(dir).args(args).env_clear().env("HOME", dir);
    command
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", told(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_printed_configuration_runs_again_and_holds_no_secret() {
    let dir = config(
        "[kafka.properties]\nsasl.password = \"hunter2\"\n[registry]\nurl = \"http://me:hunter2@localhost:1\"\n\
         [[pipeline]]\n[[pipeline.plugin]]\nfile = \"@jovens\"\n",
    );
    let print = |file: &str| printed(&host(dir.path(), &["run", "--config", file, "--print-config"]).output().unwrap());
    let first = print("smt-host.toml");
    let shown =
        first.replace(plugin("jovens").to_str().unwrap(), "JOVENS").replace(dir.path().to_str().unwrap(), "DIR");
    expect![[r#"
        state-dir = "DIR/.local/state/smt-host"
        log-format = "human"
        fail-fast = false

        [kafka]
        brokers = "localhost:9092"

        [kafka.properties]
        "sasl.password" = "********"

        [registry]
        url = ["http://me:********@localhost:1"]

        [[pipeline]]
        name = "jovens"
        group = "smt-jovens"
        input = ["postgres-customers"]
        workers = 1
        from = "earliest"
        delivery = "exactly-once"
        commit-interval = "100ms"
        on-error = "dead-letter"
        failures-max = 100
        dead-letter-topic = "smt-dead-letters-jovens"
        create-topics = true
        until-end = false

        [[pipeline.plugin]]
        file = "JOVENS"

        [pipeline.plugin.outputs]
        jovens = "jovens"

        [pipeline.plugin.limits]
        memory = "128MiB"
        cpu-per-record = "1ms"
        output-records = 1000
        output-bytes = "64MiB"
        accumulator-bytes = "1MiB"
    "#]]
    .assert_eq(&shown);
    std::fs::write(dir.path().join("printed.toml"), &first).unwrap();
    assert_eq!(print("printed.toml"), first);
    assert!(!dir.path().join(".local").exists(), "nothing was started, so nothing is kept");
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file_over_the_default() {
    let dir = config(
        "[registry]\nuser = \"file\"\npassword = \"hunter2\"\n[kafka.properties]\nretries = 1\nlinger.ms = 1\n\
         [[pipeline]]\nworkers = 2\ngroup = \"file\"\nfrom = \"latest\"\n[[pipeline.plugin]]\nfile = \"@faults\"\n",
    );
    std::fs::write(dir.path().join("password"), "hunter2\n").unwrap();
    let output = host(
        dir.path(),
        &["run", "--config", "smt-host.toml", "--print-config", "--workers", "4", "-X", "linger.ms=2"]
            .into_iter()
            .chain(["--until-end", "--fail-fast", "--delivery", "at-least-once", "--memory=64MiB"])
            .collect::<Vec<_>>(),
    )
    .env("SMT_WORKERS", "3")
    .env("SMT_GROUP", "environment")
    .env("SMT_REGISTRY_USER", "environment")
    .env("SMT_REGISTRY_PASSWORD_FILE", "password")
    .env("SMT_SET", "fault=spin")
    .env("SMT_OUTPUT", "faults=somewhere")
    .env("SMT_LOG_FORMAT", "json")
    .output()
    .unwrap();
    let printed = printed(&output);
    let password = format!("password = \"${{file:{}/password}}\"", dir.path().display());
    for line in [
        "workers = 4",
        "group = \"environment\"",
        "from = \"latest\"",
        "commit-interval = \"100ms\"",
        "user = \"environment\"",
        &password,
        "retries = \"1\"",
        "\"linger.ms\" = \"2\"",
        "until-end = true",
        "fail-fast = true",
        "delivery = \"at-least-once\"",
        "memory = \"64MiB\"",
        "fault = \"spin\"",
        "faults = \"somewhere\"",
        "log-format = \"json\"",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} is not in\n{printed}");
    }
}

#[test]
fn every_option_has_an_environment_variable() {
    let dir = config("");
    for form in [&["--help"][..], &["run", "--help"]] {
        let help = printed(&host(dir.path(), form).output().unwrap());
        let options = help.split("\n\nOptions:\n").nth(1).unwrap().split("\n      --").skip(1);
        let without = options.filter(|option| !option.contains("[env: SMT_")).map(|o| o.split_whitespace().next());
        let without: Vec<&str> = without.flatten().filter(|o| !o.starts_with("help")).collect();
        // Both are for one start by hand: left in an environment, the first would forget everything at each start.
        assert_eq!(without, ["reset-state", "print-config"], "{form:?}");
    }
}

#[test]
fn the_same_options_make_a_pipeline_of_each_plugin() {
    let dir = config("");
    let (jovens, faults) = (plugin("jovens"), plugin("faults"));
    let args = ["--plugin", jovens.to_str().unwrap(), "--plugin", faults.to_str().unwrap(), "--output", "jovens=young"];
    let output = host(dir.path(), &[&args[..], &["--set", "fault=trap", "--print-config"]].concat()).output().unwrap();
    let printed = printed(&output);
    for line in ["group = \"smt-jovens\"", "jovens = \"young\"", "group = \"smt-faults\"", "fault = \"trap\""] {
        assert_eq!(printed.lines().filter(|printed| *printed == line).count(), 1, "{line}\n{printed}");
    }
    let output = host(dir.path(), &[&args[..4], &["--output", "young"]].concat()).output().unwrap();
    expect![[r#"
        error: --output young does not say which output of several plugins goes there
        hint: name it: --output NAME=young
    "#]]
    .assert_eq(&told(&output));
    let output = host(dir.path(), &[&args[..4], &["--group", "one"]].concat()).output().unwrap();
    expect![[r#"
        error: the pipelines jovens and faults have one consumer group, one: each would take records from the other
        hint: give each a group of its own (leave --group away, or set `group` in each [[pipeline]]); plugins that are to share one stand in one [[pipeline]]
    "#]].assert_eq(&told(&output));
}

#[test]
fn a_failure_is_told_once_and_as_the_log_is() {
    let dir = config("");
    let (jovens, faults) = (plugin("jovens"), plugin("faults"));
    let away = ["--brokers", "127.0.0.1:1", "--fail-fast", "--log-format=json"];
    let one = ["--plugin", jovens.to_str().unwrap()];
    let two = [&one[..], &["--plugin", faults.to_str().unwrap()]].concat();
    let start = |plugins: &[&str]| {
        host(dir.path(), &[plugins, &away].concat()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    for (child, pipelines, last) in [(start(&one), 1, "127.0.0.1:1"), (start(&two), 2, "2 of 2 pipelines failed")] {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(5));
        let told = told(&output);
        assert_eq!(told.matches("127.0.0.1:1").count(), pipelines, "{told}");
        let line = told.lines().last().unwrap();
        assert!(line.starts_with('{') && line.contains(last) && line.contains("\"exit\":5"), "{told}");
    }
}

/// A customer in the layout of `CUSTOMERS`.
fn customer(id: u32, name: &str, born: i32) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    smt_host::registry::wire::frame(id, &mut value);
    let text = |text: &str, value: &mut Vec<u8>| {
        value.extend([2, text.len() as u8 * 2]);
        value.extend(text.as_bytes());
    };
    text(name, &mut value);
    for field in ["sexo", "endereco", "telefone", "email", "foto"] {
        text(field, &mut value);
    }
    value.push(2);
    let mut zigzag = born as u32 * 2;
    while zigzag > 127 {
        value.push(zigzag as u8 | 128);
        zigzag >>= 7;
    }
    value.push(zigzag as u8);
    // No profissao, no dt_update.
    value.extend([0, 0]);
    Some(value)
}

/// 2000-01-01 in days.
const BOUND: i32 = 10957;

#[test]
fn several_plugins_of_one_pipeline_share_its_reads() {
    let world = world();
    world.topic("config-customers", 1);
    let text = |name| format!(r#"{{"name":"{name}","type":["null","string"],"default":null}}"#);
    let fields: Vec<String> = ["nome", "sexo", "endereco", "telefone", "email", "foto"].into_iter().map(text).collect();
    let schema = format!(
        r#"{{"type":"record","name":"customers","fields":[{},{},{},{}]}}"#,
        fields.join(","),
        r#"{"name":"nascimento","type":["null",{"type":"int","logicalType":"date"}],"default":null}"#,
        text("profissao"),
        r#"{"name":"dt_update","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}"#
    );
    let id = world.registry().register("config-customers-value", &schema).unwrap();
    let values = [("Ana", BOUND), ("Rui", BOUND - 1), ("Eva", BOUND + 1)].map(|(name, born)| customer(id, name, born));
    produce("config-customers", 0, &values);
    let dir = config(&format!(
        "[kafka]\nbrokers = \"{}\"\n[registry]\nurl = \"{}\"\n\
         [[pipeline]]\nname = \"config-both\"\ninput = \"config-customers\"\nuntil-end = true\n\
         [[pipeline.plugin]]\nfile = \"@jovens\"\noutputs = {{ jovens = \"config-jovens\" }}\n\
         [[pipeline.plugin]]\nfile = \"@idadeclass\"\noutputs = {{ idadeclass = \"config-idadeclass\" }}\n",
        world.kafka.brokers(),
        world.registry_server.url()
    ));
    let output = host(dir.path(), &["run", "--config", "smt-host.toml"]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let offsets =
        |topic| read_committed(topic).iter().map(|seen| seen.timestamp_ms.unwrap() - world.begun_ms).collect();
    let (jovens, classes): (Vec<i64>, Vec<i64>) = (offsets("config-jovens"), offsets("config-idadeclass"));
    assert_eq!((jovens, classes), (vec![0, 2], vec![0, 1, 2]));
}
