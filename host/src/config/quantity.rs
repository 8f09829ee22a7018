//! Numbers with their unit: `100ms`, `128MiB`. A number without one is refused: nobody should have to guess. And
//! numbers of things, which have none.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// From the smallest; each with its worth in the first.
type Units = [(&'static str, u64)];

const TIMES: &Units = &[("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000)];
const SIZES: &Units = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A time that is waited or spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "toml::Value", into = "String")]
pub struct Time(pub Duration);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "toml::Value", into = "String")]
pub struct Size(pub usize);

/// How many, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "toml::Value", into = "u32")]
pub struct Count(pub u32);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Time, String> {
        parse(text, TIMES)
            .map(|us| Time(Duration::from_micros(us)))
            .ok_or_else(|| "a whole number and its unit (us, ms, s or m) are needed, such as 100ms".to_owned())
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        parse(text, SIZES)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .map(Size)
            .ok_or_else(|| "a whole number and its unit (B, KiB, MiB or GiB) are needed, such as 128MiB".to_owned())
    }
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Count, String> {
        match text.parse() {
            Ok(number) if number > 0 => Ok(Count(number)),
            _ => Err(format!("a whole number from 1 to {} is needed", u32::MAX)),
        }
    }
}

impl TryFrom<toml::Value> for Count {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Count, String> {
        value.to_string().parse().map_err(|allowed| format!("{value} does not fit: {allowed}"))
    }
}

impl TryFrom<toml::Value> for Time {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Time, String> {
        quoted(&value)
    }
}

impl TryFrom<toml::Value> for Size {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Size, String> {
        quoted(&value)
    }
}

fn quoted<T: FromStr<Err = String>>(value: &toml::Value) -> Result<T, String> {
    value.as_str().unwrap_or_default().parse().map_err(|allowed| format!("{value} does not fit: {allowed}, in quotes"))
}

fn parse(text: &str, units: &Units) -> Option<u64> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().ok()?;
    let (_, worth) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.checked_mul(*worth)
}

/// In the largest unit that leaves a whole number.
fn show(number: u64, units: &Units) -> String {
    let largest = units.iter().rev().find(|(_, worth)| number != 0 && number.is_multiple_of(*worth));
    let (name, worth) = largest.unwrap_or(&units[0]);
    format!("{}{name}", number / worth)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX), TIMES))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(self.0 as u64, SIZES))
    }
}

impl From<Count> for u32 {
    fn from(count: Count) -> u32 {
        count.0
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> String {
        size.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_is_a_whole_number_and_a_unit_and_prints_as_it_was_read() {
        for (text, us) in [("0us", 0), ("500us", 500), ("100ms", 100_000), ("2s", 2_000_000), ("1m", 60_000_000)] {
            let time: Time = text.parse().unwrap();
            assert_eq!((time.0, time.to_string().as_str()), (Duration::from_micros(us), text));
        }
        for bad in ["", "ms", "100", "1h", "-1s", "1.5s", "18446744073709551615m"] {
            assert!(bad.parse::<Time>().unwrap_err().contains("100ms"), "{bad}");
        }
    }

    #[test]
    fn a_size_is_a_whole_number_and_a_unit() {
        for (text, bytes) in [("1B", 1), ("3KiB", 3 << 10), ("128MiB", 128 << 20), ("2GiB", 2 << 30)] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, text));
        }
        assert_eq!(Size(1025).to_string(), "1025B");
        for bad in ["128", "128MB", "MiB", "1e3B"] {
            assert!(bad.parse::<Size>().unwrap_err().contains("128MiB"), "{bad}");
        }
    }

    #[test]
    fn a_count_is_at_least_one() {
        assert_eq!(("1".parse(), "4294967295".parse()), (Ok(Count(1)), Ok(Count(u32::MAX))));
        for bad in ["0", "-1", "4294967296", "1.0", "\"1\"", ""] {
            assert!(bad.parse::<Count>().is_err(), "{bad}");
        }
    }
}
