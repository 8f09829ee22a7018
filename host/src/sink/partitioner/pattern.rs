//! Joda's date patterns, as far as a path has a use for them: compiled once, printed for a moment in a zone.

use std::fmt::Write;

use jiff::Zoned;

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number(Unit, usize),
    /// The last two digits.
    ShortYear(Unit),
    /// Digits of the second's fraction.
    Fraction(usize),
    Month {
        full: bool,
    },
    Weekday {
        full: bool,
    },
    HalfDay,
    Era,
    Offset {
        colon: bool,
    },
    ZoneId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    YearOfEra,
    WeekYear,
    Century,
    Month,
    Week,
    DayOfWeek,
    DayOfMonth,
    DayOfYear,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    ClockHour,
    /// 0 to 11.
    HalfdayHour,
    /// 1 to 12.
    ClockHalfdayHour,
    Minute,
    Second,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Pattern, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (piece, after) = match first {
                '\'' => quoted(&rest[1..])?,
                'a'..='z' | 'A'..='Z' => {
                    let run = rest.chars().take_while(|c| *c == first).count();
                    (letters(first, run)?, &rest[run..])
                }
                other => (Piece::Text(other.to_string()), &rest[other.len_utf8()..]),
            };
            pieces.push(piece);
            rest = after;
        }
        Ok(Pattern(pieces))
    }

    /// Whether it prints words, which depend on the language.
    pub(super) fn has_words(&self) -> bool {
        let is_word = |piece: &Piece| matches!(piece, Piece::Month { .. } | Piece::Weekday { .. } | Piece::HalfDay);
        self.0.iter().any(is_word)
    }

    pub(super) fn print(&self, at: &Zoned, out: &mut String) {
        for piece in &self.0 {
            // Writing to a text cannot fail.
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Number(unit, width) => write!(out, "{:01$}", unit.of(at), *width).unwrap_or(()),
                Piece::ShortYear(unit) => write!(out, "{:02}", unit.of(at).rem_euclid(100)).unwrap_or(()),
                Piece::Fraction(digits) => {
                    let nanos = format!("{:09}", at.subsec_nanosecond());
                    out.push_str(&nanos[..(*digits).min(9)]);
                    (9..*digits).for_each(|_| out.push('0'));
                }
                Piece::Month { full } => write!(out, "{}", at.strftime(if *full { "%B" } else { "%b" })).unwrap_or(()),
                Piece::Weekday { full } => {
                    write!(out, "{}", at.strftime(if *full { "%A" } else { "%a" })).unwrap_or(())
                }
                Piece::HalfDay => out.push_str(if at.hour() < 12 { "AM" } else { "PM" }),
                Piece::Era => out.push_str(if at.year() > 0 { "AD" } else { "BC" }),
                Piece::Offset { colon } => {
                    write!(out, "{}", at.strftime(if *colon { "%:z" } else { "%z" })).unwrap_or(())
                }
                Piece::ZoneId => match at.time_zone().iana_name() {
                    Some(name) => out.push_str(name),
                    None => write!(out, "{}", at.strftime("%:z")).unwrap_or(()),
                },
            }
        }
    }
}

/// What follows an opening quote, and what stands behind the closing one.
fn quoted(text: &str) -> Result<(Piece, &str), String> {
    if let Some(after) = text.strip_prefix('\'') {
        return Ok((Piece::Text("'".into()), after));
    }
    let mut out = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('\'').ok_or("a quote is not closed")?;
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok((Piece::Text(out), rest)),
        }
    }
}

fn letters(letter: char, run: usize) -> Result<Piece, String> {
    let number = |unit| Piece::Number(unit, run);
    let year = |unit| if run == 2 { Piece::ShortYear(unit) } else { Piece::Number(unit, run) };
    Ok(match letter {
        'y' => year(Unit::Year),
        'Y' => year(Unit::YearOfEra),
        'x' => year(Unit::WeekYear),
        'C' => number(Unit::Century),
        'M' if run >= 3 => Piece::Month { full: run >= 4 },
        'M' => number(Unit::Month),
        'w' => number(Unit::Week),
        'e' => number(Unit::DayOfWeek),
        'E' => Piece::Weekday { full: run >= 4 },
        'd' => number(Unit::DayOfMonth),
        'D' => number(Unit::DayOfYear),
        'H' => number(Unit::Hour),
        'k' => number(Unit::ClockHour),
        'K' => number(Unit::HalfdayHour),
        'h' => number(Unit::ClockHalfdayHour),
        'm' => number(Unit::Minute),
        's' => number(Unit::Second),
        'S' => Piece::Fraction(run),
        'a' => Piece::HalfDay,
        'G' => Piece::Era,
        'Z' if run >= 3 => Piece::ZoneId,
        'Z' => Piece::Offset { colon: run == 2 },
        other => return Err(format!("the letter {other:?} means nothing here; put text into single quotes")),
    })
}

impl Unit {
    fn of(self, at: &Zoned) -> i64 {
        let year = i64::from(at.year());
        let era = if year > 0 { year } else { 1 - year };
        match self {
            Unit::Year => year,
            Unit::YearOfEra => era,
            Unit::Century => era / 100,
            Unit::WeekYear => at.date().iso_week_date().year().into(),
            Unit::Month => at.month().into(),
            Unit::Week => at.date().iso_week_date().week().into(),
            Unit::DayOfWeek => at.weekday().to_monday_one_offset().into(),
            Unit::DayOfMonth => at.day().into(),
            Unit::DayOfYear => at.day_of_year().into(),
            Unit::Hour => at.hour().into(),
            Unit::ClockHour => (i64::from(at.hour()) + 23) % 24 + 1,
            Unit::HalfdayHour => i64::from(at.hour()) % 12,
            Unit::ClockHalfdayHour => (i64::from(at.hour()) + 11) % 12 + 1,
            Unit::Minute => at.minute().into(),
            Unit::Second => at.second().into(),
        }
    }
}
