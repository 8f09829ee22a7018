//! From text to a condition, by recursive descent. Every mistake is an error that knows its place.

use num_bigint::BigInt;

use super::{Cell, Comparison, Decimal, Expression, Operand, What, Wrong};

/// How deep parentheses and NOT may be nested.
const DEPTH_MAX: usize = 100;
/// More digits are no number of a column's.
const DIGITS_MAX: usize = 100;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A keyword or a column.
    Word(String),
    /// A column, whatever it is called.
    Quoted(String),
    Text(String),
    Number(Cell),
    Comparison(Comparison),
    Open,
    Close,
    End,
}

pub(super) fn parse(text: &str) -> Result<Expression, Wrong> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        Token::End => Ok(expression),
        Token::Close => Err(parser.wrong("this parenthesis was not opened")),
        _ => Err(parser.wrong("AND, OR or the end should stand here")),
    }
}

struct Parser {
    /// With their places, in characters; `End` is the last.
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(at, _)| *at)
    }

    fn wrong(&self, why: impl Into<String>) -> Wrong {
        Wrong::new(self.at(), why)
    }

    fn take(&mut self, token: &Token) -> bool {
        let is = self.peek() == token;
        self.next += usize::from(is);
        is
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(is);
        is
    }

    fn or(&mut self) -> Result<Expression, Wrong> {
        let mut left = self.and()?;
        while self.keyword("OR") {
            left = Expression::Or(left.into(), self.and()?.into());
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, Wrong> {
        let mut left = self.not()?;
        while self.keyword("AND") {
            left = Expression::And(left.into(), self.not()?.into());
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, Wrong> {
        if self.depth == DEPTH_MAX {
            return Err(self.wrong(format!("this is nested more than {DEPTH_MAX} deep")));
        }
        self.depth += 1;
        let found = if self.keyword("NOT") {
            self.not().map(|inner| Expression::Not(inner.into()))
        } else if self.take(&Token::Open) {
            self.or().and_then(|inner| {
                if self.take(&Token::Close) { Ok(inner) } else { Err(self.wrong("a closing parenthesis is missing")) }
            })
        } else {
            self.predicate()
        };
        self.depth -= 1;
        found
    }

    fn predicate(&mut self) -> Result<Expression, Wrong> {
        let left = self.operand()?;
        if let Token::Comparison(comparison) = *self.peek() {
            self.next += 1;
            return Ok(Expression::Compare { left, comparison, right: self.operand()? });
        }
        if self.keyword("IS") {
            let negated = self.keyword("NOT");
            if !self.keyword("NULL") {
                return Err(self.wrong("NULL should stand here: IS NULL or IS NOT NULL"));
            }
            return Ok(negate(negated, Expression::IsNull(left)));
        }
        let negated = self.keyword("NOT");
        if self.keyword("LIKE") {
            let Token::Text(pattern) = self.peek().clone() else {
                return Err(self.wrong("a pattern should stand here, such as 'Ana%'"));
            };
            self.next += 1;
            return Ok(negate(negated, Expression::Like { operand: left, pattern }));
        }
        Err(self.wrong("a comparison should stand here: = != < <= > >=, IS NULL or LIKE"))
    }

    fn operand(&mut self) -> Result<Operand, Wrong> {
        let at = self.at();
        let what = match self.peek().clone() {
            Token::Word(word) if word.eq_ignore_ascii_case("TRUE") => What::Literal(Cell::Bool(true)),
            Token::Word(word) if word.eq_ignore_ascii_case("FALSE") => What::Literal(Cell::Bool(false)),
            Token::Word(word) if word.eq_ignore_ascii_case("NULL") => {
                return Err(self.wrong("nothing equals NULL; ask with IS NULL or IS NOT NULL"));
            }
            Token::Word(word) if ["AND", "OR", "IS", "LIKE", "NOT"].iter().any(|w| word.eq_ignore_ascii_case(w)) => {
                return Err(self.wrong("a column or a value should stand here"));
            }
            Token::Word(name) | Token::Quoted(name) => What::Column(name),
            Token::Text(text) => What::Literal(Cell::Text(text)),
            Token::Number(cell) => What::Literal(cell),
            _ => return Err(self.wrong("a column or a value should stand here")),
        };
        self.next += 1;
        Ok(Operand { at, what })
    }
}

fn negate(negated: bool, expression: Expression) -> Expression {
    if negated { Expression::Not(expression.into()) } else { expression }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Wrong> {
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut tokens) = (0, Vec::new());
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, length) = token(&chars, at)?;
        tokens.push((at, token));
        at += length;
    }
    tokens.push((chars.len(), Token::End));
    Ok(tokens)
}

/// The token at a place, and how many characters it takes.
fn token(chars: &[char], at: usize) -> Result<(Token, usize), Wrong> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let rest = &chars[at..];
    let comparison = |comparison, length| Ok((Token::Comparison(comparison), length));
    match rest {
        ['(', ..] => Ok((Token::Open, 1)),
        [')', ..] => Ok((Token::Close, 1)),
        ['!', '=', ..] | ['<', '>', ..] => comparison(NotEqual, 2),
        ['<', '=', ..] => comparison(LessOrEqual, 2),
        ['>', '=', ..] => comparison(GreaterOrEqual, 2),
        ['=', '=', ..] => return Err(Wrong::new(at, "one = is enough")),
        ['=', ..] => comparison(Equal, 1),
        ['<', ..] => comparison(Less, 1),
        ['>', ..] => comparison(Greater, 1),
        ['\'', ..] => quoted(rest, '\'').map(|(text, length)| (Token::Text(text), length)).ok_or(at),
        [quote @ ('"' | '`'), ..] => quoted(rest, *quote).map(|(text, length)| (Token::Quoted(text), length)).ok_or(at),
        [c, ..] if c.is_alphabetic() || *c == '_' => {
            let length = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            Ok((Token::Word(rest[..length].iter().collect()), length))
        }
        [c, ..] if c.is_ascii_digit() || ['-', '+', '.'].contains(c) => return number(rest, at),
        _ => return Err(Wrong::new(at, "this means nothing here")),
    }
    .map_err(|at| Wrong::new(at, "the quote that begins here does not end"))
}

/// Up to the same quote; two of them are one that does not end it.
fn quoted(rest: &[char], quote: char) -> Option<(String, usize)> {
    let (mut text, mut at) = (String::new(), 1);
    loop {
        match (rest.get(at)?, rest.get(at + 1)) {
            (c, Some(next)) if *c == quote && *next == quote => at += 1,
            (c, _) if *c == quote => return Some((text, at + 1)),
            _ => {}
        }
        text.push(*rest.get(at)?);
        at += 1;
    }
}

fn number(rest: &[char], at: usize) -> Result<(Token, usize), Wrong> {
    let length = rest.iter().enumerate().take_while(|(i, c)| {
        c.is_alphanumeric()
            || **c == '.'
            || ((**c == '-' || **c == '+') && (*i == 0 || rest[i - 1].eq_ignore_ascii_case(&'e')))
    });
    let length = length.count();
    let text: String = rest[..length].iter().collect();
    let cell = decimal(&text).or_else(|| {
        // `nan` and `inf` begin with no digit.
        text.parse().ok().filter(|_| text.chars().any(|c| c.is_ascii_digit())).map(Cell::Float)
    });
    cell.map(|cell| (Token::Number(cell), length)).ok_or_else(|| Wrong::new(at, format!("{text} is no number")))
}

/// Exactly as it is written.
fn decimal(text: &str) -> Option<Cell> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let bare = digits.trim_start_matches(['-', '+']);
    if bare.is_empty() || bare.len() > DIGITS_MAX || !bare.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    if let (Ok(value), true) = (digits.parse(), fraction.is_empty()) {
        return Some(Cell::Int(value));
    }
    Some(Cell::Decimal(Decimal { digits: digits.parse::<BigInt>().ok()?, scale: fraction.len() as i32 }))
}
