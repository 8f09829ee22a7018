//! JSON's numbers, as Java takes them.

use super::Result;
use crate::connect::{Schema, Value};

pub(super) fn is_integer(number: &str) -> bool {
    !number.contains(['.', 'e', 'E'])
}

/// Beyond 64 bits the low ones stay, as in Java.
pub(super) fn integer(number: &str) -> Result<i64> {
    if let Ok(value) = number.parse() {
        return Ok(value);
    }
    let number: num_bigint::BigInt = number.parse().map_err(|_| format!("{number} is no integer"))?;
    let low = num_bigint::BigInt::from(u64::MAX) & number;
    Ok(u64::try_from(low).unwrap_or_default() as i64)
}

/// By way of a BigDecimal, which has no negative zero.
pub(super) fn float(number: &str) -> Result<f64> {
    number.parse::<f64>().map(|value| value + 0.0).map_err(|_| format!("{number} is no number"))
}

/// A decimal written as a number (`decimal.format=NUMERIC`), in the scale of its schema.
pub(super) fn decimal(schema: &Schema, written: &str) -> Result<Value> {
    let scale: i64 = schema.parameter("scale").and_then(|scale| scale.parse().ok()).unwrap_or(0);
    let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| format!("{written} is no decimal"))?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let zeros = scale + exponent - fraction.len() as i64;
    // Enough for every decimal that is meant as one, and no more than can be written quickly.
    let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros <= 1000);
    let zeros = zeros.ok_or_else(|| format!("{written} does not have the scale {scale} of its schema"))?;
    let digits = format!("{whole}{fraction}{}", "0".repeat(zeros));
    let number: num_bigint::BigInt = digits.parse().map_err(|_| format!("{written} is no decimal"))?;
    Ok(Value::Bytes(number.to_signed_bytes_be().into()))
}
