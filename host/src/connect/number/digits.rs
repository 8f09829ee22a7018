//! The digits of a number, by Steele and White's algorithm with Java's own stopping tests, in integers where they fit.

use num_bigint::BigUint;

/// No number of a double takes more digits than this.
const DIGITS_MAX: usize = 24;
/// The width of a double's fraction.
pub(super) const SHIFT: i32 = 52;

/// `fraction` has its highest bit at 52, and stands for a number between 1 and 2.
pub(super) struct Binary {
    pub(super) exponent: i32,
    pub(super) fraction: u64,
    pub(super) significant_bits: i32,
}

/// `0.digits * 10^exponent`.
pub(super) struct Decimal {
    digits: [u8; DIGITS_MAX],
    length: usize,
    pub(super) exponent: i32,
}

impl Decimal {
    fn new(exponent: i32) -> Decimal {
        Decimal { digits: [0; DIGITS_MAX], length: 0, exponent }
    }

    fn push(&mut self, digit: i64) {
        if let Some(place) = self.digits.get_mut(self.length) {
            *place = b'0' + digit as u8;
            self.length += 1;
        }
    }

    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// One more in the last place.
    fn round_up(&mut self) {
        for place in (0..self.length).rev() {
            if self.digits[place] != b'9' {
                self.digits[place] += 1;
                return;
            }
            if place == 0 {
                self.digits[0] = b'1';
                self.exponent += 1;
            } else {
                self.digits[place] = b'0';
            }
        }
    }
}

pub(super) fn decimal(binary: &Binary) -> Decimal {
    let Binary { exponent, fraction, significant_bits } = *binary;
    let zeros = fraction.trailing_zeros() as i32;
    let fraction_bits = SHIFT + 1 - zeros;
    // Bits behind the binary point.
    let tiny_bits = (fraction_bits - exponent - 1).max(0);
    if tiny_bits == 0 && exponent <= 62 && fraction_bits < 64 {
        return whole(binary);
    }
    let guess = guess_exponent(fraction, exponent);
    // The number is b/s * 10^guess and half of its last place m/s, each a product of powers of 2 and 5.
    let b5 = (-guess).max(0);
    let s5 = guess.max(0);
    let mut b2 = b5 + tiny_bits + exponent;
    let mut s2 = s5 + tiny_bits;
    let mut m2 = b2 - significant_bits;
    b2 -= fraction_bits - 1;
    let common = b2.min(s2);
    b2 -= common;
    s2 -= common;
    m2 -= common;
    // Below a power of two numbers are twice as dense.
    if fraction_bits == 1 {
        m2 -= 1;
    }
    if m2 < 0 {
        b2 -= m2;
        s2 -= m2;
        m2 = 0;
    }
    let scaled = Scaled { fraction: fraction >> zeros, b5, b2, s5, s2, m2 };
    let b_bits = fraction_bits + b2 + bits_of_five(b5);
    let ten_s_bits = s2 + 1 + bits_of_five(s5 + 1);
    if b_bits < 64 && ten_s_bits < 64 { scaled.small(guess, b_bits < 32 && ten_s_bits < 32) } else { scaled.big(guess) }
}

/// A whole number that fits into 63 bits.
fn whole(binary: &Binary) -> Decimal {
    let Binary { exponent, fraction, significant_bits } = *binary;
    let mut number = if exponent >= SHIFT { fraction << (exponent - SHIFT) } else { fraction >> (SHIFT - exponent) };
    let mut dropped = 0;
    // Digits below the last place say nothing.
    let spare = exponent - significant_bits - 1;
    if exponent > significant_bits && spare > 1 {
        dropped = (f64::from(spare) * std::f64::consts::LOG10_2) as u32;
        let power = 10u64.pow(dropped);
        let rest = number % power;
        number = number / power + u64::from(dropped > 0 && rest >= power / 2);
    }
    let mut text = [0; DIGITS_MAX];
    let mut length = 0;
    while number > 0 {
        text[length] = b'0' + (number % 10) as u8;
        number /= 10;
        length += 1;
    }
    let mut decimal = Decimal::new(dropped as i32 + length as i32);
    let zeros = text[..length].iter().take_while(|digit| **digit == b'0').count();
    decimal.length = length - zeros;
    for (to, from) in decimal.digits.iter_mut().zip(text[zeros..length].iter().rev()) {
        *to = *from;
    }
    decimal
}

/// The decimal exponent, or one more.
#[expect(clippy::approx_constant, reason = "Java's digits, not the nearest ones")]
fn guess_exponent(fraction: u64, exponent: i32) -> i32 {
    let mantissa = f64::from_bits(0x3ff0_0000_0000_0000 | (fraction & ((1 << 52) - 1)));
    let log = (mantissa - 1.5) * 0.289529654 + 0.176091259 + f64::from(exponent) * 0.301029995663981;
    log.floor() as i32
}

fn bits_of_five(power: i32) -> i32 {
    match power {
        0 => 0,
        1..27 => 64 - 5u64.pow(power as u32).leading_zeros() as i32,
        _ => power * 3,
    }
}

struct Scaled {
    fraction: u64,
    b5: i32,
    b2: i32,
    s5: i32,
    s2: i32,
    m2: i32,
}

/// How the digits ended: below the number, above it, and how the rest compares with half a place.
struct End {
    low: bool,
    high: bool,
    rest: std::cmp::Ordering,
}

impl End {
    fn round(&self, decimal: &mut Decimal) {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let odd = decimal.digits().last().is_some_and(|digit| digit % 2 == 1);
        let up = match (self.high, self.low, self.rest) {
            (false, _, _) | (true, true, Less) => false,
            (true, false, _) | (true, true, Greater) => true,
            (true, true, Equal) => odd,
        };
        if up {
            decimal.round_up();
        }
    }
}

/// Where Java writes an exponent, at least two digits are made.
fn needs_second_digit(exponent: i32) -> bool {
    !(-3..8).contains(&exponent)
}

impl Scaled {
    /// In integers of 64 bits, or 32, with their overflow.
    fn small(&self, guess: i32, narrow: bool) -> Decimal {
        let w = |value: i64| if narrow { i64::from(value as i32) } else { value };
        let five = |power: i32| 5i64.pow(power as u32);
        let mut b = w(w((self.fraction as i64).wrapping_mul(five(self.b5))) << self.b2);
        let s = w(five(self.s5) << self.s2);
        let mut m = w(five(self.b5) << self.m2);
        let tens = w(s.wrapping_mul(10));
        let mut exponent = guess;
        let mut decimal = Decimal::new(0);
        let mut digit = b / s;
        b = w((b % s).wrapping_mul(10));
        m = w(m.wrapping_mul(10));
        let mut low = b < m;
        let mut high = w(b.wrapping_add(m)) > tens;
        if digit == 0 && !high {
            exponent -= 1;
        } else {
            decimal.push(digit);
        }
        if needs_second_digit(exponent) {
            (low, high) = (false, false);
        }
        while !low && !high {
            digit = b / s;
            b = w((b % s).wrapping_mul(10));
            m = w(m.wrapping_mul(10));
            (low, high) = if m > 0 { (b < m, w(b.wrapping_add(m)) > tens) } else { (true, true) };
            decimal.push(digit);
        }
        decimal.exponent = exponent + 1;
        let rest = w(w(b << 1).wrapping_sub(tens)).cmp(&0);
        End { low, high, rest }.round(&mut decimal);
        decimal
    }

    /// In integers of any size.
    fn big(&self, guess: i32) -> Decimal {
        let product = |power: i32, shift: i32| BigUint::from(5u8).pow(power as u32) << shift as u32;
        let s = product(self.s5, self.s2);
        let tens = &s * 10u8;
        let mut b = product(self.b5, self.b2) * self.fraction;
        let mut m = product(self.b5, self.m2) * 10u8;
        let mut exponent = guess;
        let mut decimal = Decimal::new(0);
        let step = |b: &mut BigUint| {
            let digit = &*b / &s;
            *b = (&*b - &digit * &s) * 10u8;
            digit.iter_u32_digits().next().map_or(0, i64::from)
        };
        let mut digit = step(&mut b);
        let mut low = b < m;
        let mut high = &b + &m >= tens;
        if digit == 0 && !high {
            exponent -= 1;
        } else {
            decimal.push(digit);
        }
        if needs_second_digit(exponent) {
            (low, high) = (false, false);
        }
        while !low && !high {
            digit = step(&mut b);
            m *= 10u8;
            low = b < m;
            high = &b + &m >= tens;
            decimal.push(digit);
        }
        decimal.exponent = exponent + 1;
        let rest = (b << 1u8).cmp(&tens);
        End { low, high, rest }.round(&mut decimal);
        decimal
    }
}
