#![allow(clippy::unwrap_used)]

use super::super::format::{AvroCodec, Format};
use super::*;

const CUSTOMERS: &str = include_str!("../../../connectors/sink/connect_s3_sink.config");
const YOUNG: &str = include_str!("../../../connectors/sink/connect_s3_sink_jovens.config");
const COUNT: &str = include_str!("../../../connectors/sink/connect_s3_sink_count.config");

const BUCKET: [(&str, &str); 2] = [("s3.bucket.name", "workshop"), ("s3.region", "us-east-1")];

fn parse(file: &str, keys: &[(&str, &str)]) -> Result<Connector, Stop> {
    let keys = BUCKET.iter().chain(keys).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Connector::parse(file, &keys.collect::<Vec<_>>())
}

/// The customers' sink with one key more.
fn with(key: &str, value: &str) -> Result<Connector, Stop> {
    parse(CUSTOMERS, &[(key, value)])
}

#[test]
fn the_workshops_files_are_read() {
    let customers = parse(CUSTOMERS, &[]).unwrap();
    assert_eq!(
        (customers.name.as_str(), customers.group().as_str()),
        ("customers-s3-sink", "connect-customers-s3-sink")
    );
    assert_eq!(customers.topics, ["postgres-customers"]);
    assert_eq!((customers.rules.flush_size, customers.rules.compatibility), (2, Compatibility::Backward));
    assert!(matches!(customers.formats.value.format, Format::Json(_)));
    // B1.4: a format of keys alone stores none.
    assert!(customers.formats.key.is_none());
    assert_eq!(customers.tags, Some(Tags { more: vec![], required: false }));
    assert_eq!(customers.ignored, [("schema.generator.class", "it is no setting of the original either")]);

    let young = parse(YOUNG, &[]).unwrap();
    assert_eq!((young.name.as_str(), young.rules.flush_size), ("s3-jovens-sink", 10));
    assert!(matches!(young.formats.value.format, Format::Avro { codec: AvroCodec::Null, .. }));

    let count = parse(COUNT, &[]).unwrap();
    assert_eq!((count.name.as_str(), count.rules.compatibility), ("s3-contagem-sink", Compatibility::None));
    assert!(matches!(count.formats.key.unwrap().format, Format::Json(_)));
}

#[test]
fn a_file_whose_placeholders_were_left_in_says_what_to_set() {
    let stop = Connector::parse(CUSTOMERS, &[]).unwrap_err();
    assert!(stop.what.starts_with(r#"s3.bucket.name is "NOME_DO_BUCKET""#), "{stop}");
    assert_eq!(stop.hint.as_deref(), Some("give your bucket's name: --set s3.bucket.name=…"));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one_and_a_known_one_without_effect_says_why() {
    let stop = with("flush.siz", "2").unwrap_err();
    assert_eq!(stop.what, r#"unknown connector key "flush.siz""#);
    assert_eq!(stop.hint.as_deref(), Some(r#"did you mean "flush.size"?"#));
    let stop = with("transforms.a.type", "x").unwrap_err();
    assert_eq!(stop.what, r#"connector key "transforms.a.type" is not supported"#);
}

#[test]
fn b1_9_and_every_other_ignored_key_is_a_known_one() {
    for (key, _) in IGNORED {
        assert!(with(key, "1").unwrap().ignored.iter().any(|(ignored, _)| ignored == key), "{key}");
    }
    let stray = with("rotate.interval.ms", "1000").unwrap();
    assert_eq!(stray.ignored.last(), Some(&("rotate.interval.ms", "partitioner.class is none of time")));
}

#[test]
fn a_wrong_value_is_refused_with_the_allowed_ones() {
    let check = |key: &str, value: &str, wanted: &str| {
        let stop = with(key, value).unwrap_err();
        assert_eq!(stop.what, wanted);
    };
    check("flush.size", "0", r#"flush.size is "0"; allowed: a whole number from 1 to 2147483647"#);
    check("schema.compatibility", "ALL", r#"schema.compatibility is "ALL"; allowed: NONE, BACKWARD, FORWARD, FULL"#);
    check(
        "s3.part.size",
        "5242879",
        r#"s3.part.size is "5242879"; allowed: a whole number from 5242880 to 2147483647"#,
    );
    assert_eq!(with("s3.part.size", "5242880").unwrap().part_size, 5_242_880);
    check("s3.ssea.name", "AES", r#"s3.ssea.name is "AES"; allowed: AES256, aws:kms"#);
    check("topics.regex", "x", "topics and topics.regex exclude each other");
    check(
        "rotate.schedule.interval.ms",
        "1000",
        "timezone is missing: rotate.schedule.interval.ms counts from its midnight",
    );
    check("behavior.on.null.values", "write", "behavior.on.null.values is write, and store.kafka.keys is false");
    check("s3.sse.customer.key", "c2hvcnQ=", "s3.sse.customer.key is no key; allowed: 32 bytes in base64");
    check("aws.access.key.id", "AKIA", "aws.secret.access.key is missing: aws.access.key.id is given");
}

#[test]
fn b4_6_providers_of_the_default_chain_are_taken_by_their_names_and_others_refused() {
    let check = |class: &str| with("s3.credentials.provider.class", class).map_err(|stop| stop.what);
    assert!(check("software.amazon.awssdk.auth.credentials.InstanceProfileCredentialsProvider").is_ok());
    let refused = check("com.example.VaultCredentialsProvider").unwrap_err();
    assert!(refused.starts_with(r#"s3.credentials.provider.class is "com.example.VaultCredentialsProvider"; allowed"#));
}

#[test]
fn b1_3_gzip_is_for_json_and_bytes_only() {
    let gzip = ("s3.compression.type", "gzip");
    assert_eq!(parse(CUSTOMERS, &[gzip]).unwrap().formats.value.extension, ".json.gz");
    let what = |file, keys: &[(&str, &str)]| parse(file, &[&[gzip], keys].concat()).unwrap_err().what;
    assert_eq!(what(YOUNG, &[]), "s3.compression.type is gzip, and format.class compresses inside of its files");
    let avro_keys = ("keys.format.class", "io.confluent.connect.s3.format.avro.AvroFormat");
    assert_eq!(
        what(COUNT, &[avro_keys]),
        "s3.compression.type is gzip, and keys.format.class compresses inside of its files"
    );
}

#[test]
fn b4_7_only_a_clock_without_keys_and_headers_asks_for_conditional_writes() {
    let clock = [("rotate.schedule.interval.ms", "1000"), ("timezone", "UTC")];
    let check = |file, keys: &[(&str, &str)], expected| assert_eq!(parse(file, keys).unwrap().no_overwrite, expected);
    check(CUSTOMERS, &[], false);
    check(CUSTOMERS, &clock, true);
    check(COUNT, &clock, false);
    check(CUSTOMERS, &[clock[0], clock[1], ("enable.conditional.writes", "false")], false);
}

#[test]
fn no_text_shows_a_secret() {
    let keys = [("aws.access.key.id", "AKIA"), ("aws.secret.access.key", "s3cret")];
    assert!(!format!("{:?}", parse(CUSTOMERS, &keys).unwrap()).contains("s3cret"));
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assert!(!format!("{:?}", with("s3.sse.customer.key", key).unwrap()).contains(key));
}
