//! What a timestamp column's value means as an instant, and how `timestamp.granularity` writes it.
//!
//! A `timestamp` is a wall clock somewhere: `db.timezone` says where. A `timestamptz` is an instant already. Never
//! rounds: a moment that its type cannot hold is refused.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::encode::{Calendar, EPOCH_2000_MICROS, Unfit, civil, long, shifted, text};
use crate::connector_file::Values;
use crate::exit::Stop;

pub(super) const DAY_MICROS: i64 = 86_400_000_000;
/// What the JDBC driver makes of the timestamps `infinity` and `-infinity`.
pub(super) const INFINITY_MILLIS: i64 = 9_223_372_036_825_200_000;
const NEGATIVE_INFINITY_MILLIS: i64 = -9_223_372_036_832_400_000;

/// `db.timezone`. All times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone(Option<TimeZone>);

impl Zone {
    pub(super) const UTC: Zone = Zone(None);

    /// An IANA name, or an offset as in `-03:00`.
    pub(super) fn named(name: &str) -> Option<Zone> {
        if ["UTC", "Etc/UTC", "GMT", "Z"].iter().any(|utc| utc.eq_ignore_ascii_case(name)) {
            return Some(Zone::UTC);
        }
        let zone = jiff::fmt::temporal::DateTimeParser::new().parse_time_zone(name.trim()).ok()?;
        Some(Zone(Some(zone)))
    }

    /// The instant at which this zone's clocks show `wall`. As Java has it: of two, the later; of none, as if the
    /// clocks had not been set forward.
    pub(super) fn instant(&self, wall: i64) -> i64 {
        let Some(zone) = &self.0 else { return wall };
        let instant = Timestamp::from_microsecond(wall)
            .and_then(|wall| zone.to_ambiguous_timestamp(Offset::UTC.to_datetime(wall)).later());
        match instant {
            Ok(instant) => instant.as_microsecond(),
            Err(_) => wall.saturating_sub(offset(zone, wall)),
        }
    }

    /// What this zone's clocks show at `instant`.
    pub(super) fn wall(&self, instant: i64) -> i64 {
        self.0.as_ref().map_or(instant, |zone| instant.saturating_add(offset(zone, instant)))
    }
}

/// Beyond the years that are known, the last known offset.
fn offset(zone: &TimeZone, instant: i64) -> i64 {
    let edge = if instant < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let instant = Timestamp::from_microsecond(instant).unwrap_or(edge);
    i64::from(zone.to_offset(instant).seconds()) * 1_000_000
}

/// `timestamp.granularity`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Granularity {
    ConnectLogical,
    MicrosLong,
    NanosLong,
    MicrosString,
    NanosString,
    MicrosIso,
    NanosIso,
}

/// How one timestamp column is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) calendar: Calendar,
    pub(super) granularity: Granularity,
    /// Whose wall clock an ISO text shows.
    pub(super) zone: Zone,
    /// The column is a wall clock of the zone, not an instant.
    pub(super) is_wall: bool,
}

impl Clock {
    /// `raw`: Postgres's microseconds since 2000.
    pub(super) fn encode(&self, raw: i64, out: &mut Vec<u8>) -> Result<(), Unfit> {
        let endless = match raw {
            i64::MAX => Some(INFINITY_MILLIS),
            i64::MIN => Some(NEGATIVE_INFINITY_MILLIS),
            _ => None,
        };
        if let Some(millis) = endless {
            if self.granularity != Granularity::ConnectLogical {
                return Err(Unfit::new("the timestamp infinity"));
            }
            long(millis, out);
            return Ok(());
        }
        let value = raw.saturating_add(EPOCH_2000_MICROS);
        let micros = in_calendar(self.calendar, if self.is_wall { self.zone.instant(value) } else { value });
        match self.granularity {
            // Cut downwards, before 1970 too.
            Granularity::ConnectLogical => long(micros.div_euclid(1000), out),
            Granularity::MicrosLong => long(micros, out),
            Granularity::NanosLong => {
                let nanos = micros.checked_mul(1000);
                long(nanos.ok_or_else(|| Unfit(format!("{micros} microseconds are too many nanoseconds")))?, out);
            }
            Granularity::MicrosString => text(&micros.to_string(), out),
            Granularity::NanosString => text(&(i128::from(micros) * 1000).to_string(), out),
            Granularity::MicrosIso => text(&iso(self.zone.wall(micros), ""), out),
            Granularity::NanosIso => text(&iso(self.zone.wall(micros), "000"), out),
        }
        Ok(())
    }
}

fn in_calendar(calendar: Calendar, micros: i64) -> i64 {
    shifted(calendar, micros.div_euclid(DAY_MICROS)) * DAY_MICROS + micros.rem_euclid(DAY_MICROS)
}

/// Six digits of a second and `more`; no zone. The year is Java's `yyyy`: that of its era, signed beyond 9999.
fn iso(wall: i64, more: &str) -> String {
    let (year, month, day) = civil(wall.div_euclid(DAY_MICROS));
    let year = if year <= 0 { 1 - year } else { year };
    let sign = if year > 9999 { "+" } else { "" };
    let (seconds, micros) = (wall.rem_euclid(DAY_MICROS) / 1_000_000, wall.rem_euclid(1_000_000));
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}{more}")
}

/// The key `timestamp.granularity`.
pub(super) fn granularity(values: &Values) -> Result<Granularity, Stop> {
    values.choice(
        "timestamp.granularity",
        &[
            ("connect_logical", Granularity::ConnectLogical),
            ("micros_long", Granularity::MicrosLong),
            ("micros_string", Granularity::MicrosString),
            ("micros_iso_datetime_string", Granularity::MicrosIso),
            ("nanos_long", Granularity::NanosLong),
            ("nanos_string", Granularity::NanosString),
            ("nanos_iso_datetime_string", Granularity::NanosIso),
        ],
    )
}

/// The key `db.timezone`.
pub(super) fn zone(values: &Values) -> Result<Zone, Stop> {
    let Some(name) = values.get("db.timezone") else { return Ok(Zone::UTC) };
    let unknown = || Stop::usage(format!("db.timezone is {name:?}; allowed: an IANA name or an offset"));
    Zone::named(name).ok_or_else(|| unknown().hint("for example America/Sao_Paulo or -03:00"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// 2021-04-12 22:39:23.655123
    const AT: i64 = 1_618_267_163_655_123;
    const HOUR: i64 = 3_600_000_000;

    fn written(granularity: Granularity, zone: &str, micros: i64) -> Result<Vec<u8>, Unfit> {
        let zone = Zone::named(zone).unwrap();
        let clock = Clock { calendar: Calendar::Legacy, granularity, zone, is_wall: true };
        let mut out = Vec::new();
        clock.encode(micros - EPOCH_2000_MICROS, &mut out).map(|()| out)
    }

    #[test]
    fn each_granularity_has_its_form() {
        let number = |micros| {
            let mut out = Vec::new();
            long(micros, &mut out);
            out
        };
        let words = |value: &str| {
            let mut out = Vec::new();
            text(value, &mut out);
            out
        };
        let of = |granularity| written(granularity, "UTC", AT).unwrap();
        assert_eq!(of(Granularity::ConnectLogical), number(AT / 1000));
        assert_eq!(of(Granularity::MicrosLong), number(AT));
        assert_eq!(of(Granularity::NanosLong), number(AT * 1000));
        assert_eq!(of(Granularity::MicrosString), words("1618267163655123"));
        assert_eq!(of(Granularity::NanosString), words("1618267163655123000"));
        assert_eq!(of(Granularity::MicrosIso), words("2021-04-12T22:39:23.655123"));
        assert_eq!(of(Granularity::NanosIso), words("2021-04-12T22:39:23.655123000"));
    }

    #[test]
    fn a_zones_wall_clock_becomes_an_instant_and_an_iso_text_shows_it_again() {
        assert_eq!(Zone::named("America/Sao_Paulo").unwrap().instant(AT), AT + 3 * HOUR);
        assert_eq!(Zone::named("-03:00").unwrap().wall(AT + 3 * HOUR), AT);
        let iso = |zone| written(Granularity::MicrosIso, zone, AT).unwrap();
        assert_eq!(iso("America/Sao_Paulo"), iso("UTC"));
    }

    #[test]
    fn where_clocks_are_set_an_instant_is_javas() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        // 2021-10-31 02:30 comes twice, 2021-03-28 02:30 never.
        let (twice, never) = (1_635_647_400_000_000, 1_616_898_600_000_000);
        assert_eq!(berlin.instant(twice), twice - HOUR);
        assert_eq!(berlin.instant(never), never - HOUR);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(written(Granularity::NanosLong, "UTC", i64::MAX / 1000).is_ok());
        assert!(written(Granularity::NanosLong, "UTC", i64::MAX / 1000 + 1).is_err());
        let clock = |granularity| Clock { calendar: Calendar::Legacy, granularity, zone: Zone::UTC, is_wall: true };
        let endless = |granularity| clock(granularity).encode(i64::MAX, &mut Vec::new());
        assert!(endless(Granularity::MicrosString).is_err());
        assert!(endless(Granularity::ConnectLogical).is_ok());
        assert_eq!(Zone::named("Mars/Olympus"), None);
    }
}
