//! What two cells come to, as ksqlDB compares them.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time};
use num_bigint::BigInt;

use super::{Cell, Decimal};
use crate::look::cell::ms_of;

/// Decimals whose scales differ by more than this are compared as doubles.
const SCALES_APART_MAX: u32 = 400;
const DAY_MS: i64 = 86_400_000;

/// `None` where either is null; an error where the two have nothing in common.
pub(super) fn compare(left: &Cell, right: &Cell) -> Result<Option<Ordering>, String> {
    let ordering = match (left, right) {
        (Cell::Null, _) | (_, Cell::Null) => return Ok(None),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(right),
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Time(left), Cell::Time(right)) => left.cmp(right),
        (Cell::Time(left), Cell::Text(right)) => left.cmp(&time(right)?),
        (Cell::Text(left), Cell::Time(right)) => time(left)?.cmp(right),
        (Cell::Bytes(left), Cell::Bytes(right)) => left.cmp(right),
        _ if is_instant(left) || is_instant(right) => match (instant(left), instant(right)) {
            (Some(left), Some(right)) => left?.cmp(&right?),
            _ => return Err(apart(left, right)),
        },
        _ => return numbers(left, right).ok_or_else(|| apart(left, right)),
    };
    Ok(Some(ordering))
}

fn apart(left: &Cell, right: &Cell) -> String {
    format!("{} cannot be compared with {}", left.kind(), right.kind())
}

impl Cell {
    /// In words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Cell::Null => "null",
            Cell::Bool(_) => "a boolean",
            Cell::Int(_) | Cell::Float(_) | Cell::Decimal(_) => "a number",
            Cell::Text(_) => "text",
            Cell::Bytes(_) => "bytes",
            Cell::Date(_) => "a date",
            Cell::Time(_) => "a time",
            Cell::Timestamp(_) => "a timestamp",
            Cell::Array(_) => "an array",
            Cell::Fields(_) => "a struct",
        }
    }
}

/// `None`: one is no number. `Some(None)`: not a number at all, as floating point has it.
fn numbers(left: &Cell, right: &Cell) -> Option<Option<Ordering>> {
    if let (Some(left), Some(right)) = (exact(left), exact(right))
        && left.scale.abs_diff(right.scale) <= SCALES_APART_MAX
    {
        let scale = left.scale.max(right.scale);
        let scaled = |decimal: &Decimal| &decimal.digits * BigInt::from(10).pow(scale.abs_diff(decimal.scale));
        return Some(Some(scaled(&left).cmp(&scaled(&right))));
    }
    Some(double(left)?.partial_cmp(&double(right)?))
}

fn exact(cell: &Cell) -> Option<Decimal> {
    match cell {
        Cell::Int(value) => Some(Decimal { digits: (*value).into(), scale: 0 }),
        Cell::Decimal(decimal) => Some(decimal.clone()),
        _ => None,
    }
}

fn double(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Int(value) => Some(*value as f64),
        Cell::Float(value) => Some(*value),
        // Its own text is a number to Rust, too.
        Cell::Decimal(_) => cell.text().parse().ok(),
        _ => None,
    }
}

fn is_instant(cell: &Cell) -> bool {
    matches!(cell, Cell::Date(_) | Cell::Timestamp(_))
}

/// Milliseconds since 1970 in UTC; `None`: it is no time.
fn instant(cell: &Cell) -> Option<Result<i64, String>> {
    match cell {
        Cell::Date(days) => Some(Ok(i64::from(*days) * DAY_MS)),
        Cell::Timestamp(ms) | Cell::Int(ms) => Some(Ok(*ms)),
        Cell::Text(text) => {
            Some(date_time(text).ok_or_else(|| format!("'{text}' is no date: one is written 2000-01-01")))
        }
        _ => None,
    }
}

/// A date, in part or with a time.
fn date_time(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    let (date, time) = text.split_once(['T', 't', ' ']).map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts =
        date.split('-').map(|part| part.parse::<i16>().ok().filter(|_| part.chars().all(|c| c.is_ascii_digit())));
    let year = parts.next()??;
    let mut part = || parts.next().map_or(Some(1), |part| part.and_then(|part| i8::try_from(part).ok()));
    let (month, day) = (part()?, part()?);
    if parts.next().is_some() {
        return None;
    }
    let time = time.map_or(Some(Time::midnight()), |text| clock(text.trim()))?;
    ms_of(DateTime::from_parts(Date::new(year, month, day).ok()?, time))
}

fn clock(text: &str) -> Option<Time> {
    // A library's parser would take `10` and `T10:30`, too.
    text.contains(':').then(|| text.parse().ok()).flatten()
}

/// Milliseconds since midnight.
fn time(text: &str) -> Result<i32, String> {
    let time = clock(text).ok_or_else(|| format!("'{text}' is no time: one is written 10:30:00"))?;
    let seconds = (i32::from(time.hour()) * 60 + i32::from(time.minute())) * 60 + i32::from(time.second());
    Ok(seconds * 1000 + i32::from(time.millisecond()))
}
