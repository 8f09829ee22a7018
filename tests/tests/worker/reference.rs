//! A real Apache Kafka Connect worker with its file connectors: what the REST API is held against.

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use smt_host::platform::child::Process;
use smt_host::platform::jars::KAFKA_VERSION;
use smt_host::platform::port;

use super::*;

pub(super) struct Reference {
    pub(super) url: String,
    _process: Process,
}

impl Reference {
    /// Returns at once: a JVM takes its time to answer.
    pub(super) fn start() -> Reference {
        let cache = std::env::var_os("SMT_CACHE").map(PathBuf::from);
        let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/smt-host"));
        let jars = cache.join("connect").join(KAFKA_VERSION);
        assert!(jars.join(".complete").is_file(), "{} is missing: run `make setup`", jars.display());
        let (dir, port) = (world().dir.path().join("reference"), port::free());
        std::fs::create_dir_all(&dir).unwrap();
        let properties = format!(
            "bootstrap.servers={}\ngroup.id=reference\nlisteners=http://127.0.0.1:{port}\nplugin.path={}\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\n\
             config.storage.topic=reference-configs\nconfig.storage.replication.factor=1\n\
             offset.storage.topic=reference-offsets\noffset.storage.replication.factor=1\noffset.storage.partitions=1\n\
             status.storage.topic=reference-status\nstatus.storage.replication.factor=1\nstatus.storage.partitions=1\n\
             offset.flush.interval.ms=200\nscheduled.rebalance.max.delay.ms=0\n",
            world().kafka.brokers(),
            jars.join("plugins").display(),
        );
        std::fs::write(dir.join("worker.properties"), properties).unwrap();
        let logging = "<Configuration status=\"ERROR\"><Appenders><Console name=\"out\"/></Appenders><Loggers>\
                       <Root level=\"WARN\"><AppenderRef ref=\"out\"/></Root></Loggers></Configuration>";
        std::fs::write(dir.join("log4j2.xml"), logging).unwrap();
        let mut command = Command::new("java");
        command.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]).arg(jars.join("libs/*"));
        command.arg(format!("-Dlog4j2.configurationFile={}", dir.join("log4j2.xml").display()));
        command.arg("org.apache.kafka.connect.cli.ConnectDistributed").arg(dir.join("worker.properties"));
        let log = std::fs::File::create(dir.join("log")).unwrap();
        command.current_dir(&dir).stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
        let process = Process::spawn(command, Signal::KILL, Signal::KILL, Duration::from_secs(1)).unwrap();
        Reference { url: format!("http://127.0.0.1:{port}"), _process: process }
    }

    pub(super) fn wait(&self) {
        let address = self.url.trim_start_matches("http://");
        eventually("Kafka Connect's port", 3 * SOON, || std::net::TcpStream::connect(address).is_ok());
        eventually("Kafka Connect", 3 * SOON, || call("GET", &format!("{}/health", self.url), "").status == 200);
    }
}
