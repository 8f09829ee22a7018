//! `smt-host platform` from outside: what it keeps, what it leaves, what it says.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use smt_host::kafka::Settings;
use smt_host::kafka::topics::{self, Shape};
use smt_host::platform::endpoints::{self, Endpoints};
use smt_tests::host;
use tempfile::TempDir;

/// A platform's directory. Whatever happens, nothing is left running.
struct Platform(TempDir);

impl Platform {
    fn new() -> Platform {
        let dir = tempfile::Builder::new().prefix("smt-platform").tempdir().unwrap();
        // The database's user passes through.
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        Platform(dir)
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> Output {
        host::binary().arg("platform").args(args).arg("--dir").arg(self.dir()).output().unwrap()
    }

    /// Runs to a good end, and gives what was printed.
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {}\n{told}\n{errors}", output.status);
        told.into_owned()
    }

    fn endpoints(&self) -> Endpoints {
        Endpoints::read(self.dir()).unwrap()
    }

    fn supervisor(&self) -> u32 {
        let state = std::fs::read(self.dir().join("platform.json")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        u32::try_from(state["process"].as_u64().unwrap()).unwrap()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

fn query(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(sql).await
    })
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_platform_keeps_topics_tables_and_addresses_over_down_and_up_and_leaves_nothing_when_killed() {
    let platform = Platform::new();
    let told = platform.ok(&["up", "--ports", "free"]);
    for server in ["kafka", "registry", "postgres", "s3", "connect"] {
        let line = told.lines().find(|line| line.starts_with(&format!("| {server} ")));
        assert!(line.is_some_and(|line| line.contains("| up ")), "{server} is not up in:\n{told}");
    }
    let first = platform.endpoints();
    topics::ensure(&Settings::new(first.kafka.clone()), "kept", Shape { partitions: 3, replicas: 1 }).unwrap();
    query(&first.postgres, "CREATE TABLE kept AS SELECT 1 AS n").unwrap();
    assert!(query(&first.postgres, "COPY kept FROM PROGRAM 'id'").is_err(), "the workshop's user runs programs");

    assert!(platform.ok(&["up"]).contains("is up already"));
    let other = platform.run(&["up", "--ports", "workshop"]);
    assert_eq!(other.status.code(), Some(3));
    let status: Value = serde_json::from_str(&platform.ok(&["status", "--json"])).unwrap();
    assert_eq!((&status["up"], &status["servers"]["s3"]["up"]), (&Value::Bool(true), &Value::Bool(true)));
    let exports = platform.ok(&["env"]);
    assert!(exports.contains(&format!("export SMT_BROKERS='{}'\n", first.kafka)), "{exports}");

    assert!(platform.ok(&["down"]).contains("is down"));
    assert!(!endpoints::file(platform.dir()).exists());
    assert_eq!(platform.run(&["status"]).status.code(), Some(5));
    assert_eq!(platform.run(&["env"]).status.code(), Some(5));
    assert!(platform.ok(&["down"]).contains("No platform is up"));

    // The ports of the last start, without being asked.
    platform.ok(&["up"]);
    let second = platform.endpoints();
    assert_eq!((&second.kafka, &second.registry), (&first.kafka, &first.registry));
    let shape = topics::shape(&Settings::new(second.kafka), "kept").unwrap();
    assert_eq!(shape.map(|shape| shape.partitions), Some(3));
    query(&second.postgres, "SELECT n FROM kept").unwrap();

    let supervisor = platform.supervisor();
    let children = host::descendants(supervisor);
    assert!(children.iter().any(|child| child.name == "java"), "{children:?}");
    kill_process(Pid::from_raw(supervisor.cast_signed()).unwrap(), Signal::KILL).unwrap();
    eventually("no child of a killed supervisor is left", || children.iter().all(|child| !child.lives()));
    assert_eq!(platform.run(&["status"]).status.code(), Some(5));
}

#[test]
fn a_port_in_use_is_named_with_its_owner_before_anything_is_started() {
    let Ok(_taken) = TcpListener::bind("127.0.0.1:9000") else {
        // Someone else has it: then the message below names that one.
        return check_refusal("port 9000 (S3) is in use by ");
    };
    check_refusal(&format!("port 9000 (S3) is in use by process {} (", std::process::id()));
}

fn check_refusal(wanted: &str) {
    let platform = Platform::new();
    let output = platform.run(&["up", "--ports", "workshop"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains(wanted) && errors.contains("--ports free"), "{errors}");
    assert!(!platform.dir().join("postgres").exists());
}
