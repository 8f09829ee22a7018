//! When a record happened: its own timestamp, or a field that the plugin names. Never decodes more than that field.

use serde_json::{Value, json};

use crate::avro::{Plan, Schema};
use crate::exit::Stop;
use crate::guest::Format;

/// Where a record's time stands in its value, as the plugin reads it.
pub enum EventTime {
    Record,
    Avro(AvroField),
    Json(String),
}

pub struct AvroField {
    name: String,
    /// From the plugin's record to one with this field alone.
    plan: Plan,
    /// The union's branch that is null.
    null: Option<u64>,
    per_ms: i64,
}

impl EventTime {
    pub fn of(plugin: &str, field: Option<&str>, input: &Format) -> Result<EventTime, Stop> {
        match (field, input) {
            (None, _) | (_, Format::Bytes) => Ok(EventTime::Record),
            (Some(field), Format::Json | Format::AvroAsJson(_)) => Ok(EventTime::Json(field.to_owned())),
            (Some(field), Format::Avro(text)) => {
                let wrong = |why: &str| {
                    Stop::start(format!("plugin {plugin}: its time field {field:?} {why}"))
                        .hint("this is for the plugin's author: a long or a timestamp is needed, which may be null")
                };
                AvroField::of(field, text).map(EventTime::Avro).map_err(|why| wrong(&why))
            }
        }
    }

    /// In milliseconds; the record's own where the value is not asked. `scratch` is reused from record to record.
    pub fn read(&self, value: &[u8], record: i64, scratch: &mut Vec<u8>) -> Result<i64, String> {
        match self {
            EventTime::Record => Ok(record),
            EventTime::Avro(field) => field.read(value, scratch),
            EventTime::Json(field) => {
                let document: Value = serde_json::from_slice(value).map_err(|error| format!("not JSON: {error}"))?;
                let time = document.get(field).and_then(Value::as_i64);
                time.ok_or_else(|| format!("its time field {field:?} is no whole number of milliseconds"))
            }
        }
    }
}

impl AvroField {
    fn of(name: &str, text: &str) -> Result<AvroField, String> {
        let schema: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let fields = schema.get("fields").and_then(Value::as_array).ok_or("is of a schema that is no record")?;
        let field = fields.iter().find(|field| field["name"] == name).ok_or("is not in its input")?;
        let declared = &field["type"];
        let (long, null) = match declared.as_array().map(Vec::as_slice) {
            None => (declared, None),
            Some([null, long]) if null == "null" => (long, Some(0)),
            Some([long, null]) if null == "null" => (long, Some(1)),
            Some(_) => return Err(format!("is {declared}")),
        };
        let logical = long.get("logicalType").and_then(Value::as_str);
        let per_ms = match (long.get("type").unwrap_or(long).as_str(), logical) {
            (Some("long"), None | Some("timestamp-millis" | "local-timestamp-millis")) => 1,
            (Some("long"), Some("timestamp-micros" | "local-timestamp-micros")) => 1000,
            _ => return Err(format!("is {declared}")),
        };
        let mut alone = json!({"type": "record", "name": schema["name"], "fields": [{"name": name, "type": declared}]});
        if let Some(namespace) = schema.get("namespace") {
            alone["namespace"] = namespace.clone();
        }
        let parse = |text: &str| Schema::parse(text).map_err(|error| error.to_string());
        let plan = Plan::compile(&parse(text)?, &parse(&alone.to_string())?).map_err(|error| error.to_string())?;
        Ok(AvroField { name: name.to_owned(), plan, null, per_ms })
    }

    fn read(&self, value: &[u8], scratch: &mut Vec<u8>) -> Result<i64, String> {
        scratch.clear();
        self.plan.run(value, scratch).map_err(|error| error.to_string())?;
        let mut rest = scratch.as_slice();
        if let Some(null) = self.null
            && zigzag(&mut rest) == null as i64
        {
            return Err(format!("its time field {:?} is null", self.name));
        }
        Ok(zigzag(&mut rest).div_euclid(self.per_ms))
    }
}

/// What a plan wrote is well-formed.
fn zigzag(from: &mut &[u8]) -> i64 {
    let (mut value, mut shift) = (0u64, 0);
    while let Some((&byte, rest)) = from.split_first() {
        *from = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 || shift > 63 {
            break;
        }
    }
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn schema(field: &str) -> Format {
        let fields = format!(r#"[{{"name":"a","type":"string"}},{{"name":"at","type":{field}}}]"#);
        Format::Avro(format!(r#"{{"type":"record","name":"r","namespace":"n","fields":{fields}}}"#))
    }

    fn check(field: &str, datum: &[u8], expected: Result<i64, &str>) {
        let time = EventTime::of("p", Some("at"), &schema(field)).unwrap();
        let read = time.read(&[b"\x04ab", datum].concat(), 7, &mut Vec::new());
        assert_eq!(read.as_ref().map_err(String::as_str), expected.as_ref().map_err(|error| *error), "{field}");
    }

    #[test]
    fn a_field_is_read_out_of_its_record() {
        check(r#""long""#, &[0xd0, 0x0f], Ok(1000));
        check(r#"{"type":"long","logicalType":"timestamp-millis"}"#, &[1], Ok(-1));
        check(r#"{"type":"long","logicalType":"timestamp-micros"}"#, &[1], Ok(-1));
        check(r#"["null","long"]"#, &[2, 6], Ok(3));
        check(r#"["long","null"]"#, &[0, 6], Ok(3));
        check(r#"["null","long"]"#, &[0], Err("its time field \"at\" is null"));
        check(r#"["long","null"]"#, &[2], Err("its time field \"at\" is null"));
        let least = [&[0xff; 9][..], &[1]].concat();
        check(r#""long""#, &least, Ok(i64::MIN));
    }

    #[test]
    fn a_field_that_holds_no_time_is_refused() {
        for (field, says) in [("at", "is \"int\""), ("b", "is not in its input")] {
            let stop = EventTime::of("p", Some(field), &schema(r#""int""#)).err().unwrap().to_string();
            assert!(stop.contains(says) && stop.contains("long"), "{stop}");
        }
    }

    #[test]
    fn json_and_records_have_times_too() {
        let time = EventTime::of("p", Some("at"), &Format::Json).unwrap();
        assert_eq!(time.read(br#"{"at":5}"#, 7, &mut Vec::new()), Ok(5));
        for bad in [&b"x"[..], b"{}", br#"{"at":"5"}"#, br#"{"at":5.5}"#] {
            assert!(time.read(bad, 7, &mut Vec::new()).is_err());
        }
        assert_eq!(EventTime::of("p", None, &Format::Json).unwrap().read(b"x", 7, &mut Vec::new()), Ok(7));
    }
}
