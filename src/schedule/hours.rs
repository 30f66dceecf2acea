//! The open hours of one date: half-open spans of minutes on the wall.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::schedule::civil;

/// The open hours of one date, in order and apart from each other.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Vec<Span>", into = "Vec<Span>")]
pub struct Hours(Vec<Span>);

/// From one minute of the day up to, and not including, another: `540..780` is 9:00 to 13:00.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Span {
    /// Minutes from midnight.
    pub open: u16,
    /// Minutes from midnight, 1440 at most.
    pub close: u16,
}

/// Minutes in a day without a clock change.
pub(super) const DAY: u16 = 24 * 60;

impl Hours {
    /// No hours at all.
    pub fn closed() -> Self {
        Self::default()
    }

    /// From midnight to midnight.
    pub fn all_day() -> Self {
        Self(vec![Span { open: 0, close: DAY }])
    }

    /// Whether the date has no open minute.
    pub fn is_closed(&self) -> bool {
        self.0.is_empty()
    }

    /// The spans, earliest first.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// The spans of a date as instants. One that falls whole into the hour skipped in spring is
    /// left out.
    pub fn intervals(
        &self,
        zone: Tz,
        date: NaiveDate,
    ) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        self.0
            .iter()
            .map(move |span| {
                (civil::opens(zone, date, span.open), civil::closes(zone, date, span.close))
            })
            .filter(|(open, close)| open < close)
    }

    /// Whether an instant of that date falls into an open span.
    pub fn covers(&self, zone: Tz, date: NaiveDate, at: DateTime<Utc>) -> bool {
        self.intervals(zone, date).any(|(open, close)| open <= at && at < close)
    }
}

impl From<Vec<Span>> for Hours {
    /// Puts spans in order and joins those that touch or overlap; empty and inverted ones say
    /// nothing.
    fn from(mut spans: Vec<Span>) -> Self {
        spans.retain(|span| span.open < span.close);
        spans.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            let span = Span { open: span.open, close: span.close.min(DAY) };
            match joined.last_mut() {
                Some(last) if span.open <= last.close => last.close = last.close.max(span.close),
                _ if span.open < span.close => joined.push(span),
                _ => {}
            }
        }
        Self(joined)
    }
}

impl From<Hours> for Vec<Span> {
    fn from(hours: Hours) -> Self {
        hours.0
    }
}

impl fmt::Display for Span {
    /// As people write it: `9h-13h`, `9h30-12h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edge = |f: &mut fmt::Formatter<'_>, minutes: u16| match minutes % 60 {
            0 => write!(f, "{}h", minutes / 60),
            rest => write!(f, "{}h{rest:02}", minutes / 60),
        };
        edge(f, self.open)?;
        f.write_str("-")?;
        edge(f, self.close)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, span) in self.0.iter().enumerate() {
            write!(f, "{}{span}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_put_in_order_and_joined() {
        let hours = Hours::from(vec![
            Span { open: 840, close: 1140 },
            Span { open: 540, close: 600 },
            Span { open: 600, close: 780 },
            Span { open: 700, close: 650 },
            Span { open: 1430, close: 1500 },
        ]);

        assert_eq!(hours.to_string(), "9h-13h, 14h-19h, 23h50-24h");
    }
}
