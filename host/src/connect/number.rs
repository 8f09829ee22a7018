//! `Double.toString` and `Float.toString` as Java up to 18 has them: not always the shortest digits (2e23 is
//! 1.9999999999999998E23), so that no library of shortest digits will do.

/// The digits of a number.
mod digits;

use self::digits::{Binary, SHIFT, decimal};

pub fn double(value: f64, out: &mut Vec<u8>) {
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32);
    write(Parts::of(value, fraction, exponent, 52, 1023), out);
}

pub fn float(value: f32, out: &mut Vec<u8>) {
    let bits = u64::from(value.to_bits());
    let (fraction, exponent) = (bits & ((1 << 23) - 1), (bits >> 23 & 0xff) as i32);
    write(Parts::of(value.into(), fraction, exponent, 23, 127), out);
}

/// A number that is neither zero, infinite nor none; the rest is text at once.
enum Parts {
    Text(&'static str),
    Number { negative: bool, binary: Binary },
}

impl Parts {
    fn of(value: f64, fraction: u64, exponent: i32, width: i32, bias: i32) -> Parts {
        let negative = value.is_sign_negative();
        match value {
            value if value.is_nan() => return Parts::Text("NaN"),
            value if value.is_infinite() => return Parts::Text(if negative { "-Infinity" } else { "Infinity" }),
            0.0 => return Parts::Text(if negative { "-0.0" } else { "0.0" }),
            _ => {}
        }
        let (fraction, exponent, significant_bits) = if exponent == 0 {
            let zeros = fraction.leading_zeros() as i32;
            let shift = zeros - (63 - width);
            (fraction << shift, 1 - shift, 64 - zeros)
        } else {
            (fraction | 1 << width, exponent, width + 1)
        };
        let binary = Binary { exponent: exponent - bias, fraction: fraction << (SHIFT - width), significant_bits };
        Parts::Number { negative, binary }
    }
}

fn write(parts: Parts, out: &mut Vec<u8>) {
    let (negative, binary) = match parts {
        Parts::Text(text) => return out.extend_from_slice(text.as_bytes()),
        Parts::Number { negative, binary } => (negative, binary),
    };
    if negative {
        out.push(b'-');
    }
    let decimal = decimal(&binary);
    let digits = decimal.digits();
    match decimal.exponent {
        exponent @ 1..8 => {
            let whole = digits.len().min(exponent as usize);
            out.extend_from_slice(&digits[..whole]);
            out.extend(std::iter::repeat_n(b'0', exponent as usize - whole));
            out.push(b'.');
            out.extend_from_slice(if whole < digits.len() { &digits[whole..] } else { b"0" });
        }
        exponent @ -2..=0 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', exponent.unsigned_abs() as usize));
            out.extend_from_slice(digits);
        }
        exponent => {
            out.push(digits.first().copied().unwrap_or(b'0'));
            out.push(b'.');
            out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
            out.push(b'E');
            integer((exponent - 1).into(), out);
        }
    }
}

/// An integer, in decimal.
pub fn integer(value: i64, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    serde_json::to_writer(out, &value).ok();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(value: f64, expected: &str) {
        let mut out = Vec::new();
        double(value, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{value:e}");
    }

    #[test]
    fn b6_5_doubles_are_printed_as_java_17_prints_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (100.0, "100.0"),
            (1e7, "1.0E7"),
            (9999999.0, "9999999.0"),
            (1e-3, "0.001"),
            (2e-3, "0.002"),
            (9.999e-4, "9.999E-4"),
            (2e23, "1.9999999999999998E23"),
            (1e23, "9.999999999999999E22"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            check(value, expected);
        }
    }

    #[test]
    fn b6_5_recorded_numbers_have_javas_digits() {
        for line in include_str!("testdata/java-numbers.txt").lines() {
            let [kind, bits, expected] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let mut out = Vec::new();
            match kind {
                "d" => double(f64::from_bits(u64::from_str_radix(bits, 16).unwrap()), &mut out),
                _ => float(f32::from_bits(u32::from_str_radix(bits, 16).unwrap()), &mut out),
            }
            assert_eq!(String::from_utf8_lossy(&out), expected, "{line}");
        }
    }
}
