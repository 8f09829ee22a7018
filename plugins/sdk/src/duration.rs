//! Durations as people write them: `30s`, `1h`.

use std::fmt;
use std::str::FromStr;

/// Milliseconds, read from a whole number and a unit: `500ms`, `30s`, `10m`, `1h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDuration;

impl NoDuration {
    pub const MESSAGE: &'static str = "expected a whole number and ms, s, m, h or d, as in \"30s\"";
}

impl Millis {
    /// `const`, so that a wrong text in an attribute does not compile.
    pub const fn parse(text: &str) -> Result<Self, NoDuration> {
        let (mut number, mut rest) = (0u64, text.as_bytes());
        while let [digit @ b'0'..=b'9', after @ ..] = rest {
            let Some(tens) = number.checked_mul(10) else { return Err(NoDuration) };
            let Some(sum) = tens.checked_add((*digit - b'0') as u64) else { return Err(NoDuration) };
            (number, rest) = (sum, after);
        }
        let unit = match rest {
            _ if rest.len() == text.len() => return Err(NoDuration),
            b"ms" => 1,
            b"s" => 1000,
            b"m" => 60_000,
            b"h" => 3_600_000,
            b"d" => 86_400_000,
            _ => return Err(NoDuration),
        };
        match number.checked_mul(unit) {
            Some(millis) => Ok(Self(millis)),
            None => Err(NoDuration),
        }
    }

    /// For an attribute's text.
    pub const fn literal(text: &str) -> Self {
        match Self::parse(text) {
            Ok(millis) => millis,
            Err(NoDuration) => panic!("{}", NoDuration::MESSAGE),
        }
    }
}

impl FromStr for Millis {
    type Err = NoDuration;

    fn from_str(text: &str) -> Result<Self, NoDuration> {
        Self::parse(text)
    }
}

impl fmt::Display for NoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MESSAGE)
    }
}

impl std::error::Error for NoDuration {}
