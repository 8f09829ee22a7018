//! `--where`: a condition on a record's columns, with ksqlDB's rules. A comparison with null is false, so that NOT of
//! it is true; a date is compared with text as that date's midnight in UTC, and may be partial.

/// What two cells come to.
mod compare;
/// From text to a condition.
mod parse;

use std::cmp::Ordering;

use super::cell::{Cell, Decimal};
use crate::exit::Stop;
use crate::nearest::did_you_mean;
use compare::compare;

/// A condition, and the text that it was read from.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    text: String,
    expression: Expression,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Compare { left: Operand, comparison: Comparison, right: Operand },
    IsNull(Operand),
    Like { operand: Operand, pattern: String },
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A column or a literal, and where it stands, in characters.
#[derive(Debug, Clone, PartialEq)]
struct Operand {
    at: usize,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Column(String),
    Literal(Cell),
}

/// Where in the text something is wrong, in characters, and what.
#[derive(Debug, PartialEq)]
struct Wrong {
    at: usize,
    why: String,
}

impl Wrong {
    fn new(at: usize, why: impl Into<String>) -> Wrong {
        Wrong { at, why: why.into() }
    }
}

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Condition, Stop> {
        let text = text.replace(['\n', '\t', '\r'], " ");
        match parse::parse(&text) {
            Ok(expression) => Ok(Condition { text, expression }),
            Err(wrong) => Err(stop(&text, &wrong).hint(
                "a condition looks like: nascimento >= '2000-01-01' AND (nome LIKE 'Ana%' OR NOT email IS NULL)",
            )),
        }
    }

    /// Every column has to be one of these.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), Stop> {
        let mut unknown = None;
        self.expression.each_operand(&mut |operand| {
            let What::Column(name) = &operand.what else { return };
            if unknown.is_none() && !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let near = did_you_mean(name, known.iter().copied());
                unknown = Some(Wrong::new(operand.at, format!("there is no column {name}{near}")));
            }
        });
        let hint = || format!("columns: {}", known.join(", "));
        unknown.map_or(Ok(()), |wrong| Err(stop(&self.text, &wrong).hint(hint())))
    }

    /// Whether it holds for a row. A column that the row does not have is null.
    pub(super) fn holds(&self, row: &dyn Fn(&str) -> Cell) -> Result<bool, Stop> {
        self.expression.holds(row).map_err(|wrong| {
            stop(&self.text, &wrong).hint(
                "dates are written '2000-01-01', times '2000-01-01T10:30:00', text in single quotes, numbers bare",
            )
        })
    }
}

/// Shows the place.
fn stop(text: &str, wrong: &Wrong) -> Stop {
    Stop::usage(format!("--where: {}\n  {text}\n  {}^", wrong.why, " ".repeat(wrong.at)))
}

impl Expression {
    fn holds(&self, row: &dyn Fn(&str) -> Cell) -> Result<bool, Wrong> {
        match self {
            Expression::Compare { left, comparison, right } => {
                let found = compare(&left.cell(row), &right.cell(row));
                match found {
                    Ok(ordering) => Ok(ordering.is_some_and(|ordering| comparison.holds(ordering))),
                    // A row that cannot be compared is none that was asked for; a literal that cannot is a mistake.
                    Err(why) => match (&left.what, &right.what) {
                        (What::Column(_), What::Column(_)) => Ok(false),
                        (_, What::Literal(_)) => Err(Wrong::new(right.at, why)),
                        (What::Literal(_), _) => Err(Wrong::new(left.at, why)),
                    },
                }
            }
            Expression::IsNull(operand) => Ok(operand.cell(row) == Cell::Null),
            Expression::Like { operand, pattern } => match operand.cell(row) {
                Cell::Null => Ok(false),
                Cell::Text(text) => Ok(like(&text, pattern)),
                other => Err(Wrong::new(operand.at, format!("LIKE needs text, and this is {}", other.kind()))),
            },
            Expression::Not(inner) => Ok(!inner.holds(row)?),
            Expression::And(left, right) => Ok(left.holds(row)? && right.holds(row)?),
            Expression::Or(left, right) => Ok(left.holds(row)? || right.holds(row)?),
        }
    }

    fn each_operand(&self, each: &mut dyn FnMut(&Operand)) {
        match self {
            Expression::Compare { left, right, .. } => {
                each(left);
                each(right);
            }
            Expression::IsNull(operand) | Expression::Like { operand, .. } => each(operand),
            Expression::Not(inner) => inner.each_operand(each),
            Expression::And(left, right) | Expression::Or(left, right) => {
                left.each_operand(each);
                right.each_operand(each);
            }
        }
    }
}

impl Operand {
    fn cell(&self, row: &dyn Fn(&str) -> Cell) -> Cell {
        match &self.what {
            What::Column(name) => row(name),
            What::Literal(cell) => cell.clone(),
        }
    }
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// `%` stands for any text, `_` for one character.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    // Where the last % stood, and how much of the text it has taken.
    let (mut at, mut of, mut back) = (0, 0, None);
    while at < text.len() {
        match pattern.get(of) {
            Some('%') => {
                back = Some((of, at));
                of += 1;
            }
            Some(c) if *c == '_' || *c == text[at] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((percent, taken)) = back else { return false };
                back = Some((percent, taken + 1));
                (at, of) = (taken + 1, percent + 1);
            }
        }
    }
    pattern[of..].iter().all(|c| *c == '%')
}

#[cfg(test)]
mod tests;
