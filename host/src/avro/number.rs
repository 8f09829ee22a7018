//! Floating-point numbers in JSON as Java prints them: 1.0E10, 100.0, and "NaN" as a string.

use std::fmt::LowerExp;

use serde_json::Value;

/// What `Double.toString` gives; the three values JSON has no number for are strings, as Jackson quotes them.
pub(super) fn double(value: f64) -> String {
    java(value, value)
}

/// What `Float.toString` gives.
pub(super) fn float(value: f32) -> String {
    java(value, f64::from(value))
}

fn java(number: impl LowerExp, value: f64) -> String {
    if value.is_nan() {
        return "\"NaN\"".into();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("\"{sign}Infinity\"");
    }
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    let shortest = format!("{number:e}");
    // Java always gives two digits, and chooses the second one well: the least double is 4.9E-324, not 5.0E-324.
    let text = if shortest.contains('.') { shortest } else { format!("{number:.1e}") };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    match exponent {
        -3..7 => plain(sign, digits, exponent),
        _ => format!("{digits}E{exponent}"),
    }
}

fn plain(sign: &str, digits: &str, exponent: i32) -> String {
    let mut figures: String = digits.chars().filter(char::is_ascii_digit).collect();
    let point = exponent + 1;
    let whole = usize::try_from(point).unwrap_or_default();
    if point <= 0 {
        figures.insert_str(0, &"0".repeat(1 + point.unsigned_abs() as usize));
    }
    let whole = whole.max(1);
    while figures.len() < whole + 1 {
        figures.push('0');
    }
    let (before, after) = figures.split_at(whole);
    let after = after.trim_end_matches('0');
    format!("{sign}{before}.{}", if after.is_empty() { "0" } else { after })
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
