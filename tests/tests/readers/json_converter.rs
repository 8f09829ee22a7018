//! B6: JSON lines byte for byte as Apache Kafka's own JsonConverter writes them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use smt_host::connect::Converter;
use smt_host::platform::jars::Jars;
use smt_host::sink::format::{Compression, Format, Json};

use super::{beside, cache, installed};

const RECORDS: usize = 2_000;
const DEPTH_MAX: u32 = 3;
const TEXTS: [&str; 8] =
    ["", "a", "Ação", "\u{0}\u{1f}\"\\/", "\u{2028}\u{ffff}\u{7f}", "😀x𝄞", "é\u{301}", "\n\t\r\u{8}\u{c}"];

fn logical(base: &str, name: &str) -> Value {
    json!({"type": base, "name": format!("org.apache.kafka.connect.data.{name}"), "version": 1})
}

/// A schema as JsonConverter spells it, and a payload that fits.
fn any(random: &mut StdRng, depth: u32) -> (Value, Value) {
    let kinds = if depth < DEPTH_MAX { 17 } else { 13 };
    let (mut schema, payload) = match random.random_range(0..kinds) {
        0 => (json!({"type": "boolean"}), json!(random.random::<bool>())),
        1 => (json!({"type": "int8"}), json!(random.random::<i8>())),
        2 => (json!({"type": "int16"}), json!(random.random::<i16>())),
        3 => (json!({"type": "int32"}), json!(random.random::<i32>())),
        4 => (json!({"type": "int64"}), json!(random.random::<i64>())),
        5 => (json!({"type": "float"}), json!(single(random))),
        6 => (json!({"type": "double"}), json!(double(random))),
        7 => (json!({"type": "string"}), json!(text(random))),
        8 => (json!({"type": "bytes"}), json!(base64(random))),
        9 => (logical("int32", "Date"), json!(random.random_range(-1_000_000..1_000_000))),
        10 => (logical("int32", "Time"), json!(random.random_range(0..86_400_000))),
        11 => {
            (logical("int64", "Timestamp"), json!(random.random_range(-100_000_000_000_000_i64..100_000_000_000_000)))
        }
        12 => {
            let mut schema = logical("bytes", "Decimal");
            schema["parameters"] = json!({"scale": random.random_range(0..12).to_string()});
            (schema, json!(base64(random)))
        }
        13 => {
            let (items, first) = any(random, depth + 1);
            // Of one schema, so of one value: another may not fit.
            let payload = vec![first; random.random_range(0..3)];
            (json!({"type": "array", "items": items}), json!(payload))
        }
        14 => {
            let (values, value) = any(random, depth + 1);
            let members = (0..random.random_range(0..20)).map(|_| (text(random), value.clone()));
            let payload: serde_json::Map<String, Value> = members.collect();
            (json!({"type": "map", "keys": {"type": "string"}, "values": values}), json!(payload))
        }
        15 => {
            let (values, value) = any(random, depth + 1);
            let pairs: Vec<Value> = (0..random.random_range(0..20)).map(|n: i32| json!([n * 7919, value])).collect();
            (json!({"type": "map", "keys": {"type": "int32"}, "values": values}), json!(pairs))
        }
        _ => structure(random, depth + 1),
    };
    schema["optional"] = json!(random.random::<bool>());
    let is_null = schema["optional"] == true && random.random_ratio(1, 4);
    (schema, if is_null { Value::Null } else { payload })
}

fn structure(random: &mut StdRng, depth: u32) -> (Value, Value) {
    let (mut fields, mut payload) = (Vec::new(), serde_json::Map::new());
    for number in 0..random.random_range(1..6) {
        let (mut field, value) = any(random, depth);
        let name = format!("f{number}ç");
        field["field"] = json!(name);
        fields.push(field);
        payload.insert(name, value);
    }
    (json!({"type": "struct", "fields": fields}), Value::Object(payload))
}

/// Of all magnitudes, and where the form changes.
fn double(random: &mut StdRng) -> f64 {
    let edges = [0.0, -0.0, 1e-3, 9.999e-4, 1e7, 9_999_999.0, 2e23, 1e23, 5e-324, f64::MAX, 0.1 + 0.2];
    match random.random_range(0..3) {
        0 => edges[random.random_range(0..edges.len())],
        1 => f64::from(random.random::<i32>()) / 100.0,
        _ => finite(f64::from_bits(random.random())),
    }
}

fn single(random: &mut StdRng) -> f32 {
    let numbers = [double(random) as f32, f32::from_bits(random.random())];
    numbers.into_iter().find(|number| number.is_finite()).unwrap_or(1.0)
}

/// JSON has no others.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 1.0 }
}

fn text(random: &mut StdRng) -> String {
    (0..random.random_range(0..3)).map(|_| TEXTS[random.random_range(0..TEXTS.len())]).collect()
}

fn base64(random: &mut StdRng) -> String {
    // In groups of three bytes there is no padding to be made.
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..4 * random.random_range(1..5)).map(|_| DIGITS[random.random_range(0..64)] as char).collect()
}

fn java(lines: &str) -> String {
    let kafka = Jars::find().unwrap().class_path().into_string().unwrap();
    let version = Path::new(&kafka).parent().and_then(Path::file_name).unwrap();
    let json = installed(cache().join("connect-json").join(version));
    let mut java = Command::new("java");
    // A file instead of a class is compiled first.
    java.args(["-cp", &format!("{}/*:{kafka}", json.display())]).arg(beside("JsonLines.java"));
    let mut child = java.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, lines) = (child.stdin.take().unwrap(), lines.to_owned());
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "java (a JDK): {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn b6_json_lines_of_generated_records_of_every_type_are_those_of_kafkas_own_converter() {
    let mut random = StdRng::seed_from_u64(20_260_612);
    let mut record = || {
        let (schema, payload) = structure(&mut random, 0);
        json!({"schema": schema, "payload": payload}).to_string()
    };
    let records: Vec<String> = (0..RECORDS).map(|_| record()).collect();
    let theirs = java(&records.iter().map(|record| format!("{record}\n")).collect::<String>());
    let mut converter = Converter::json(true);
    let mut ours = |record: &str, numeric_decimals: bool| {
        let datum = converter.to_connect("topic", Some(record.as_bytes())).unwrap();
        let format = Format::Json(Json { numeric_decimals, ..Json::default() });
        let mut file = format.open(Compression::None, &datum).unwrap();
        file.append(&datum).unwrap();
        String::from_utf8(file.finish().unwrap()).unwrap()
    };
    let mut theirs_lines = theirs.split_inclusive('\n');
    for record in &records {
        for numeric in [false, true] {
            assert_eq!(ours(record, numeric), theirs_lines.next().unwrap(), "numeric {numeric}: {record}");
        }
    }
    assert_eq!(theirs_lines.next(), None);
}
