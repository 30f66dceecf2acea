//! Any bytes as a file of the plan, and as hours, days, dates and rules: every one is read or refused
//! in words, and what is read as a rule answers for any instant.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::config::{self, Language};
use hotline::schedule::{HolidayPolicy, Schedule, WeeklyHours};

const FILES: [&str; 6] = [
    "calendars.toml",
    "lines.toml",
    "listeners.toml",
    "queues.toml",
    "trunks.toml",
    "hotline.toml",
];

pub(crate) fn fuzz(bytes: &[u8]) {
    let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_778);
    for file in FILES {
        let report = config::judge(file, bytes, now);
        let french = report.told(Language::French);
        let english = report.told(Language::English);
        assert_eq!(french.is_empty(), english.is_empty());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = config::days(text);
    let _ = config::wall(text);
    if let Ok(span) = config::span(text) {
        assert_eq!(config::span(&span.to_string()), Ok(span));
    }
    if let Ok(weekly) = text.parse::<WeeklyHours>() {
        let zone = chrono_tz::Europe::Paris;
        let schedule = Schedule::new(zone, weekly, HolidayPolicy::Usual, Vec::new());
        let opening = schedule.opening(now);
        if let Some(until) = opening.until() {
            assert!(until > now);
            assert_ne!(schedule.opening(until).is_open(), opening.is_open());
        }
    }
}
