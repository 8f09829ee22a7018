//! (e) What the S3 sinks cost: CPU time and memory of the whole process, from Kafka into the embedded S3.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use smt_host::kafka::standing::Standing;
use smt_host::platform::s3::S3;
use smt_tests::{World, eventually, release_host};

use super::load::INPUT;
use super::{customers, report};

const RECORDS: usize = 1_000_000;
/// Both partitions hold whole files.
const FLUSH_SIZE: &str = "10000";
const ROUNDS: usize = 3;
const FORMATS: &str = "io.confluent.connect.s3.format";
/// Threads by what they do: reading, encoding, uploading.
const READING: &str = "rdk:";
const UPLOADING: &str = "s3";

/// Of one run.
struct Figures {
    seconds: f64,
    cpu_seconds: f64,
    peak_mb: f64,
    /// Shares of the CPU time.
    reading: f64,
    encoding: f64,
    uploading: f64,
}

pub(crate) fn run(world: &World) {
    println!("  producing {RECORDS} customers");
    customers::topic_once(world, INPUT, RECORDS);
    let s3 = S3::start(world.dir.path(), "bench").expect("the embedded S3");
    report::row(&["", "records/s/core", "records/s", "peak MB", "reading", "encoding", "uploading"]);
    for (name, format) in [("json", "json.JsonFormat"), ("avro", "avro.AvroFormat")] {
        let rounds: Vec<Figures> = (0..ROUNDS).map(|round| measure(world, &s3, name, format, round)).collect();
        let median = |of: fn(&Figures) -> f64| report::median(rounds.iter().map(of).collect());
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        report::row(&[
            name,
            &format!("{:.0}", RECORDS as f64 / median(|figures| figures.cpu_seconds)),
            &format!("{:.0}", RECORDS as f64 / median(|figures| figures.seconds)),
            &format!("{:.0}", median(|figures| figures.peak_mb)),
            &percent(median(|figures| figures.reading)),
            &percent(median(|figures| figures.encoding)),
            &percent(median(|figures| figures.uploading)),
        ]);
    }
}

fn measure(world: &World, s3: &S3, name: &str, format: &str, round: usize) -> Figures {
    let name = format!("sink-{name}-{round}");
    let begun = Instant::now();
    let mut sink = start(world, s3, &name, &format!("{FORMATS}.{format}"));
    let group = format!("connect-{name}");
    let standing = Standing::of(&world.settings(), &group).expect("a client");
    let partitions = BTreeMap::from([(INPUT.to_owned(), 2)]);
    eventually("all offsets", Duration::from_secs(600), || {
        let committed = standing.committed(&partitions).expect("the broker answers");
        committed.values().map(|committed| committed.offset).sum::<i64>() >= RECORDS as i64
    });
    let seconds = begun.elapsed().as_secs_f64();
    let threads = threads(sink.id());
    let peak_mb = peak_mb(sink.id());
    sink.kill().and_then(|()| sink.wait()).expect("it runs");
    let all: f64 = threads.iter().map(|(_, seconds)| seconds).sum();
    let of =
        |front: &str| threads.iter().filter(|(name, _)| name.starts_with(front)).map(|(_, s)| s).sum::<f64>() / all;
    let (reading, encoding, uploading) = (of(READING), of(&name), of(UPLOADING));
    Figures { seconds, cpu_seconds: all, peak_mb, reading, encoding, uploading }
}

fn start(world: &World, s3: &S3, name: &str, format: &str) -> Child {
    let mut command = Command::new(release_host());
    command.args(["sink", concat!(env!("CARGO_MANIFEST_DIR"), "/../connectors/sink/connect_s3_sink.config")]);
    command.args(["--brokers", &world.kafka.brokers(), "--registry", &world.registry_server.url()]);
    let keys = [
        ("name", name),
        ("topics", INPUT),
        ("topics.dir", name),
        ("format.class", format),
        ("flush.size", FLUSH_SIZE),
        ("s3.bucket.name", s3.bucket()),
        ("s3.region", s3.region()),
        ("store.url", &s3.endpoint()),
    ];
    for (key, value) in keys {
        command.args(["--set", &format!("{key}={value}")]);
    }
    command.env("AWS_ACCESS_KEY_ID", s3.access_key_id()).env("AWS_SECRET_ACCESS_KEY", s3.secret_access_key());
    command.env("SMT_LOG", "error,librdkafka=off").stdin(Stdio::null()).spawn().expect("it starts")
}

/// Names and CPU seconds of a process's threads (proc(5)).
fn threads(id: u32) -> Vec<(String, f64)> {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).expect("Linux").flatten();
    let one = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        // The name, second, is in parentheses and may hold spaces.
        let (front, after) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks: u64 = [11, 12].into_iter().filter_map(|at: usize| fields.get(at)?.parse::<u64>().ok()).sum();
        Some((front.split_once('(')?.1.to_owned(), ticks as f64 / 100.0))
    };
    tasks.filter_map(one).collect()
}

fn peak_mb(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number") / 1024.0
}
