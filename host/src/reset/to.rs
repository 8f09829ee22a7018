//! `--to`: where reading begins anew.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Earliest,
    Latest,
    /// The first record from this time on, in milliseconds since 1970.
    Time(i64),
}

impl FromStr for To {
    type Err = String;

    fn from_str(text: &str) -> Result<To, String> {
        match text {
            "earliest" => return Ok(To::Earliest),
            "latest" => return Ok(To::Latest),
            _ => {}
        }
        // Kafka takes -1 and -2 for the ends.
        let ms = text.parse().ok().or_else(|| Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()));
        ms.filter(|ms| *ms >= 0).map(To::Time).ok_or_else(|| {
            "earliest, latest, a time such as 2026-11-25T09:00:00Z, or milliseconds since 1970 are allowed".to_owned()
        })
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            To::Earliest => f.write_str("earliest"),
            To::Latest => f.write_str("latest"),
            To::Time(ms) => match jiff::Timestamp::from_millisecond(*ms) {
                Ok(time) => write!(f, "from {time}"),
                Err(_) => write!(f, "from {ms}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_end_or_a_time_with_its_zone() {
        for (text, to, shown) in [
            ("earliest", To::Earliest, "earliest"),
            ("latest", To::Latest, "latest"),
            ("0", To::Time(0), "from 1970-01-01T00:00:00Z"),
            ("1618269960123", To::Time(1_618_269_960_123), "from 2021-04-12T23:26:00.123Z"),
            ("2021-04-12T20:26:00.123-03:00", To::Time(1_618_269_960_123), "from 2021-04-12T23:26:00.123Z"),
        ] {
            assert_eq!(text.parse(), Ok(to), "{text}");
            assert_eq!(to.to_string(), shown);
        }
        for bad in ["", "first", "-1", "2021-04-12", "2021-04-12T20:26:00", "1969-12-31T23:59:59Z"] {
            assert!(bad.parse::<To>().is_err_and(|allowed| allowed.contains("2026-11-25T09:00:00Z")), "{bad}");
        }
    }
}
