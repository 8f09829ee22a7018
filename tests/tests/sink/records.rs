//! What single records and a wrong file do to a sink.

use super::*;

#[test]
fn what_cannot_be_written_stops_the_sink_or_becomes_a_dead_letter() {
    let (topic, bucket) = ("sink-bad", Bucket::new());
    world().topic(topic, 1);
    let id = register(topic, CUSTOMERS);
    let good = |name: &str| customers::customer(CUSTOMERS, id, name, Some(1));
    produce(topic, 0, &[good("a"), Some(b"not framed".to_vec()), good("b")]);
    let keys = [("name", topic), ("topics", topic), ("flush.size", "2")];
    let output = command(CUSTOMERS_SINK, &bucket.s3, &keys).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(text.contains("record sink-bad-0 offset 1"), "{text}");
    let tolerant = [
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "sink-bad-letters"),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ];
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &[&keys[..], &tolerant].concat()));
    eventually("offsets", SOON, || committed(topic, topic, 1) == [Some(3)]);
    stop(sink);
    let found = objects(&bucket.s3);
    assert_eq!(found[0].tags, tags(0, 2, 2));
    assert_eq!(found[0].bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
    let letters = read_committed("sink-bad-letters");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].value.as_deref(), Some(&b"not framed"[..]));
    assert_eq!(letters[0].header("__connect.errors.offset"), Some("1"));
    assert_eq!(letters[0].header("__connect.errors.stage"), Some("VALUE_CONVERTER"));
}

#[test]
fn b8_null_values_stop_the_sink_are_left_out_or_are_written_as_their_keys() {
    let (topic, bucket) = ("sink-nulls", Bucket::new());
    world().topic(topic, 1);
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for value in [Some("a"), None, Some("b")] {
        let mut record = BaseRecord::to(topic).key("k");
        record.payload = value;
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let output = command(CUSTOMERS_SINK, &bucket.s3, &texts(topic, &[("flush.size", "2")])).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{text}");
    assert!(text.contains("behavior.on.null.values is fail"), "{text}");
    let check = |name: &str, more: &[(&str, &str)], wanted: &[(&str, &str)]| {
        let mut keys = texts(topic, more);
        keys.extend([("name", name), ("topics.dir", name)]);
        let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
        eventually("offsets", SOON, || committed(name, topic, 1) == [Some(3)]);
        stop(sink);
        let found: Vec<(String, String)> = objects(&bucket.s3)
            .into_iter()
            .filter(|object| object.key.starts_with(&format!("{name}/")))
            .map(|object| (object.key[name.len() + 1..].to_owned(), String::from_utf8(object.bytes).unwrap()))
            .collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        assert_eq!(found, wanted);
    };
    let value = "sink-nulls/partition=0/sink-nulls+0+0000000000.json";
    check("nulls-ignored", &[("flush.size", "2"), ("behavior.on.null.values", "ignore")], &[(value, "\"a\"\n\"b\"\n")]);
    let written = [("flush.size", "3"), ("behavior.on.null.values", "write"), ("store.kafka.keys", "true")];
    let wanted = [
        (value, "\"a\"\n\"b\"\n"),
        ("sink-nulls/partition=0/sink-nulls+0+0000000000.keys.json", "\"k\"\n\"k\"\n"),
        ("sink-nulls/tombstone/sink-nulls+0+0000000001.keys.json", "\"k\"\n"),
    ];
    check("nulls-written", &written, &wanted);
}

#[test]
fn b4_4_a_mistake_says_what_and_what_instead() {
    let bucket = Bucket::new();
    let check = |keys: &[(&str, &str)], code: i32, wanted: &str| {
        let output = command(CUSTOMERS_SINK, &bucket.s3, keys).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(wanted), "{wanted:?} is not in: {text}");
        assert!(!text.contains(bucket.s3.secret_access_key()), "the secret is in: {text}");
    };
    check(&[("flush.siz", "2")], 2, "did you mean \"flush.size\"?");
    check(&[("s3.bucket.name", "absent")], 3, "bucket absent at http://127.0.0.1:");
    let wrong = [("aws.access.key.id", "AKIAWRONG"), ("aws.secret.access.key", "wrong")];
    check(&wrong, 3, "AWS_ACCESS_KEY_ID");
    let mut nobody = command(CUSTOMERS_SINK, &bucket.s3, &[]);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("HOME", "/nonexistent");
    let output = nobody.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("AWS_ACCESS_KEY_ID"), "{text}");
}

#[test]
fn b3_another_version_in_mid_file_is_projected_or_begins_a_file_as_the_compatibility_says() {
    let topic = "sink-versions";
    world().topic(topic, 1);
    let schema =
        |more: &str| format!(r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":"long"}}{more}]}}"#);
    let old = register(topic, &schema(""));
    let new = register(topic, &schema(r#",{"name":"b","type":["null","long"],"default":null}"#));
    let framed = |id: u32, datum: &[u8]| {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        value.extend(datum);
        Some(value)
    };
    // Three of the old version would fill a file: the second is of the new one.
    produce(topic, 0, &[framed(old, &[2]), framed(new, &[4, 2, 14]), framed(old, &[6]), framed(new, &[8, 0])]);
    let check = |compatibility: &str, wanted: &[(i64, &str)]| {
        let (name, bucket) = (format!("versions-{compatibility}"), Bucket::new());
        let keys =
            [("name", name.as_str()), ("topics", topic), ("flush.size", "2"), ("schema.compatibility", compatibility)];
        let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
        bucket.arrived(wanted.len());
        stop(sink);
        let text =
            |object: Stored| (object.tags["startOffset"].parse().unwrap(), String::from_utf8(object.bytes).unwrap());
        let found: Vec<(i64, String)> = objects(&bucket.s3).into_iter().map(text).collect();
        let found: Vec<(i64, &str)> = found.iter().map(|(offset, text)| (*offset, text.as_str())).collect();
        assert_eq!(found, wanted, "{compatibility}");
    };
    let (one, three) = ("{\"a\":1}\n", "{\"a\":3}\n");
    check("NONE", &[(0, one), (1, "{\"a\":2,\"b\":7}\n"), (2, three)]);
    let backward = [(0, one), (1, "{\"a\":2,\"b\":7}\n{\"a\":3,\"b\":null}\n")];
    check("BACKWARD", &backward);
    check("FULL", &backward);
    check("FORWARD", &[(0, "{\"a\":1}\n{\"a\":2}\n"), (2, "{\"a\":3}\n{\"a\":4}\n")]);
}

#[test]
fn b1_4_headers_stand_beside_values_and_gzip_is_undone_by_any_reader() {
    let (topic, bucket) = ("sink-headers", Bucket::new());
    world().topic(topic, 1);
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for value in ["a", "b"] {
        let headers = OwnedHeaders::new().insert(Header { key: "from", value: Some("test") });
        let record: BaseRecord<'_, str, str> = BaseRecord::to(topic).payload(value).headers(headers);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let more = [
        ("flush.size", "2"),
        ("store.kafka.headers", "true"),
        ("headers.format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("s3.compression.type", "gzip"),
    ];
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &texts(topic, &more)));
    bucket.arrived(2);
    stop(sink);
    let unzipped = |object: Stored| {
        let mut child = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&object.bytes).unwrap();
        (object.key, String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
    };
    let key = |part: &str| format!("raw-data/kafka/sink-headers/partition=0/sink-headers+0+0000000000{part}.json.gz");
    let headers = "{\"headers\":[{\"key\":\"from\",\"value\":\"test\"}]}\n".repeat(2);
    let found: Vec<_> = objects(&bucket.s3).into_iter().map(unzipped).collect();
    assert_eq!(found, [(key(".headers"), headers), (key(""), "\"a\"\n\"b\"\n".to_owned())]);
}

#[test]
fn a_configuration_file_may_run_sinks_alone() {
    let (topic, bucket) = ("sink-configured", Bucket::new());
    world().topic(topic, 1);
    produce(topic, 0, &[Some(b"a".to_vec()), Some(b"b".to_vec())]);
    let connector = format!("{}/../connectors/sink/{CUSTOMERS_SINK}", env!("CARGO_MANIFEST_DIR"));
    let (address, texts) = (bucket.s3.endpoint(), texts(topic, &[("flush.size", "2")]));
    let common = [("s3.bucket.name", BUCKET), ("s3.region", bucket.s3.region()), ("store.url", address.as_str())];
    let set: BTreeMap<&str, &str> = common.into_iter().chain(texts).collect();
    let set: Vec<String> = set.iter().map(|(key, value)| format!("{key:?} = {value:?}")).collect();
    let file = world().dir.path().join("sinks.toml");
    std::fs::write(&file, format!("[[sink]]\nconfig = {connector:?}\nset = {{ {} }}\n", set.join(", "))).unwrap();
    let mut command = smt_tests::host::command(world(), &["run", "--config", file.to_str().unwrap()]);
    command.env("AWS_ACCESS_KEY_ID", bucket.s3.access_key_id());
    command.env("AWS_SECRET_ACCESS_KEY", bucket.s3.secret_access_key());
    let sink = Running::start(&mut command);
    assert_eq!(bucket.arrived(1)[0].bytes, b"\"a\"\n\"b\"\n");
    stop(sink);
}
