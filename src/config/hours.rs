//! Hours and days as people write them.
//!
//! `"9h-19h"`, `"9h30-12h"`, `"09:00-19:00"`; `monday`, `lundi`, `monday-friday`,
//! `samedi-dimanche`. What can't be read is refused together with what was probably meant; nothing
//! is guessed in silence.

use chrono::Weekday;

use crate::config::guess;
use crate::schedule::Span;

/// Why a text is no span of hours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotHours {
    /// It can't be read; what was meant, if that is plain.
    Unreadable { suggestion: Option<String> },
    /// The end is before the beginning, as in a night.
    Inverted,
    /// The end is the beginning.
    Empty,
    /// There is no such time of day.
    NoSuchTime,
}

/// Reads one span of hours.
pub fn span(text: &str) -> Result<Span, NotHours> {
    let unreadable = || NotHours::Unreadable { suggestion: suggestion(text) };
    let (open, close) = text.split_once(['-', '–', '—']).ok_or_else(unreadable)?;
    let open = edge(open.trim()).ok_or_else(unreadable)?;
    let close = edge(close.trim()).ok_or_else(unreadable)?;
    judged(open, close)
}

/// Reads one day or a range of days, in English or French.
pub fn days(text: &str) -> Result<Vec<Weekday>, Option<String>> {
    let lower = text.trim().to_lowercase();
    let wrong = || Err(corrected_days(&lower));
    let (first, last) = match lower.split_once(['-', '–']) {
        Some((first, last)) => (first.trim(), last.trim()),
        None => (lower.as_str(), lower.as_str()),
    };
    let (Some(first), Some(last)) = (day(first), day(last)) else {
        return wrong();
    };
    let mut days = vec![first];
    while *days.last().unwrap_or(&last) != last {
        days.push(days.last().unwrap_or(&last).succ());
    }
    Ok(days)
}

type Edge = (u16, u16);

fn judged(
    (open_hour, open_minute): Edge,
    (close_hour, close_minute): Edge,
) -> Result<Span, NotHours> {
    let minutes = |hour: u16, minute: u16| {
        let valid = minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
        valid.then(|| hour * 60 + minute).ok_or(NotHours::NoSuchTime)
    };
    let open = minutes(open_hour, open_minute)?;
    let close = minutes(close_hour, close_minute)?;
    match open.cmp(&close) {
        std::cmp::Ordering::Less => Ok(Span { open, close }),
        std::cmp::Ordering::Equal => Err(NotHours::Empty),
        std::cmp::Ordering::Greater => Err(NotHours::Inverted),
    }
}

/// `9h`, `9h30`, `09:30`.
fn edge(text: &str) -> Option<Edge> {
    let (hour, minute) = match text.split_once(['h', 'H']) {
        Some((hour, "")) => (hour, "00"),
        Some((hour, minute)) => (hour, minute),
        None => text.split_once(':')?,
    };
    let digits = |text: &str, most: usize| {
        let fits = !text.is_empty() && text.len() <= most;
        (fits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
    };
    let minute = if minute.len() == 2 { digits(minute, 2)? } else { return None };
    Some((digits(hour, 2)?, minute))
}

/// What was probably meant: two times, with whatever stands between them.
fn suggestion(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let halves = SEPARATORS.iter().find_map(|separator| lower.split_once(separator))?;
    let half = |text: &str| {
        let numbers: Vec<u16> = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|digits| !digits.is_empty() && digits.len() <= 4)
            .filter_map(|digits| digits.parse().ok())
            .collect();
        match numbers[..] {
            [hour] if hour >= 100 => Some((hour / 100, hour % 100)),
            [hour] => Some((hour, 0)),
            [hour, minute] => Some((hour, minute)),
            _ => None,
        }
    };
    let span = judged(half(halves.0)?, half(halves.1)?).ok()?;
    Some(span.to_string())
}

/// What people put between two times, surest first.
const SEPARATORS: [&str; 11] = ["-", "–", "—", "_", "~", "/", " à ", " a ", " to ", "..", " "];

fn day(text: &str) -> Option<Weekday> {
    DAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

fn corrected_days(text: &str) -> Option<String> {
    let names = DAYS.iter().map(|(name, _)| *name);
    match text.split_once(['-', '–']) {
        None => guess::nearest(text, names).map(str::to_owned),
        Some((first, last)) => {
            let one = |text: &str| guess::nearest(text.trim(), names.clone());
            Some(format!("{}-{}", one(first)?, one(last)?))
        }
    }
}

const DAYS: [(&str, Weekday); 14] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
    ("lundi", Weekday::Mon),
    ("mardi", Weekday::Tue),
    ("mercredi", Weekday::Wed),
    ("jeudi", Weekday::Thu),
    ("vendredi", Weekday::Fri),
    ("samedi", Weekday::Sat),
    ("dimanche", Weekday::Sun),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (text, read) in [
            ("9h-19h", "9h-19h"),
            ("09:00-19:00", "9h-19h"),
            ("9h30 - 12h", "9h30-12h"),
            ("9H–13h05", "9h-13h05"),
            ("0h-24h", "0h-24h"),
            ("9:00-17:45", "9h-17h45"),
        ] {
            assert_eq!(span(text).map(|span| span.to_string()), Ok(read.into()), "{text}");
        }
    }

    #[test]
    fn what_cant_be_read_is_corrected_where_that_is_plain() {
        for (text, meant) in [
            ("9h_19h", Some("9h-19h")),
            ("9h00-19", Some("9h-19h")),
            ("9-19", Some("9h-19h")),
            ("9.30-12.00", Some("9h30-12h")),
            ("0900-1900", Some("9h-19h")),
            ("9h à 19h", Some("9h-19h")),
            ("9 heures - 19 heures", Some("9h-19h")),
            ("9h", None),
            ("19h_9h", None),
            ("", None),
            ("toujours", None),
            ("99999999999-1", None),
            ("2026 6-9h", None),
        ] {
            let suggestion = meant.map(str::to_owned);
            assert_eq!(span(text), Err(NotHours::Unreadable { suggestion }), "{text}");
        }
        assert_eq!(span("19h-9h"), Err(NotHours::Inverted));
        assert_eq!(span("9h-9h"), Err(NotHours::Empty));
        assert_eq!(span("9h-25h"), Err(NotHours::NoSuchTime));
        assert_eq!(span("9h60-12h"), Err(NotHours::NoSuchTime));
    }

    #[test]
    fn days_are_read_in_both_languages() {
        assert_eq!(days("monday-friday").map(|days| days.len()), Ok(5));
        assert_eq!(days("Samedi-Dimanche"), Ok(vec![Weekday::Sat, Weekday::Sun]));
        assert_eq!(days("dimanche-lundi"), Ok(vec![Weekday::Sun, Weekday::Mon]));
        assert_eq!(days("jeudi"), Ok(vec![Weekday::Thu]));
        assert_eq!(days("mondy-friday"), Err(Some("monday-friday".into())));
        assert_eq!(days("lundy"), Err(Some("lundi".into())));
        assert_eq!(days("weekend"), Err(None));
    }
}
