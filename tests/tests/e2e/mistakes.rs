//! What a user is told who makes a mistake: the exit code, and the whole message, word for word.

mod usage;

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use expect_test::{Expect, expect};
use smt_tests::host::{Running, binary, command};
use smt_tests::{plugin, world};

/// Nobody listens there.
const CLOSED: &str = "127.0.0.1:1";
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../connectors/source/connect_jdbc_postgres.config");

/// From the start of the command to its end: some wait for a server first.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// The message is what stands from `error:` on: before it there may be log lines.
fn check(command: &mut Command, code: i32, message: Expect) {
    let state = tempfile::tempdir().unwrap();
    let said = state.path().join("stderr");
    // Servers that are away are not waited for.
    command.env("SMT_STATE_DIR", state.path()).env("SMT_FAIL_FAST", "true").stderr(File::create(&said).unwrap());
    let ended = Running::start(command).code_within(TOLD_WITHIN);
    let text = std::fs::read_to_string(said).unwrap();
    let from = text.lines().position(|line| line.starts_with("error:")).unwrap_or(0);
    let told: String = text.lines().skip(from).map(|line| format!("{}\n", stable(line))).collect();
    message.assert_eq(&told);
    assert_eq!(ended, Some(code), "{text}");
}

/// Without what another machine, run or build of the plugins changes.
fn stable(line: &str) -> String {
    let temporary = format!("{}/.tmp", std::env::temp_dir().display());
    let line = line.replace(&*plugin("faults").parent().unwrap().to_string_lossy(), "<plugins>");
    replaced(&replaced(&line, &temporary, "<path>"), "offset 0x", "offset <number>")
}

/// Puts `name` in the place of a word that begins with `start`.
fn replaced(line: &str, start: &str, name: &str) -> String {
    let Some((before, rest)) = line.split_once(start) else { return line.to_owned() };
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    format!("{before}{name}{}", &rest[end..])
}

/// `smt-host --plugin FILE` with more options, against the real servers.
fn with_plugin(file: &Path, args: &[&str]) -> Command {
    command(world(), &[&["--plugin", file.to_str().unwrap()], args].concat())
}

/// The same for bytes that are no plugin.
fn check_plugin(name: &str, bytes: &[u8], message: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    check(&mut with_plugin(&file, &[]), 3, message);
}

#[test]
fn a_file_that_is_no_plugin_is_refused_by_what_is_wrong_with_it() {
    let whole = std::fs::read(plugin("jovens")).unwrap();
    check(
        &mut with_plugin(Path::new("nowhere/p.wasm"), &[]),
        3,
        expect![[r#"
            error: plugin nowhere/p.wasm cannot be read: No such file or directory (os error 2)
            hint: check the path: on the command line it starts from here, in a file from that file's directory
        "#]],
    );
    check_plugin(
        "notes.wasm",
        b"Dear diary, today I wrote a plugin.",
        expect![[r#"
        error: plugin <path>/notes.wasm is not a WASM file: its 35 bytes do not begin like one
        hint: give the .wasm file that the plugin's build made
    "#]],
    );
    check_plugin(
        "empty.wasm",
        b"",
        expect![[r#"
            error: plugin <path>/empty.wasm is empty
            hint: give the .wasm file that the plugin's build made
        "#]],
    );
    check_plugin(
        "cut.wasm",
        &whole[..whole.len() / 2],
        expect![[r#"
            error: plugin <path>/cut.wasm is not valid WASM: unexpected end-of-file (at offset <number>)
            hint: build it again; the file may have been cut off
        "#]],
    );
    check_plugin(
        "module.wasm",
        b"\0asm\x01\0\0\0",
        expect![[r#"
            error: plugin <path>/module.wasm is a core module without a component-type section, which would tell what it is
            hint: build with the plugin SDK, or make a component of it with the tools of its language
        "#]],
    );
    check_plugin(
        "component.wasm",
        b"\0asm\x0d\0\x01\0",
        expect![[r#"
            error: plugin <path>/component.wasm does not fit: it exports nothing, but this host serves smt:plugin/setup@1.x with smt:plugin/transformer@1.x or smt:plugin/aggregator@1.x, and offers smt:plugin/host@1.x and wasi:*@0.2.x
            hint: build the plugin against the contract that this host serves, or use another smt-host
        "#]],
    );
}

#[test]
fn a_setting_that_the_plugin_does_not_have_or_take_names_those_that_it_has() {
    check(
        &mut with_plugin(&plugin("faults"), &["--set", "fautl=spin"]),
        3,
        expect![[r#"
        error: plugin <plugins>/faults.wasm: unknown setting "fautl", did you mean "fault"? the plugin has: fault
        hint: smt-host inspect shows the plugin's settings
    "#]],
    );
    check(
        &mut with_plugin(&plugin("faults"), &["--set", "fault=spni"]),
        3,
        expect![[r#"
            error: plugin <plugins>/faults.wasm refuses its settings: fault is "spni"; allowed: spin, none, grow, trap, lie-lengths, lie-index, flood, bad-output-number, bad-schema, reject
            hint: smt-host inspect shows the settings
        "#]],
    );
    check(
        &mut with_plugin(&plugin("jovens"), &["--set", "bound=2000"]),
        3,
        expect![[r#"
        error: plugin <plugins>/jovens.wasm: unknown setting "bound": the plugin has no settings
        hint: smt-host inspect shows the plugin's settings
    "#]],
    );
}

#[test]
fn an_output_schema_that_the_registry_refuses_comes_with_its_reasons() {
    let world = world();
    world.topic("mistakes-in", 1);
    let before = r#"{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[{"name":"NOME","type":"long"}]}"#;
    world.registry().register("mistakes-taken-value", before).unwrap();
    let args = ["--input", "mistakes-in", "--output", "mistakes-taken", "--group", "mistakes"];
    check(
        &mut with_plugin(&plugin("jovens"), &args),
        3,
        expect![[r#"
            error: the schema is incompatible with subject "mistakes-taken-value": the new schema cannot read data of version 1: Field 'NOME' in reader schema does not match the type in the writer schema
            hint: make the new schema compatible (a new field needs a default), change the level of "mistakes-taken-value" by PUT /config/mistakes-taken-value, or write to another topic
        "#]],
    );
}

#[test]
fn an_input_topic_that_does_not_exist_is_named_with_the_nearest_that_does() {
    world().topic("postgres-customers", 1);
    check(
        &mut with_plugin(&plugin("jovens"), &["--input", "postgres-costumers"]),
        3,
        expect![[r#"
            error: pipeline jovens: input topic postgres-costumers does not exist; did you mean "postgres-customers"?
            hint: create it, start what writes it, or name another with --input
        "#]],
    );
}

#[test]
fn an_output_that_the_plugin_does_not_have_is_a_usage_error() {
    world().topic("mistakes-in", 1);
    let args = ["--input", "mistakes-in", "--output", "jovem=x", "--group", "mistakes"];
    check(
        &mut with_plugin(&plugin("jovens"), &args),
        2,
        expect![[r#"
            error: plugin jovens has no output "jovem" to send to topic x; did you mean "jovens"?
            hint: its outputs: jovens
        "#]],
    );
}

/// Each of these waits for some seconds, and costs nothing meanwhile.
#[test]
fn a_server_that_cannot_be_reached_is_named_with_what_to_look_at() {
    let world = world();
    world.topic("mistakes-in", 1);
    let file = plugin("jovens");
    let run = ["--plugin", file.to_str().unwrap(), "--input", "mistakes-in", "--group", "mistakes-away"];
    let (kafka, registry) = (world.kafka.brokers(), world.registry_server.url());
    let database = ["--set", "connection.url=jdbc:postgresql://127.0.0.1:1/x", "--set", "connection.attempts=1"];
    let insert = ["generate", "-cs", "postgresql://postgres:secret@127.0.0.1:1/postgres", "--rounds", "1"];
    let mistakes: [(&[&str], &str, &str, Expect); 4] = [
        (
            &run,
            CLOSED,
            &registry,
            expect![[r#"
                error: no Kafka broker answers at 127.0.0.1:1: BrokerTransportFailure (Local: Broker transport failure)
                hint: check --brokers, and that Kafka is running and reachable from here; TLS and SASL are set by properties (-X)
            "#]],
        ),
        (
            &run,
            &kafka,
            "http://127.0.0.1:1",
            expect![[r#"
                error: cannot reach the schema registry at http://127.0.0.1:1: Connection refused (os error 111)
                hint: check the schema registry's address, and that it is running and reachable from here
            "#]],
        ),
        (
            &[&["source", SOURCE], &database[..]].concat(),
            &kafka,
            &registry,
            expect![[r#"
                error: the database at 127.0.0.1:1/x cannot be reached: error connecting to server: Connection refused (os error 111)
                hint: check connection.url, and that the database is running and reachable from here
            "#]],
        ),
        (
            &[&["source", SOURCE], &database[..]].concat(),
            CLOSED,
            &registry,
            expect![[r#"
                error: no Kafka broker answers at 127.0.0.1:1: BrokerTransportFailure (Local: Broker transport failure)
                hint: check --brokers, and that Kafka is running and reachable from here; TLS and SASL are set by properties (-X)
            "#]],
        ),
    ];
    std::thread::scope(|scope| {
        for (args, brokers, registry, message) in mistakes {
            scope.spawn(move || {
                check(binary().args(args).args(["--brokers", brokers, "--registry", registry]), 5, message);
            });
        }
        scope.spawn(|| {
            check(
                binary().args(insert),
                5,
                expect![[r#"
                    error: cannot reach the database at 127.0.0.1:1: Connection refused (os error 111)
                    hint: check that it is running and that host and port are right
                "#]],
            )
        });
    });
}
