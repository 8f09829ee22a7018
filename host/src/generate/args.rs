//! The options of `generate`, as the workshop's script had them. Holds no defaults that other code relies on.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Spec, database};

/// A database address; its password never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString(pub String);

impl FromStr for ConnectionString {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<ConnectionString, Infallible> {
        Ok(ConnectionString(text.to_string()))
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", database::mask(&self.0))
    }
}

#[derive(clap::Args, Debug, Clone)]
pub struct Args {
    /// Pause between rounds
    #[arg(long, value_name = "SECONDS", default_value = "1", allow_negative_numbers = true, value_parser = seconds)]
    pub interval: Duration,

    /// Rows in a round
    #[arg(short = 'n', value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub rows: u64,

    /// Database to insert into [also: -cs]
    #[arg(
        long,
        value_name = "URL",
        default_value = "postgresql://postgres:Postgres2023!@localhost:5432/postgres",
        env = "SMT_CONNECTION_STRING",
        hide_env_values = true
    )]
    pub connection_string: ConnectionString,

    /// Do not print the rows
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        default_value = "false",
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        value_parser = boolean
    )]
    pub silent: bool,

    /// Make up the same people every time
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Stop after this many rounds
    #[arg(long, value_name = "N")]
    pub rounds: Option<u64>,
}

impl Args {
    pub(super) fn spec(self) -> Spec {
        Spec {
            url: self.connection_string.0,
            rows_per_round: self.rows,
            interval: self.interval,
            rounds: self.rounds,
            total: None,
            seed: self.seed,
            silent: self.silent,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(number).map_err(|_| "allowed are 0 and more seconds".to_string())
}

fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        _ => Err("allowed are true and false".to_string()),
    }
}

/// The script's `-cs URL` is no option that clap can have: it becomes `--connection-string URL`.
pub fn normalize_args(args: Vec<OsString>) -> Vec<OsString> {
    let mut options = true;
    let rename = |arg: OsString| {
        options &= arg != "--";
        if options && arg == "-cs" { OsString::from("--connection-string") } else { arg }
    };
    args.into_iter().map(rename).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;

    #[derive(Parser, Debug)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        let args = line.split_whitespace().map(OsString::from).collect();
        Command::try_parse_from(normalize_args(args)).map(|command| command.args)
    }

    #[test]
    fn the_scripts_options_are_understood() {
        let args = parse("x --interval 0.5 -n 10 -cs postgresql+psycopg2://u:secret@h/db --silent True").unwrap();
        assert_eq!((args.interval, args.rows, args.silent), (Duration::from_millis(500), 10, true));
        assert_eq!(args.connection_string.0, "postgresql+psycopg2://u:secret@h/db");
        assert!(!format!("{args:?}").contains("secret"));
    }

    #[test]
    fn silent_is_off_unless_it_is_given() {
        assert!(!parse("x").unwrap().silent);
        assert!(parse("x --silent").unwrap().silent);
        assert!(parse("x --silent --seed 3").unwrap().silent);
        assert!(!parse("x --silent False").unwrap().silent);
        assert!(parse("x --silent perhaps").is_err());
    }

    #[test]
    fn no_rows_and_negative_pauses_are_refused() {
        assert!(parse("x -n 0").is_err());
        assert!(parse("x --interval=-1").is_err());
        assert!(parse("x --interval nan").is_err());
    }
}
