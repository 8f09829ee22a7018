//! What the original does not have: tails that close after idle time, and manifests.

use super::*;

/// What the connector's group has committed of partition 0, with its metadata.
fn recorded(connector: &str) -> Option<(i64, String)> {
    let answer = group_offsets(connector, connector, 1);
    let found = answer.find_partition(connector, 0).unwrap();
    Some((found.offset().to_raw().filter(|offset| *offset >= 0)?, found.metadata().to_owned()))
}

fn numbers(from: i32, to: i32) -> Vec<Option<Vec<u8>>> {
    (from..to).map(|n| Some(n.to_string().into_bytes())).collect()
}

/// A sink that is killed hard once `when` holds, with three records of ten read, and then started again with three
/// more behind them. `held`: a request that S3 does not answer the first time.
fn check(topic: &str, held: Option<&str>, when: impl Fn(&Bucket) -> bool, wanted: &[(i64, i64)]) {
    let bucket = Bucket::new();
    world().topic(topic, 1);
    let start = |idle_ms: &str| {
        let keys = texts(topic, &[("smt.flush.idle.ms", idle_ms), ("retry.backoff.ms", "100")]);
        Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys))
    };
    produce(topic, 0, &numbers(0, 3));
    if let Some(operation) = held {
        bucket.s3.faults().next(operation, 1, Fault::Slow(Duration::from_secs(60)));
    }
    let idle_ms = if topic == "sink-tail-open" { "3600000" } else { "300" };
    let sink = start(idle_ms);
    eventually(topic, SOON, || when(&bucket));
    drop(sink);
    produce(topic, 0, &numbers(3, 6));
    let sink = start("300");
    eventually(topic, SOON, || committed(topic, topic, 1) == [Some(6)]);
    stop(sink);
    assert_eq!(recorded(topic), Some((6, String::new())), "{topic}");
    let found = objects(&bucket.s3);
    let expected = wanted.iter().map(|(first, last)| {
        let text: String = (*first..=*last).map(|n| format!("\"{n}\"\n")).collect();
        (tags(*first, *last, last - first + 1), text)
    });
    let found = found.into_iter().map(|object| (object.tags, String::from_utf8(object.bytes).unwrap()));
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{topic}");
}

#[test]
fn an_idle_tail_ends_at_the_same_record_whenever_the_sink_is_killed() {
    let two = [(0, 2), (3, 5)];
    std::thread::scope(|scope| {
        let members = || members(&world().settings(), "connect-sink-tail-open") == 1;
        scope.spawn(move || check("sink-tail-open", None, |_| members(), &[(0, 5)]));
        let is_recorded = |_: &Bucket| recorded("sink-tail-recorded") == Some((0, "smt.flush.end=3".to_owned()));
        scope.spawn(move || check("sink-tail-recorded", Some("CreateMultipartUpload"), is_recorded, &two));
        let is_there = |bucket: &Bucket| bucket.keys().len() == 1;
        scope.spawn(move || check("sink-tail-uploaded", Some("PutObjectTagging"), is_there, &two));
        let is_committed = |_: &Bucket| recorded("sink-tail-done") == Some((3, String::new()));
        scope.spawn(move || check("sink-tail-done", None, is_committed, &two));
    });
}

#[test]
fn a_manifest_stands_beside_each_object_before_its_offsets_are_committed() {
    let (topic, bucket) = ("sink-manifest", Bucket::new());
    world().topic(topic, 1);
    let id = register(topic, CUSTOMERS);
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for n in 0..2 {
        let value = customers::customer(CUSTOMERS, id, "Ação", Some(n)).unwrap();
        producer.send(BaseRecord::to(topic).key("k").payload(&value)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let keys = [
        ("name", topic),
        ("topics", topic),
        ("smt.manifest", "true"),
        ("store.kafka.keys", "true"),
        ("format.class", "io.confluent.connect.s3.format.avro.AvroFormat"),
    ];
    bucket.s3.faults().next("PutObject", 1, Fault::Slow(Duration::from_secs(60)));
    let start = || Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    let sink = start();
    eventually("a manifest is asked for", SOON, || bucket.s3.faults().requests("PutObject") == 1);
    assert_eq!((bucket.keys().len(), committed(topic, topic, 1)), (2, vec![None]));
    drop(sink);
    let sink = start();
    eventually("offsets", SOON, || committed(topic, topic, 1) == [Some(2)]);
    stop(sink);
    let found = objects(&bucket.s3);
    let front = "raw-data/kafka/sink-manifest/partition=0/";
    let check = |file: &str, format: &str, id: Option<u32>| {
        let object = found.iter().find(|object| object.key == format!("{front}{file}")).unwrap();
        let manifest = found.iter().find(|object| object.key == format!("{front}_{file}.manifest.json")).unwrap();
        let wanted = serde_json::json!({
            "name": object.key, "bytes": object.bytes.len(), "records": 2,
            "startOffset": 0, "endOffset": 1, "schemaId": id, "format": format,
        });
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&manifest.bytes).unwrap(), wanted);
        assert_eq!(manifest.encryption.as_deref(), Some("AES256"));
    };
    check("sink-manifest+0+0000000000.avro", "avro", Some(id));
    check("sink-manifest+0+0000000000.keys.json", "json", None);
    assert_eq!(found.len(), 4);
}

#[test]
fn an_offset_behind_the_end_of_a_topic_that_was_made_anew_loses_nothing() {
    let (topic, bucket) = ("sink-anew", Bucket::new());
    world().topic(topic, 1);
    let group = format!("connect-{topic}");
    let consumer: BaseConsumer = world().settings().client("tests").set("group.id", &group).create().unwrap();
    let mut before = TopicPartitionList::new();
    before.add_partition_offset(topic, 0, rdkafka::topic_partition_list::Offset::Offset(100)).unwrap();
    eventually("a coordinator", SOON, || consumer.commit(&before, rdkafka::consumer::CommitMode::Sync).is_ok());
    produce(topic, 0, &numbers(0, 2));
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &texts(topic, &[("flush.size", "2")])));
    let found = bucket.arrived(1);
    eventually("offsets", SOON, || committed(topic, topic, 1) == [Some(2)]);
    stop(sink);
    assert_eq!(found[0].bytes, b"\"0\"\n\"1\"\n");
}
