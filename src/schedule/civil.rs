//! Wall time ⇄ instants: the only file that knows about clock changes.
//!
//! In spring an hour of the wall never happens: an edge written in it is the instant the gap ends.
//! In autumn an hour happens twice: what opens in it opens the first time, what closes in it closes
//! the second time, so that nobody who reads the hours on a door stands before a shut one.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::base::Territory;
use crate::schedule::hours::DAY;

/// The instant at which a span that opens at `minute` of `date` begins.
pub(super) fn opens(zone: Tz, date: NaiveDate, minute: u16) -> DateTime<Utc> {
    instant(zone, date, minute, |first, _| first)
}

/// The instant at which a span that closes at `minute` of `date` ends.
pub(super) fn closes(zone: Tz, date: NaiveDate, minute: u16) -> DateTime<Utc> {
    instant(zone, date, minute, |_, second| second)
}

/// The first instant after `at`, which is on `date`, that belongs to a later date.
pub(super) fn midnight_after(zone: Tz, date: NaiveDate, at: DateTime<Utc>) -> DateTime<Utc> {
    let midnight = opens(zone, date, DAY);
    // Where clocks change at midnight a date can end twice.
    if midnight > at { midnight } else { closes(zone, date, DAY).max(at + TimeDelta::minutes(1)) }
}

/// What the clock on the wall shows.
pub(super) fn local(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// How far the wall is from UTC, in seconds.
pub(super) fn offset_at(zone: Tz, at: DateTime<Utc>) -> i32 {
    at.with_timezone(&zone).offset().fix().local_minus_utc()
}

/// The clock people in a territory live by.
pub(super) fn zone_of(territory: Territory) -> Option<Tz> {
    match territory {
        Territory::Elsewhere => None,
        Territory::Guadeloupe => Some(chrono_tz::America::Guadeloupe),
        Territory::Guyane => Some(chrono_tz::America::Cayenne),
        Territory::Martinique => Some(chrono_tz::America::Martinique),
        Territory::Mayotte => Some(chrono_tz::Indian::Mayotte),
        Territory::Metropole => Some(chrono_tz::Europe::Paris),
        Territory::NouvelleCaledonie => Some(chrono_tz::Pacific::Noumea),
        Territory::Polynesie => Some(chrono_tz::Pacific::Tahiti),
        Territory::Reunion => Some(chrono_tz::Indian::Reunion),
        Territory::SaintPierreEtMiquelon => Some(chrono_tz::America::Miquelon),
        Territory::WallisEtFutuna => Some(chrono_tz::Pacific::Wallis),
    }
}

fn instant(
    zone: Tz,
    date: NaiveDate,
    minute: u16,
    choose: impl Fn(DateTime<Utc>, DateTime<Utc>) -> DateTime<Utc>,
) -> DateTime<Utc> {
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    let mut wall =
        midnight.checked_add_signed(TimeDelta::minutes(minute.into())).unwrap_or(midnight);
    for _ in 0..LONGEST_GAP {
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(at) => return at.to_utc(),
            LocalResult::Ambiguous(first, second) => {
                return choose(first.to_utc(), second.to_utc());
            }
            LocalResult::None => wall += TimeDelta::minutes(1),
        }
    }
    wall.and_utc()
}

/// Minutes; Samoa left out a whole day in 2011.
const LONGEST_GAP: u16 = 2 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    const PARIS: Tz = chrono_tz::Europe::Paris;

    #[test]
    fn an_edge_in_the_spring_gap_is_where_the_gap_ends() {
        let date = NaiveDate::from_ymd_opt(2027, 3, 28).unwrap();

        assert_eq!(opens(PARIS, date, 150).to_rfc3339(), "2027-03-28T01:00:00+00:00");
        assert_eq!(closes(PARIS, date, 150).to_rfc3339(), "2027-03-28T01:00:00+00:00");
    }

    #[test]
    fn the_doubled_autumn_hour_opens_the_first_time_and_closes_the_second() {
        let date = NaiveDate::from_ymd_opt(2026, 10, 25).unwrap();

        assert_eq!(opens(PARIS, date, 150).to_rfc3339(), "2026-10-25T00:30:00+00:00");
        assert_eq!(closes(PARIS, date, 150).to_rfc3339(), "2026-10-25T01:30:00+00:00");
    }
}
