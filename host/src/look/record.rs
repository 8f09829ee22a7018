//! From a record's bytes to data, whatever they are: Avro with the registry's frame, JSON, numbers, text, windows.
//!
//! Guesses as ksqlDB's PRINT does. Only a registry that is away is an error: what cannot be decoded is text or bytes.

use std::collections::HashMap;

use rdkafka::message::{BorrowedMessage, Headers, Message};

use super::cell::Cell;
use crate::connect::avro::Reader;
use crate::connect::text;
use crate::exit::Stop;
use crate::registry::{Error, Registry, wire};

/// What bytes are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    None,
    Avro,
    Json,
    Int,
    Bigint,
    Text,
    Bytes,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Data {
    pub(super) format: Format,
    pub(super) cell: Cell,
    /// JSON as it was written.
    pub(super) written: Option<String>,
    pub(super) window: Option<Window>,
}

/// Behind a windowed key. A session knows its end, a window of a fixed size does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: i64,
    pub(super) end: Option<i64>,
}

pub(super) struct Record {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) time_ms: Option<i64>,
    pub(super) key: Data,
    pub(super) value: Data,
    pub(super) headers: Vec<(String, Data)>,
}

pub(super) struct Decoder {
    registry: Registry,
    /// `None`: no schema of that id, or none of use.
    readers: HashMap<u32, Option<Reader>>,
}

impl Decoder {
    pub(super) fn new(registry: &Registry) -> Decoder {
        Decoder { registry: registry.with_deadline(super::REGISTRY_WITHIN), readers: HashMap::new() }
    }

    pub(super) fn record(&mut self, message: &BorrowedMessage<'_>) -> Result<Record, Stop> {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        Ok(Record {
            partition: message.partition(),
            offset: message.offset(),
            time_ms: message.timestamp().to_millis(),
            key: self.key(message.key())?,
            value: self.value(message.payload())?,
            headers: headers.map(|header| (header.key.to_owned(), plain(header.value))).collect(),
        })
    }

    fn value(&mut self, bytes: Option<&[u8]>) -> Result<Data, Stop> {
        if let Some(cell) = bytes.map_or(Ok(None), |bytes| self.avro(bytes))? {
            return Ok(Data::of(Format::Avro, cell));
        }
        Ok(plain(bytes))
    }

    fn key(&mut self, bytes: Option<&[u8]>) -> Result<Data, Stop> {
        let Some(bytes) = bytes else { return Ok(plain(None)) };
        if let Some((key, window)) = windowed(bytes) {
            return Ok(Data { window: Some(window), ..self.bare_key(key)? });
        }
        self.bare_key(bytes)
    }

    fn bare_key(&mut self, bytes: &[u8]) -> Result<Data, Stop> {
        if let Some(cell) = self.avro(bytes)? {
            return Ok(Data::of(Format::Avro, cell));
        }
        let data = plain(Some(bytes));
        // What is no number is text to the KAFKA format, whatever its bytes.
        let lossy = || Data::of(Format::Text, Cell::Text(text::decode(bytes).into()));
        Ok(if data.format == Format::Bytes { lossy() } else { data })
    }

    fn avro(&mut self, bytes: &[u8]) -> Result<Option<Cell>, Stop> {
        let Ok((id, datum)) = wire::unframe(bytes) else { return Ok(None) };
        if !self.readers.contains_key(&id) {
            let reader = match self.registry.schema(id) {
                Ok(schema) => Reader::compile(&schema, None).ok(),
                Err(error @ Error::Unreachable { .. }) => return Err(error.into()),
                Err(Error::Refused { status: status @ (401 | 403), code, message }) => {
                    return Err(Error::Refused { status, code, message }.into());
                }
                Err(_) => None,
            };
            self.readers.insert(id, reader);
        }
        let reader = self.readers.get(&id).and_then(Option::as_ref);
        Ok(reader.and_then(|reader| {
            let value = reader.read_framed(datum).ok()?;
            Some(Cell::of_connect(Some(&reader.schema), value))
        }))
    }
}

impl Data {
    fn of(format: Format, cell: Cell) -> Data {
        Data { format, cell, written: None, window: None }
    }
}

/// Without a registry.
fn plain(bytes: Option<&[u8]>) -> Data {
    let Some(bytes) = bytes else { return Data::of(Format::None, Cell::Null) };
    let written = std::str::from_utf8(bytes);
    match (written, bytes) {
        (Ok(written), _) if written.trim_start().starts_with(['{', '[']) => match serde_json::from_str(written) {
            Ok(json) => Data { written: Some(written.to_owned()), ..Data::of(Format::Json, Cell::of_json(&json)) },
            Err(_) => Data::of(Format::Text, Cell::Text(written.to_owned())),
        },
        (Ok(written), _) if is_readable(written) => Data::of(Format::Text, Cell::Text(written.to_owned())),
        (_, &[a, b, c, d]) => Data::of(Format::Int, Cell::Int(i32::from_be_bytes([a, b, c, d]).into())),
        (_, &[a, b, c, d, e, f, g, h]) => {
            Data::of(Format::Bigint, Cell::Int(i64::from_be_bytes([a, b, c, d, e, f, g, h])))
        }
        (Ok(written), _) if !written.contains('\0') => Data::of(Format::Text, Cell::Text(written.to_owned())),
        _ => Data::of(Format::Bytes, Cell::Bytes(bytes.to_vec())),
    }
}

fn is_readable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c.is_whitespace())
}

/// The key without its window. A time is one from 1971 to 2200: eight bytes that are no text.
fn windowed(bytes: &[u8]) -> Option<(&[u8], Window)> {
    let (rest, last) = time_behind(bytes)?;
    match time_behind(rest) {
        // A session: key, end, start.
        Some((key, end)) if end >= last && !key.is_empty() => Some((key, Window { start: last, end: Some(end) })),
        _ => Some((rest, Window { start: last, end: None })).filter(|(key, _)| !key.is_empty()),
    }
}

fn time_behind(bytes: &[u8]) -> Option<(&[u8], i64)> {
    let (rest, last) = bytes.split_last_chunk::<8>()?;
    let time = i64::from_be_bytes(*last);
    (31_536_000_000..7_258_118_400_000).contains(&time).then_some((rest, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_618_269_960_000;

    #[test]
    fn d4_2_windows_are_found_behind_keys() {
        let key = |parts: &[&[u8]]| parts.concat();
        let (start, end) = (START.to_be_bytes(), (START + 30_000).to_be_bytes());
        let tumbling = Window { start: START, end: None };
        for (bytes, expected) in [
            (key(&[b"JOVEM", &start]), Some((&b"JOVEM"[..], tumbling))),
            (key(&[b"JOVEM", &end, &start]), Some((b"JOVEM", Window { start: START, end: Some(START + 30_000) }))),
            // A key that is not UTF-8, and one that is a window's time itself.
            (key(&[&[0xff], &start]), Some((&[0xff], tumbling))),
            (key(&[&start]), None),
            (b"JOVEM".to_vec(), None),
            (b"ADULTO AND MORE".to_vec(), None),
            (key(&[b"JOVEM", &0i64.to_be_bytes()]), None),
            (key(&[b"JOVEM", &(-1i64).to_be_bytes()]), None),
            (Vec::new(), None),
        ] {
            assert_eq!(windowed(&bytes), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn bytes_without_a_schema_are_what_they_look_like() {
        for (bytes, format, shown) in [
            (&b"JOVEM"[..], Format::Text, "JOVEM"),
            (b"four", Format::Text, "four"),
            (b"", Format::Text, ""),
            (b"\0\0\0\x07", Format::Int, "7"),
            (b"\0\0\0\0\0\0\x01\0", Format::Bigint, "256"),
            (b"{\"a\":[1.50,null]}", Format::Json, r#"{"a": [1.5, null]}"#),
            (b"{\"a\":", Format::Text, "{\"a\":"),
            (b"\xff\xfe", Format::Bytes, "//4="),
            (b"a\0b", Format::Bytes, "YQBi"),
            (b"\x1b[1ma", Format::Text, "\x1b[1ma"),
        ] {
            let data = plain(Some(bytes));
            assert_eq!((data.format, data.cell.text().as_str()), (format, shown), "{bytes:02x?}");
        }
    }
}
