//! The workshop's three sinks.

use super::*;

#[test]
fn b1_2_b6_1_and_b6_7_the_workshops_first_sink_writes_what_the_original_was_recorded_to_write_byte_for_byte() {
    let (topic, bucket) = ("postgres-customers", Bucket::new());
    world().topic(topic, 2);
    let id = register(topic, CUSTOMERS);
    let input = lines(include_str!("../../data/s3-customers/input.jsonl"));
    let values = |partition: i64, from: i64| -> Vec<Option<Vec<u8>>> {
        let of = input.iter().filter(|r| r["partition"] == partition && r["offset"].as_i64().unwrap() >= from);
        let framed = of.map(|record| {
            let mut value = hex(record["value_hex"].as_str().unwrap());
            value[1..5].copy_from_slice(&id.to_be_bytes());
            Some(value)
        });
        framed.collect()
    };
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &[]));
    for partition in [0, 1] {
        produce(topic, partition, &values(partition.into(), 0)[..12]);
    }
    let recorded = lines(include_str!("../../data/s3-customers/objects.jsonl"));
    eventually("offsets", SOON, || committed("customers-s3-sink", topic, 2) == [Some(12), Some(12)]);
    let mut recorded: Vec<Stored> = recorded
        .iter()
        .map(|object| Stored {
            key: object["key"].as_str().unwrap().to_owned(),
            bytes: object["body_text"].as_str().unwrap().as_bytes().to_vec(),
            tags: serde_json::from_value(object["tags"].clone()).unwrap(),
            content_type: object["content_type"].as_str().map(str::to_owned),
            encryption: object["sse"].as_str().map(str::to_owned),
        })
        .collect();
    recorded.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(objects(&bucket.s3), recorded);

    // B2.4: a tail never appears, and nothing of it is left at S3; after a restart it is read again.
    produce(topic, 0, &values(0, 0)[..1]);
    stop(sink);
    assert_eq!(bucket.keys().len(), recorded.len());
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &[]));
    produce(topic, 0, &values(0, 0)[1..2]);
    let key = "raw-data/kafka/postgres-customers/partition=0/postgres-customers+0+0000000012.json";
    eventually("the tail's object", SOON, || bucket.keys().iter().any(|found| found == key));
    eventually("offsets", SOON, || committed("customers-s3-sink", topic, 2) == [Some(14), Some(12)]);
    stop(sink);
}

#[test]
fn b7_the_workshops_avro_sink_writes_ten_records_a_file_with_the_registrys_version() {
    let (topic, bucket) = ("jovens", Bucket::new());
    world().topic(topic, 2);
    let id = register(topic, CUSTOMERS);
    let values: Vec<_> = (0..25).map(|n| customers::customer(CUSTOMERS, id, &format!("n{n}"), Some(n))).collect();
    produce(topic, 0, &values[..9]);
    produce(topic, 1, &values);
    let sink = Running::start(&mut command(YOUNG_SINK, &bucket.s3, &[]));
    eventually("offsets", SOON, || committed("s3-jovens-sink", topic, 2) == [Some(0), Some(20)]);
    stop(sink);
    let found = objects(&bucket.s3);
    let key = |offset: i64| format!("raw-data/kafka/jovens/partition=1/jovens+1+{offset:010}.avro");
    assert_eq!(bucket.keys(), [key(0), key(10)]);
    let seen = read_committed(topic);
    for (object, first) in found.iter().zip([0, 10]) {
        let reader = apache_avro::Reader::new(&object.bytes[..]).unwrap();
        assert!(String::from_utf8_lossy(&object.bytes).contains(r#""connect.version":1"#));
        let names: Vec<Value> = reader.map(|record| field(record.unwrap(), "nome")).collect();
        let wanted: Vec<Value> = (first..first + 10)
            .map(|offset| seen.iter().find(|seen| seen.partition == 1 && seen.offset == offset).unwrap())
            .map(|seen| customers::field(seen, "nome"))
            .collect();
        assert_eq!(names, wanted);
        assert_eq!(object.tags, tags(first, first + 9, 10));
        assert_eq!(object.encryption.as_deref(), Some("AES256"));
    }
}

fn field(record: Value, name: &str) -> Value {
    let Value::Record(fields) = record else { panic!("{record:?} is no record") };
    let found = fields.into_iter().find(|(field, _)| field == name).unwrap().1;
    if let Value::Union(_, inner) = found { *inner } else { found }
}

#[test]
fn b4_3_and_b9_the_workshops_counting_sink_writes_keys_beside_values_and_tags_values_only() {
    let (topic, bucket) = ("idadecont", Bucket::new());
    world().topic(topic, 1);
    let schema =
        r#"{"type":"record","name":"Count","fields":[{"name":"CONTAGEM","type":["null","long"],"default":null}]}"#;
    let id = register(topic, schema);
    let producer: BaseProducer = world().settings().idempotent().create().unwrap();
    for n in 0..10_u8 {
        let mut value = Vec::new();
        wire::frame(id, &mut value);
        value.extend([2, n * 2]);
        // A windowed key: text, then the window's start in eight bytes, most of which are no text.
        let key = [b"JOVEM".as_slice(), &1_618_269_960_000_i64.to_be_bytes()].concat();
        producer.send(BaseRecord::to(topic).key(&key).payload(&value)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let sink = Running::start(&mut command(COUNT_SINK, &bucket.s3, &[]));
    eventually("offsets", SOON, || committed("s3-contagem-sink", topic, 1) == [Some(10)]);
    stop(sink);
    let found = objects(&bucket.s3);
    let key = |part: &str| format!("raw-data/kafka/idadecont/partition=0/idadecont+0+0000000000{part}.json");
    let keys: Vec<&str> = found.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, [key(""), key(".keys")]);
    let counts: String = (0..10).map(|n| format!("{{\"CONTAGEM\":{n}}}\n")).collect();
    assert_eq!(String::from_utf8(found[0].bytes.clone()).unwrap(), counts);
    let found_key = String::from_utf8(found[1].bytes.clone()).unwrap();
    let one = found_key.lines().next().unwrap();
    assert!(one.starts_with(r#""JOVEM\u0000\u0000\u0001x"#), "{one}");
    assert_eq!(found_key, format!("{one}\n").repeat(10));
    assert_eq!([&found[0].tags, &found[1].tags], [&tags(0, 9, 10), &BTreeMap::new()]);
}
