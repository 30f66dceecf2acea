//! The hours of the week, as an `opening-hours` expression.
//!
//! The operator's friendly table is compiled to the grammar of OpenStreetMap's `opening_hours`, or
//! the operator writes that grammar himself. The crate reasons about dates only, day by day and
//! without a zone; turning its wall times into instants is `civil`'s work, because the crate can't
//! tell the two passes of the doubled autumn hour apart.

use std::fmt::{self, Write};
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use opening_hours::localization::Country;
use opening_hours::{Context, OpeningHours, RuleKind};
use serde::{Deserialize, Serialize};

use crate::schedule::hours::{DAY, Hours, Span};

/// Hours that come back every week, or by whatever rule the expression states.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct WeeklyHours {
    expression: String,
    rule: OpeningHours,
}

/// Why a text is not a rule; the words are the parser's, caret included.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NotARule(pub String);

impl WeeklyHours {
    /// Compiles a table of the week's days. A day that is not named is closed.
    pub fn from_days(days: &[(Weekday, Hours)]) -> Self {
        let mut expression = String::new();
        for (day, hours) in days.iter().filter(|(_, hours)| !hours.is_closed()) {
            let separator = if expression.is_empty() { "" } else { "; " };
            let spans: Vec<String> = hours.spans().iter().map(in_grammar).collect();
            let _ = write!(expression, "{separator}{} {}", in_letters(*day), spans.join(","));
        }
        if expression.is_empty() {
            return Self::never();
        }
        expression.parse().expect("a table of spans compiles to the grammar")
    }

    /// A week without an open minute.
    pub fn never() -> Self {
        "off".parse().expect("`off` is a rule")
    }

    /// The rule as written or compiled.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The hours of a date.
    pub fn on(&self, date: NaiveDate) -> Hours {
        let ranges = self.rule.schedule_at(date);
        let spans = ranges.into_iter().filter(|range| range.kind == RuleKind::Open).map(|range| {
            let edge = |time: u16| time.min(DAY);
            Span {
                open: edge(range.range.start.mins_from_midnight()),
                close: edge(range.range.end.mins_from_midnight()),
            }
        });
        spans.collect::<Vec<_>>().into()
    }

    /// The hours the date would have if it were a Sunday: those of the first Sunday from it on.
    pub fn on_sunday_after(&self, date: NaiveDate) -> Hours {
        let days = (7 - date.weekday().num_days_from_sunday()) % 7;
        let sunday = date.checked_add_days(Days::new(days.into())).unwrap_or(date);
        self.on(sunday)
    }
}

impl FromStr for WeeklyHours {
    type Err = NotARule;

    fn from_str(text: &str) -> Result<Self, NotARule> {
        if text.len() > EXPRESSION_MAX {
            return Err(NotARule(format!("a rule has at most {EXPRESSION_MAX} characters")));
        }
        let rule: OpeningHours = text.parse().map_err(|e| NotARule(format!("{e}")))?;
        let context = Context::default().with_holidays(Country::FR.holidays());
        Ok(Self { expression: text.to_owned(), rule: rule.with_context(context) })
    }
}

impl TryFrom<String> for WeeklyHours {
    type Error = NotARule;

    fn try_from(text: String) -> Result<Self, NotARule> {
        text.parse()
    }
}

impl From<WeeklyHours> for String {
    fn from(hours: WeeklyHours) -> Self {
        hours.expression
    }
}

impl PartialEq for WeeklyHours {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

impl Eq for WeeklyHours {}

impl fmt::Debug for WeeklyHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.expression)
    }
}

/// Room for every exception a rule may hold, and no more than a person would write.
const EXPRESSION_MAX: usize = 4096;

fn in_grammar(span: &Span) -> String {
    let edge = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    format!("{}-{}", edge(span.open), edge(span.close))
}

fn in_letters(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Mo",
        Weekday::Tue => "Tu",
        Weekday::Wed => "We",
        Weekday::Thu => "Th",
        Weekday::Fri => "Fr",
        Weekday::Sat => "Sa",
        Weekday::Sun => "Su",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hours(spans: &[(u16, u16)]) -> Hours {
        let spans = spans.iter().map(|(open, close)| Span { open: open * 60, close: close * 60 });
        spans.collect::<Vec<_>>().into()
    }

    #[test]
    fn a_table_compiles_to_the_grammar() {
        let weekly = WeeklyHours::from_days(&[
            (Weekday::Mon, hours(&[(9, 19)])),
            (Weekday::Tue, hours(&[])),
            (Weekday::Sun, hours(&[(9, 13), (14, 24)])),
        ]);

        assert_eq!(weekly.expression(), "Mo 09:00-19:00; Su 09:00-13:00,14:00-24:00");
        assert_eq!(weekly.on(date("2026-11-23")).to_string(), "9h-19h");
        assert_eq!(weekly.on(date("2026-11-24")).to_string(), "");
        assert_eq!(weekly.on(date("2026-11-22")).to_string(), "9h-13h, 14h-24h");
    }

    #[test]
    fn a_written_rule_may_name_holidays_and_nights() {
        let weekly: WeeklyHours = "Mo-Fr 22:00-02:00; PH off".parse().unwrap();

        assert_eq!(weekly.on(date("2026-11-24")).to_string(), "0h-2h, 22h-24h");
        assert_eq!(weekly.on(date("2026-12-25")).to_string(), "");
    }

    #[test]
    fn what_is_not_a_rule_is_refused() {
        for text in ["Mo-Fr 9-19", "Lu-Ve 09:00-19:00", "9h-19h", "\u{0}"] {
            assert!(text.parse::<WeeklyHours>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_week_without_hours_is_never_open() {
        assert!(WeeklyHours::never().on(date("2026-11-24")).is_closed());
    }
}
