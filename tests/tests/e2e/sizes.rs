//! Records that are too large: for a producer they become dead letters, and where a broker refuses them the pipeline
//! stops instead of trying for ever.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use smt_tests::host::{command, run};
use smt_tests::{plugin, produce, read_committed, world};

const BYTES_MAX: usize = 2000;
/// What a record has beside key, value and headers.
const OVERHEAD: usize = 36;

fn value(bytes: usize) -> Option<Vec<u8>> {
    Some(vec![b'x'; bytes])
}

#[test]
fn an_output_that_no_producer_takes_is_a_dead_letter_and_the_rest_flows() {
    world().topic("sizes", 1);
    let largest = BYTES_MAX - OVERHEAD;
    produce("sizes", 0, &[value(5), value(largest), value(largest + 1), value(7)]);
    let (file, limit) = (plugin("faults"), format!("message.max.bytes={BYTES_MAX}"));
    let names = ["--plugin", file.to_str().unwrap(), "--input", "sizes", "--output", "sizes-out", "--group", "sizes"];
    run(world(), &[&names[..], &["-X", &limit, "--dead-letter-topic", "sizes-dead", "--until-end"]].concat());

    let sizes: Vec<_> = read_committed("sizes-out").iter().map(|seen| seen.value.as_ref().unwrap().len()).collect();
    assert_eq!(sizes, [5, largest, 7]);
    let [letter] = read_committed("sizes-dead").try_into().unwrap();
    assert_eq!(letter.header("__connect.errors.offset"), Some("2"));
    assert_eq!(letter.header("__connect.errors.exception.class.name"), Some("smt_host.RecordTooLarge"));
    let message = letter.header("__connect.errors.exception.message").unwrap();
    assert!(
        message.contains("sizes-out") && message.contains("2001 bytes") && message.contains("of 2000"),
        "{message}"
    );
    // The letter is larger than the record.
    assert_eq!(letter.value, None);
    let why = letter.header("smt.value.dropped").unwrap();
    assert!(why.contains("1965 bytes") && why.contains("the 2000"), "{why}");
}

#[test]
fn an_output_that_a_broker_refuses_as_too_large_stops_the_pipeline_with_a_way_on() {
    world().topic("narrow", 1);
    narrow_topic("narrow-out", "1000");
    produce("narrow", 0, &[value(5000)]);
    let file = plugin("faults");
    let names = ["--plugin", file.to_str().unwrap(), "--input", "narrow", "--output", "narrow-out"];
    let output = command(world(), &[&names[..], &["--group", "narrow", "--until-end"]].concat()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("too large for its topic") && text.contains("-X message.max.bytes=N"), "{text}");
    assert!(read_committed("narrow-out").is_empty());
}

fn narrow_topic(name: &str, bytes_max: &str) {
    let admin: AdminClient<DefaultClientContext> = world().settings().client("tests").create().unwrap();
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1)).set("max.message.bytes", bytes_max);
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.create_topics([&topic], &options)).unwrap().remove(0).unwrap();
}
