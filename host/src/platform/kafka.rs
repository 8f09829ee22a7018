//! One real Apache Kafka broker as a child process, for the embedded default and for tests.
//!
//! Never fetches jars, and never touches a broker that it did not start.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rustix::process::Signal;

use super::child::Process;
use super::dir::failed;
use super::jars::Jars;
use super::kafka_files::{Files, Ports, fresh_ports};
use crate::exit::Stop;

const STARTS: usize = 3;
const JAVA_HINT: &str = "run `make setup`, or put a Java runtime (17 or later) on PATH";

/// How the broker runs.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    pub heap_mb: u32,
    /// Where clients find it; by default the port of the last start, or a free one.
    pub port: Option<u16>,
    /// Broker properties on top of the embedded defaults; they win.
    pub properties: Vec<(String, String)>,
    /// From the start of the process to its first answer.
    pub ready_within: Duration,
}

impl Default for KafkaOptions {
    fn default() -> KafkaOptions {
        KafkaOptions { heap_mb: 512, port: None, properties: Vec::new(), ready_within: Duration::from_secs(60) }
    }
}

/// A running broker. Dropping it stops it; its data stays in the directory.
#[derive(Debug)]
pub struct Kafka {
    jars: Jars,
    files: Files,
    options: KafkaOptions,
    ports: Ports,
    process: Process,
}

impl Kafka {
    /// Starts a broker whose data is in `dir`/kafka, and returns when it answers.
    pub fn start(dir: &Path, options: KafkaOptions) -> Result<Kafka, Stop> {
        let jars = Jars::find()?;
        let files = Files::open(dir)?;
        let mut ports = files.ports(options.port);
        for _ in 1..STARTS {
            match start_at(&jars, &files, &options, ports) {
                Ok(process) => return Ok(Kafka { jars, files, options, ports, process }),
                // Another program took a port between the choice and the broker's bind.
                Err(Failure { port_taken: true, .. }) => ports = fresh_ports(options.port),
                Err(failure) => return Err(failure.stop),
            }
        }
        let process = start_at(&jars, &files, &options, ports).map_err(|failure| failure.stop)?;
        Ok(Kafka { jars, files, options, ports, process })
    }

    /// Whether this machine has what a broker needs: its jars, and Java.
    pub fn can_start() -> Result<(), Stop> {
        Jars::find()?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        if std::env::split_paths(&path).any(|folder| folder.join("java").is_file()) {
            return Ok(());
        }
        Err(Stop::start("there is no java on PATH").hint(JAVA_HINT))
    }

    /// `127.0.0.1:PORT`
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports.client)
    }

    /// The broker's process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether its process still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// Ends the broker as a crash would.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Stops the broker in order.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts it again with the same ports and data; stops it before if it still runs.
    pub fn restart(&mut self) -> Result<(), Stop> {
        self.process.stop();
        self.process = start_at(&self.jars, &self.files, &self.options, self.ports).map_err(|failure| failure.stop)?;
        Ok(())
    }
}

struct Failure {
    stop: Stop,
    port_taken: bool,
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure { stop, port_taken: false }
    }
}

fn start_at(jars: &Jars, files: &Files, options: &KafkaOptions, ports: Ports) -> Result<Process, Failure> {
    files.write(ports, &options.properties)?;
    if !files.is_formatted() {
        format(jars, files)?;
    }
    let mut command = java(jars, files)?;
    command.arg(format!("-Xmx{}m", options.heap_mb)).args(["kafka.Kafka"]).arg(files.properties());
    let mut process = spawn(command)?;
    let end = Instant::now() + options.ready_within;
    match wait_until_ready(&mut process, ports, end) {
        Ok(()) => Ok(process),
        Err(why) => {
            process.kill9();
            let log = std::fs::read_to_string(files.log()).unwrap_or_default();
            let stop = Stop::dependency(format!("the embedded Kafka {why}; its log is {}", files.log().display()));
            Err(Failure { stop, port_taken: log.contains("Address already in use") })
        }
    }
}

/// Options that format and broker share. Logs go to a file: a pipe that nobody reads would stop the broker.
fn java(jars: &Jars, files: &Files) -> Result<Command, Stop> {
    let path = files.log();
    let log = File::create(&path).map_err(|error| failed("write", &path, &error))?;
    let errors = log.try_clone().map_err(|error| failed("write", &path, &error))?;
    let mut command = Command::new("java");
    command.stdin(Stdio::null()).stdout(log).stderr(errors).current_dir("/");
    command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    if let Some(archive) = jars.archive() {
        // "auto": an archive of another JVM is passed over with a line in the log.
        let mut option = std::ffi::OsString::from("-XX:SharedArchiveFile=");
        option.push(archive);
        command.arg("-Xshare:auto").arg(option);
    }
    let mut logging = std::ffi::OsString::from("-Dlog4j2.configurationFile=");
    logging.push(files.logging());
    command.arg(logging).arg("-cp").arg(jars.class_path());
    Ok(command)
}

fn format(jars: &Jars, files: &Files) -> Result<(), Stop> {
    if let Some(formatted) = jars.formatted() {
        return files.copy_format(&formatted, cluster_id);
    }
    let mut command = java(jars, files)?;
    command.args(["kafka.tools.StorageTool", "format", "-t", &cluster_id(), "-c"]).arg(files.properties());
    let mut process = spawn(command)?;
    if process.ends_within(Duration::from_secs(60)) && process.ended().is_some_and(|status| status.success()) {
        return Ok(());
    }
    Err(Stop::dependency(format!("cannot format the embedded Kafka's data; its log is {}", files.log().display())))
}

fn spawn(command: Command) -> Result<Process, Stop> {
    Process::spawn(command, Signal::KILL, Signal::TERM, Duration::from_secs(10))
        .map_err(|error| Stop::start(format!("cannot start java: {error}")).hint(JAVA_HINT))
}

/// 16 random bytes in base64, as Kafka writes a uuid.
fn cluster_id() -> String {
    use base64::Engine;
    // Kafka's command line takes an id that begins with a dash for an option.
    let mut bytes = rand::random::<[u8; 16]>();
    bytes[0] &= 0x7f;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The port first, because rdkafka waits longer and longer between its own attempts; then a real answer.
fn wait_until_ready(process: &mut Process, ports: Ports, end: Instant) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports.client));
    while TcpStream::connect(address).is_err() {
        still_running(process, end)?;
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address.to_string()).set_log_level(RDKafkaLogLevel::Emerg);
    let client: BaseConsumer = config.create().map_err(|error| format!("cannot be asked: {error}"))?;
    loop {
        let answer = client.fetch_metadata(None, Duration::from_secs(1));
        if answer.is_ok_and(|metadata| !metadata.brokers().is_empty()) {
            return Ok(());
        }
        still_running(process, end)?;
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn still_running(process: &mut Process, end: Instant) -> Result<(), String> {
    if let Some(status) = process.ended() {
        return Err(format!("ended ({status}) before it answered"));
    }
    if Instant::now() >= end {
        return Err("did not answer in time".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::platform::dir::Directory;
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;

    fn config(kafka: &Kafka) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", kafka.brokers());
        config
    }

    fn make_topic(kafka: &Kafka, name: &str) {
        let admin: AdminClient<DefaultClientContext> = config(kafka).create().unwrap();
        let topic = NewTopic::new(name, 3, TopicReplication::Fixed(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap().remove(0).unwrap();
    }

    fn partitions(kafka: &Kafka, topic: &str) -> usize {
        let client: BaseConsumer = config(kafka).create().unwrap();
        let metadata = client.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
        metadata.topics()[0].partitions().len()
    }

    #[test]
    fn a_broker_keeps_its_port_and_topics_over_a_crash_and_a_new_start() {
        let dir = Directory::open(None).unwrap();
        let mut kafka = Kafka::start(dir.path(), KafkaOptions::default()).unwrap();
        make_topic(&kafka, "kept");
        let brokers = kafka.brokers();
        kafka.kill9();
        kafka.restart().unwrap();
        assert_eq!(kafka.brokers(), brokers);
        assert_eq!(partitions(&kafka, "kept"), 3);
        drop(kafka);
        let kafka = Kafka::start(dir.path(), KafkaOptions::default()).unwrap();
        assert_eq!(kafka.brokers(), brokers);
        assert_eq!(partitions(&kafka, "kept"), 3);
    }

    #[test]
    fn a_broker_that_cannot_start_names_its_log() {
        let dir = Directory::open(None).unwrap();
        let properties = vec![("process.roles".to_owned(), "nonsense".to_owned())];
        let stop = Kafka::start(dir.path(), KafkaOptions { properties, ..Default::default() }).unwrap_err();
        assert!(stop.what.contains("kafka.log"), "{stop}");
    }
}
