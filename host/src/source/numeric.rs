//! Postgres `numeric` in its binary form: base 10,000 digits to a scaled integer or a double.
//!
//! Never rounds: digits that the target has no place for are a refusal.

use num_bigint::{BigInt, Sign};

use super::encode::Unfit;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// digits * 10,000^exponent.
#[derive(Debug)]
pub(super) struct Numeric {
    digits: BigInt,
    exponent: i64,
}

impl Numeric {
    pub(super) fn parse(raw: &[u8]) -> Result<Numeric, Unfit> {
        let broken = || Unfit::new("a numeric that is cut short");
        let words: Vec<u16> = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        let [count, weight, sign, _, digits @ ..] = words.as_slice() else { return Err(broken()) };
        let negative = match *sign {
            0 => false,
            NEGATIVE => true,
            NAN => return Err(Unfit::new("the numeric NaN")),
            INFINITY => return Err(Unfit::new("the numeric Infinity")),
            NEGATIVE_INFINITY => return Err(Unfit::new("the numeric -Infinity")),
            other => return Err(Unfit(format!("a numeric with the unknown sign {other:#x}"))),
        };
        if digits.len() != usize::from(*count) {
            return Err(broken());
        }
        let value = digits.iter().fold(BigInt::ZERO, |sum, digit| sum * 10_000 + *digit);
        let exponent = i64::from(*weight as i16) - i64::from(*count) + 1;
        Ok(Numeric { digits: if negative { -value } else { value }, exponent })
    }

    /// The value times 10^scale, big-endian two's complement, as short as possible.
    pub(super) fn unscaled(&self, scale: u32) -> Result<Vec<u8>, Unfit> {
        Ok(self.scaled(scale)?.to_signed_bytes_be())
    }

    pub(super) fn integer(&self, bits: u32) -> Result<i64, Unfit> {
        let whole = self.scaled(0)?;
        let fits = i64::try_from(&whole).ok().filter(|value| bits >= 64 || *value >> (bits - 1) == *value >> 63);
        fits.ok_or_else(|| Unfit(format!("numeric {self} does not fit int{bits}")))
    }

    pub(super) fn double(&self) -> Result<f64, Unfit> {
        let text = format!("{}e{}", self.digits, self.exponent * 4);
        let text = if self.exponent.abs() > 5000 { self.to_string() } else { text };
        let value: f64 = text.parse().map_err(|_| Unfit(format!("numeric {self} is no double")))?;
        if value.is_finite() { Ok(value) } else { Err(Unfit(format!("numeric {self} does not fit a double"))) }
    }

    fn scaled(&self, scale: u32) -> Result<BigInt, Unfit> {
        let shift = self.exponent * 4 + i64::from(scale);
        let power = BigInt::from(10).pow(u32::try_from(shift.abs()).unwrap_or(u32::MAX));
        if shift >= 0 || self.digits.sign() == Sign::NoSign {
            return Ok(&self.digits * power);
        }
        let (whole, rest) = (&self.digits / &power, &self.digits % &power);
        if rest.sign() == Sign::NoSign {
            return Ok(whole);
        }
        Err(Unfit(format!("numeric {self} has more than {scale} digits after the point")))
    }
}

/// For messages only.
impl std::fmt::Display for Numeric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}e{}", self.digits, self.exponent * 4)
    }
}
