//! Sinks that are killed, share a group or have little memory, and an S3 that is away or fails.

use super::*;

/// All numbers that a load wrote are in the objects: once each, in order, each at its own offset.
fn check_all_numbers(bucket: &Bucket, topic: &str, written: usize, flush_size: usize) {
    let (seen, objects) = (read_committed(topic), objects(&bucket.s3));
    for partition in [0, 1] {
        let front = format!("raw-data/kafka/{topic}/partition={partition}/{topic}+{partition}+");
        let numbers: Vec<&[u8]> =
            seen.iter().filter(|seen| seen.partition == partition).map(|seen| seen.value.as_deref().unwrap()).collect();
        assert_eq!(numbers.len(), written);
        let mut found = 0;
        for object in objects.iter().filter(|object| object.key.starts_with(&front)) {
            let first: usize = object.key[front.len()..front.len() + 10].parse().unwrap();
            assert_eq!(first, found, "{}", object.key);
            let text: String = numbers[first..first + flush_size]
                .iter()
                .map(|number| format!("\"{}\"\n", std::str::from_utf8(number).unwrap()))
                .collect();
            assert_eq!(String::from_utf8_lossy(&object.bytes), text, "{}", object.key);
            let (first, last) = (first as i64, (first + flush_size - 1) as i64);
            assert_eq!(object.tags, tags(first, last, flush_size as i64), "{}", object.key);
            found += flush_size;
        }
        assert_eq!(found, written / flush_size * flush_size);
    }
}

/// Waits until every whole file of a load is there.
fn all_files(bucket: &Bucket, written: usize, flush_size: usize) {
    let wanted = 2 * (written / flush_size);
    eventually("all files", Duration::from_secs(120), || bucket.keys().len() >= wanted);
    assert_eq!(bucket.keys().len(), wanted);
}

#[test]
fn b5_a_sink_killed_again_and_again_under_load_writes_each_record_into_exactly_one_object() {
    let (topic, bucket) = ("sink-killed", Bucket::new());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let load = Load::start(&world().settings(), topic, 2);
    for _ in 0..20 {
        let before = bucket.keys().len();
        let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
        eventually("objects", SOON, || bucket.keys().len() > before + 3);
        // Killed hard when dropped.
        drop(sink);
    }
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    let written = load.stop();
    all_files(&bucket, written, 200);
    stop(sink);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn b4_5_whatever_s3_answers_for_a_while_costs_nothing() {
    let (topic, bucket) = ("sink-faults", Bucket::new());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let load = Load::start(&world().settings(), topic, 2);
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    let faults = bucket.s3.faults();
    let operations = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObjectTagging"];
    for fault in [Fault::SlowDown, Fault::InternalError, Fault::Reset, Fault::LoseReply] {
        // More than the client's own attempts.
        operations.iter().for_each(|operation| faults.next(operation, 6, fault));
        eventually("all faults are met", SOON, || faults.waiting() == 0);
        let before = bucket.keys().len();
        eventually("objects again", SOON, || bucket.keys().len() > before);
    }
    let written = load.stop();
    all_files(&bucket, written, 200);
    stop(sink);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn an_s3_that_goes_and_comes_back_under_load_costs_nothing() {
    let (topic, dir) = ("sink-away", Directory::open(None).unwrap());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let mut bucket = Bucket { s3: S3::start(dir.path(), BUCKET).unwrap(), _dir: Directory::open(None).unwrap() };
    let address = bucket.s3.endpoint();
    let load = Load::start(&world().settings(), topic, 2);
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    // retry.backoff.ms is a fiftieth of the default: six seconds are five minutes.
    for seconds in [1, 6] {
        let before = bucket.keys().len();
        eventually("objects", SOON, || bucket.keys().len() > before + 3);
        drop(bucket);
        std::thread::sleep(Duration::from_secs(seconds));
        bucket = Bucket { s3: S3::start(dir.path(), BUCKET).unwrap(), _dir: Directory::open(None).unwrap() };
        assert_eq!(bucket.s3.endpoint(), address);
    }
    let written = load.stop();
    all_files(&bucket, written, 200);
    stop(sink);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn two_sinks_of_a_group_share_partitions_and_hand_over_in_mid_file() {
    let (topic, bucket) = ("sink-shared", Bucket::new());
    world().topic(topic, 2);
    let keys = texts(topic, &[("flush.size", "200")]);
    let group = format!("connect-{topic}");
    let load = Load::start(&world().settings(), topic, 2);
    let start = || Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys));
    let mut sinks = vec![start()];
    for _ in 0..3 {
        eventually("one member", SOON, || members(&world().settings(), &group) == 1);
        sinks.push(start());
        eventually("two members", SOON, || members(&world().settings(), &group) == 2);
        let before = bucket.keys().len();
        eventually("objects", SOON, || bucket.keys().len() > before + 3);
        stop(sinks.remove(0));
    }
    let written = load.stop();
    all_files(&bucket, written, 200);
    sinks.into_iter().for_each(stop);
    check_all_numbers(&bucket, topic, written, 200);
}

#[test]
fn a_large_file_goes_in_parts_within_its_memory_and_a_part_of_it_is_aborted_when_asked_to_stop() {
    let (topic, bucket) = ("sink-large", Bucket::new());
    world().topic(topic, 1);
    let line = |number: usize| format!("{number}{}", "x".repeat(8_000));
    let values: Vec<_> = (0..3000).map(|number| Some(line(number).into_bytes())).collect();
    let least = [("s3.part.size", "5242880"), ("smt.buffer.max.bytes", "5242880"), ("flush.size", "2000")];
    produce(topic, 0, &values);
    let sink = Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &texts(topic, &least)));
    let found = bucket.arrived(1);
    let text: String = (0..2000).map(|number| format!("\"{}\"\n", line(number))).collect();
    assert!(found[0].bytes == text.as_bytes(), "{} bytes", found[0].bytes.len());
    // The rest fills one part: it is there, and goes when the sink goes.
    let parts = || bucket.s3.faults().requests("UploadPart");
    eventually("a part of the tail", SOON, || parts() == 5);
    assert_eq!(bucket.s3.faults().requests("AbortMultipartUpload"), 0);
    stop(sink);
    assert_eq!(bucket.s3.faults().requests("AbortMultipartUpload"), 1);
    assert_eq!(bucket.keys().len(), 1);
}

#[test]
fn b2_3_and_b4_7_a_clock_closes_a_tail_and_an_object_that_is_there_is_read_past() {
    let (topic, bucket) = ("sink-clock", Bucket::new());
    world().topic(topic, 1);
    let clock = [("rotate.schedule.interval.ms", "500"), ("timezone", "UTC"), ("flush.size", "1000")];
    let numbers = |from: i32, to: i32| (from..to).map(|n| Some(n.to_string().into_bytes())).collect::<Vec<_>>();
    let start = |name| {
        let keys = [&texts(topic, &clock)[..], &[("name", name)]].concat();
        Running::start(&mut command(CUSTOMERS_SINK, &bucket.s3, &keys))
    };
    produce(topic, 0, &numbers(0, 3));
    let sink = start("sink-clock-one");
    eventually("offsets", SOON, || committed("sink-clock-one", topic, 1) == [Some(3)]);
    stop(sink);
    let before = objects(&bucket.s3);
    // Another group knows nothing of it, reads more, and finds the name taken.
    produce(topic, 0, &numbers(3, 5));
    let sink = start("sink-clock-other");
    eventually("offsets", SOON, || committed("sink-clock-other", topic, 1) == [Some(5)]);
    stop(sink);
    let after = objects(&bucket.s3);
    assert_eq!(after[0], before[0]);
    assert_eq!((after.len(), &after[1].tags), (2, &tags(3, 4, 2)));
    assert_eq!(after[1].bytes, b"\"3\"\n\"4\"\n");
}
