#![allow(clippy::unwrap_used)]
use expect_test::expect;

use super::*;

/// A row with one column of each kind.
fn row(name: &str) -> Cell {
    match name.to_ascii_lowercase().as_str() {
        "nome" => Cell::Text("Ana Maria".into()),
        "nascimento" => Cell::Date(10_957),
        "dt" => Cell::Timestamp(946_684_800_500),
        "hora" => Cell::Time(37_800_000),
        "n" => Cell::Int(7),
        "x" => Cell::Float(1.5),
        "valor" => Cell::Decimal(Decimal { digits: 1_050.into(), scale: 2 }),
        "sim" => Cell::Bool(true),
        _ => Cell::Null,
    }
}

#[test]
fn d3_1_conditions_hold_as_in_ksqldb() {
    for (text, expected) in [
        // Dates: partial, with a time, against timestamps.
        ("nascimento >= '2000-01-01'", true),
        ("nascimento > '2000-01-01'", false),
        ("nascimento = '2000'", true),
        ("nascimento < '2000-02'", true),
        ("nascimento < '2000-01-01T00:00:00.001'", true),
        ("'1999-12-31' < nascimento", true),
        ("dt > nascimento", true),
        ("dt = '2000-01-01 00:00:00.5'", true),
        ("dt = 946684800500", true),
        ("hora = '10:30'", true),
        ("hora < '10:30:00.001'", true),
        // Numbers.
        ("n = 7 AND n <> 8 and n != 8", true),
        ("n <= 7.0 AND n >= 6.999", true),
        ("valor = 10.5", true),
        ("valor > 10.499999999999999999999999999999", true),
        ("valor < x", false),
        ("x = 15e-1", true),
        ("n > -1", true),
        // Null: every comparison is false, so NOT of one is true.
        ("nada = 1", false),
        ("nada != 1", false),
        ("NOT nada = 1", true),
        ("nada IS NULL AND nome IS NOT NULL", true),
        ("nada LIKE '%'", false),
        ("nada = nada", false),
        // Text.
        ("NOME LIKE 'Ana%'", true),
        ("nome like '_na%ia'", true),
        ("nome NOT LIKE '%z%'", true),
        ("nome LIKE 'ana%'", false),
        ("nome = 'Ana Maria'", true),
        ("\"nome\" = `nome`", true),
        ("nome < 'Ana''s'", true),
        ("nome > 'Ana''s'", false),
        // Precedence.
        ("sim = true OR sim = false AND n = 0", true),
        ("(sim = true OR sim = false) AND n = 0", false),
        ("NOT (n = 7) OR n = 7", true),
        ("NOT NOT n = 7", true),
    ] {
        let condition = Condition::parse(text).unwrap();
        assert_eq!(condition.holds(&row).unwrap(), expected, "{text}");
    }
}

#[test]
fn like_takes_its_patterns_whole() {
    for (text, pattern, expected) in [
        ("", "", true),
        ("", "%", true),
        ("a", "", false),
        ("abc", "a%b%c", true),
        ("abcb", "a%b", true),
        ("abc", "___", true),
        ("abc", "____", false),
        ("ação", "a__o", true),
        ("100%", "100%", true),
    ] {
        assert_eq!(like(text, pattern), expected, "{text} LIKE {pattern}");
    }
}

#[test]
fn mistakes_point_at_their_place() {
    let said = |text: &str| match Condition::parse(text).and_then(|condition| {
        condition.check(&["nome", "nascimento", "n", "x"])?;
        condition.holds(&row)
    }) {
        Ok(_) => panic!("{text} is no mistake"),
        Err(stop) => format!("{}\n", stop.what),
    };
    assert_eq!(said(""), "--where: a column or a value should stand here\n  \n  ^\n");
    let all: String = [
        "nascimento '2000-01-01'",
        "nascimento >=",
        "nascimento >= '2000-13-01'",
        "nascimento >= '2000",
        "nome = 5",
        "n = 'x'",
        "nascimeto IS NULL",
        "n IS 5",
        "n = NULL",
        "n = 1 n = 2",
        "(n = 1",
        "n = 1)",
        "n LIKE 'a'",
        "nome LIKE 5",
        "n == 1",
        "n = 1x",
        "ção = 1 & 2",
    ]
    .map(said)
    .concat();
    expect![[r#"
        --where: a comparison should stand here: = != < <= > >=, IS NULL or LIKE
          nascimento '2000-01-01'
                     ^
        --where: a column or a value should stand here
          nascimento >=
                       ^
        --where: '2000-13-01' is no date: one is written 2000-01-01
          nascimento >= '2000-13-01'
                        ^
        --where: the quote that begins here does not end
          nascimento >= '2000
                        ^
        --where: text cannot be compared with a number
          nome = 5
                 ^
        --where: a number cannot be compared with text
          n = 'x'
              ^
        --where: there is no column nascimeto; did you mean "nascimento"?
          nascimeto IS NULL
          ^
        --where: NULL should stand here: IS NULL or IS NOT NULL
          n IS 5
               ^
        --where: nothing equals NULL; ask with IS NULL or IS NOT NULL
          n = NULL
              ^
        --where: AND, OR or the end should stand here
          n = 1 n = 2
                ^
        --where: a closing parenthesis is missing
          (n = 1
                ^
        --where: this parenthesis was not opened
          n = 1)
               ^
        --where: LIKE needs text, and this is a number
          n LIKE 'a'
          ^
        --where: a pattern should stand here, such as 'Ana%'
          nome LIKE 5
                    ^
        --where: one = is enough
          n == 1
            ^
        --where: 1x is no number
          n = 1x
              ^
        --where: this means nothing here
          ção = 1 & 2
                  ^
    "#]]
    .assert_eq(&all);
}

#[test]
fn nesting_has_a_bound() {
    let nested = |depth: usize| format!("{}n = 7{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Condition::parse(&nested(99)).is_ok());
    assert!(Condition::parse(&nested(100)).unwrap_err().to_string().contains("nested more than 100"));
    assert!(Condition::parse(&"NOT ".repeat(100_000)).is_err());
}
