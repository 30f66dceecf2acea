//! When an order ends, as an operator says it.
//!
//! `17h`, `17h30` and `17:30` are the next time a clock in the line's zone shows that; a date may
//! come before it: `2026-12-24 17h`, `2026-12-24T17:30`, `24/12 17h`. There is no "until further
//! notice": a switch nobody remembers is how lines stay closed.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// A time that can't be understood, or can't be meant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotATime {
    #[error("`{0}` is no time; write `17h`, `17h30` or `2026-12-24 17h`")]
    Unreadable(String),
    #[error("`{0}` is past")]
    Past(String),
}

/// Reads such a text.
pub fn read(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<DateTime<Utc>, NotATime> {
    let unreadable = || NotATime::Unreadable(text.to_owned());
    let today = now.with_timezone(&zone).date_naive();
    let trimmed = text.trim();
    let (date, time) = match trimmed.split_once(['T', ' ']) {
        Some((date, time)) => (Some(read_date(date, today).ok_or_else(unreadable)?), time.trim()),
        None => (None, trimmed),
    };
    let time = read_time(time).ok_or_else(unreadable)?;
    if let Some(date) = date {
        let at = civil(zone, date, time).ok_or_else(unreadable)?;
        return if at > now { Ok(at) } else { Err(NotATime::Past(text.to_owned())) };
    }
    [Some(today), today.checked_add_days(Days::new(1))]
        .into_iter()
        .flatten()
        .filter_map(|date| civil(zone, date, time))
        .find(|at| *at > now)
        .ok_or_else(unreadable)
}

/// The instant a clock shows this; the later one when it shows it twice, the first valid one after
/// when it skips it.
fn civil(zone: Tz, date: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
    let local = date.and_time(time);
    (0..=120)
        .filter_map(|minutes| local.checked_add_signed(chrono::TimeDelta::minutes(minutes)))
        .find_map(|local| zone.from_local_datetime(&local).latest())
        .map(|at| at.with_timezone(&Utc))
}

fn read_date(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date);
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%d/%m/%Y") {
        return Some(date);
    }
    let (day, month) = text.split_once('/')?;
    let (day, month) = (day.parse().ok()?, month.parse().ok()?);
    let this_year = NaiveDate::from_ymd_opt(today.year(), month, day)?;
    if this_year >= today { Some(this_year) } else { this_year.with_year(today.year() + 1) }
}

fn read_time(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once(['h', 'H', ':'])?;
    let minute = if minute.is_empty() { "0" } else { minute };
    let digits = |text: &str| {
        (text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    NaiveTime::from_hms_opt(digits(hour)?, digits(minute)?, 0)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Paris;

    use super::*;

    #[test]
    fn a_time_is_the_next_one_on_the_clock() {
        let now = at("2026-11-21T14:10:00Z"); // 15:10 in Paris

        for (text, expected) in [
            ("17h", "2026-11-21T16:00:00Z"),
            ("17h30", "2026-11-21T16:30:00Z"),
            ("17:30", "2026-11-21T16:30:00Z"),
            ("9h", "2026-11-22T08:00:00Z"),
            ("15h10", "2026-11-22T14:10:00Z"),
            ("2026-12-24 17h", "2026-12-24T16:00:00Z"),
            ("2026-12-24T17:30", "2026-12-24T16:30:00Z"),
            ("24/12 17h", "2026-12-24T16:00:00Z"),
            ("2/1 9h", "2027-01-02T08:00:00Z"),
            ("24/12/2026 9h", "2026-12-24T08:00:00Z"),
        ] {
            assert_eq!(read(text, Paris, now), Ok(at(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_said() {
        let now = at("2026-11-21T14:10:00Z");
        for text in ["", "17", "25h", "17h60", "soon", "2026-13-01 9h", "h", "17h3x", "-1h"] {
            assert_eq!(
                read(text, Paris, now),
                Err(NotATime::Unreadable(text.to_owned())),
                "{text}"
            );
        }
        assert_eq!(
            read("2026-11-20 9h", Paris, now),
            Err(NotATime::Past("2026-11-20 9h".to_owned()))
        );
    }

    #[test]
    fn hours_the_clock_skips_or_shows_twice_are_found() {
        // Spring: 2:30 does not exist; autumn: 2:30 comes twice.
        let spring = read("2026-03-29 2h30", Paris, at("2026-03-28T12:00:00Z"));
        let autumn = read("2026-10-25 2h30", Paris, at("2026-10-24T12:00:00Z"));

        assert_eq!(spring, Ok(at("2026-03-29T01:00:00Z")));
        assert_eq!(autumn, Ok(at("2026-10-25T01:30:00Z")));
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }
}
