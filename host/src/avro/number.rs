//! Floating-point numbers in JSON as Java prints them: 1.0E10, 100.0, and "NaN" as a string.

use serde_json::Value;

use crate::connect::number;

/// What `Double.toString` gives; the three values JSON has no number for are strings, as Jackson quotes them.
pub(super) fn double(value: f64, out: &mut Vec<u8>) {
    quote(!value.is_finite(), out, |out| number::double(value, out));
}

/// What `Float.toString` gives.
pub(super) fn float(value: f32, out: &mut Vec<u8>) {
    quote(!value.is_finite(), out, |out| number::float(value, out));
}

fn quote(quoted: bool, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mark = if quoted { &b"\""[..] } else { b"" };
    out.extend_from_slice(mark);
    write(out);
    out.extend_from_slice(mark);
}

/// The number a JSON value stands for, be it one that JSON can only spell.
pub(super) fn float_in(json: &Value) -> Option<f64> {
    match json.as_str() {
        None => json.as_f64(),
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
    }
}
